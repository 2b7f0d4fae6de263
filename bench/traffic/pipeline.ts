import { openai } from '../../adapters/openai/index.ts';
import { createDedupe } from '../../src/dedupe/dedupe.ts';
import { createUrlLookup } from '../../src/endpoints.ts';
import { createEntrance } from '../../src/entrance.ts';
import { compose, stages, type PipelineOptions } from '../../src/pipeline.ts';
import { createToolOrder } from '../../src/prompt-cache/arrange/tool-order.ts';
import { createPromptReader } from '../../src/prompt-cache/body/prompt-reader.ts';
import { createCacheKeeper } from '../../src/prompt-cache/cache-keeper.ts';
import { promptCacheSettings } from '../../src/prompt-cache/settings.ts';
import { createPriceBook } from '../../src/pricing/price-book.ts';
import { retrySettings } from '../../src/retry/settings.ts';
import { createTraffic } from '../../src/schedule/traffic.ts';
import { createTally } from '../../src/tally.ts';
import { createTokenCounter } from '../../src/tokens/token-counter.ts';
import { systemClock } from '../../src/util/clock.ts';
import { systemRandom } from '../../src/util/random.ts';
import { UnlimitedDispatcher } from './unlimited-dispatcher.ts';

const BASE_URL = 'http://bench.invalid/json/v1';
/** Where a pipeline takes calls. */
export const CHAT_URL: string = `${BASE_URL}/chat/completions`;

export interface BenchPipeline {
  readonly fetch: typeof globalThis.fetch;
  readonly close: () => void;
}

/** A router's pipeline with default options over an answer from memory, without the stages that are named. */
export function benchPipeline(without: readonly string[]): BenchPipeline {
  const [clock, random] = [systemClock, systemRandom];
  const lookUp = createUrlLookup([openai({ baseURL: BASE_URL })]);
  const promptCache = promptCacheSettings({ mode: 'off' });
  const prices = createPriceBook(undefined);
  const cacheKeeper = createCacheKeeper({ settings: promptCache, clock, prices });
  const retries = retrySettings();
  const dispatcher = new UnlimitedDispatcher();
  const traffic = createTraffic({
    clock,
    random,
    schedule: undefined,
    limits: undefined,
    onLimit: () => {},
  });
  const options: PipelineOptions = {
    clock,
    random,
    lookUp,
    fetch: undefined,
    dispatcher: () => dispatcher,
    middleware: [],
    idleTimeoutMs: undefined,
    modeOf: () => 'off',
    promptReader: createPromptReader(promptCache),
    toolOrder: createToolOrder({ mode: promptCache.tools }),
    scopeOf: cacheKeeper.scopeOf,
    systemFirst: promptCache.systemFirst,
    history: undefined,
    prices,
    counter: createTokenCounter({ clock }),
    cacheKeeper,
    maxHoldMs: promptCache.maxHoldMs,
    onPlan: () => {},
    dedupe: createDedupe({ clock, mode: 'deterministic', responseCache: undefined }),
    traffic,
    alarm: traffic.alarm,
    isPaced: traffic.isPaced,
    retrySettings: () => retries,
    active: createTally().active,
    onRecord: () => {},
    onPending: () => {},
  };
  const list = stages(options);
  const missing = without.filter((name) => !list.some((stage) => stage.name === name));
  if (missing.length > 0) throw new Error(`There are no stages ${missing.join(', ')}.`);
  const entrance = createEntrance({
    clock,
    random,
    lookUp,
    context: () => undefined,
    fetch: undefined,
    hasTransport: true,
    isClosed: () => false,
    pipeline: compose(list.filter(({ name }) => !without.includes(name))),
  });
  return { fetch: entrance.boundTo().fetch, close: () => traffic.close() };
}
