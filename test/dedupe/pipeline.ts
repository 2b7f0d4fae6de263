/** A router's pipeline around the stage, as small as it gets: what comes in, what goes out, and the records of it. */
import type { Dispatcher } from 'undici';
import { builtInAdapters } from '../../adapters/index.ts';
import type { Call } from '../../src/call.ts';
import { createDedupe, type Dedupe, type DedupeConfig } from '../../src/dedupe/dedupe.ts';
import { createUrlLookup } from '../../src/endpoints.ts';
import { createEntrance } from '../../src/entrance.ts';
import { createPriceBook } from '../../src/pricing/price-book.ts';
import type { BoundRouter } from '../../src/router-api.ts';
import type { Next, Stage } from '../../src/stage.ts';
import { adapt } from '../../src/stages/adapt.ts';
import { dedupe as dedupeStage } from '../../src/stages/dedupe.ts';
import { identify } from '../../src/stages/identify.ts';
import { meter } from '../../src/stages/meter/index.ts';
import { middleware } from '../../src/stages/middleware.ts';
import { send } from '../../src/stages/send/index.ts';
import { createSeededRandom } from '../../src/testing/seeded-random.ts';
import type { Clock } from '../../src/types.ts';
import { createTokenCounter } from '../../src/tokens/token-counter.ts';
import type { CallContext, Middleware, ProviderAdapter, UsageRecord } from '../../src/types.ts';

export interface PipelineConfig extends Partial<DedupeConfig> {
  readonly clock: Clock;
  readonly fetch?: typeof globalThis.fetch | undefined;
  readonly dispatcher?: Dispatcher | undefined;
  readonly middleware?: readonly Middleware[];
  readonly adapters?: readonly ProviderAdapter[];
  /** Stages between this one and `send`. */
  readonly below?: readonly Stage[];
  readonly onRecord?: (record: UsageRecord) => void;
}

export interface Pipeline {
  readonly router: BoundRouter;
  with(context: CallContext): BoundRouter;
  readonly dedupe: Dedupe;
  readonly records: UsageRecord[];
  readonly active: Set<Call>;
  /** Ends every call that is under way, as `close` does. */
  cut(error: Error): void;
  /** All records, once nothing is being counted any more. */
  settled(): Promise<readonly UsageRecord[]>;
}

const nobody: Next = () => Promise.reject(new Error('Nothing answers behind the last stage.'));

export function createPipeline(config: PipelineConfig): Pipeline {
  const { clock, mode = 'deterministic', below = [], onRecord } = config;
  const random = createSeededRandom();
  const lookUp = createUrlLookup(config.adapters ?? builtInAdapters);
  const dedupe = createDedupe({ ...config, mode });
  const records: UsageRecord[] = [];
  const active = new Set<Call>();
  const pending = new Set<Promise<void>>();
  const list: readonly Stage[] = [
    meter({
      clock,
      random,
      prices: createPriceBook(),
      counter: createTokenCounter({ clock }),
      active,
      onRecord: (record) => {
        records.push(record);
        onRecord?.(record);
      },
      onPending: (counting) => {
        pending.add(counting);
        void counting.finally(() => pending.delete(counting));
      },
    }),
    ...(config.middleware ?? []).map(middleware),
    identify({ lookUp }),
    dedupeStage({ dedupe }),
    adapt(),
    ...below,
    send({
      clock,
      idleTimeoutMs: undefined,
      fetch: config.fetch,
      dispatcher: () => {
        if (config.dispatcher === undefined) throw new Error('This pipeline has no dispatcher.');
        return config.dispatcher;
      },
    }),
  ];
  const entrance = createEntrance({
    clock,
    random,
    lookUp,
    context: () => undefined,
    fetch: config.fetch,
    hasTransport: true,
    isClosed: () => false,
    pipeline: list.reduceRight<Next>((next, stage) => (call) => stage.handle(call, next), nobody),
  });
  return {
    router: entrance.boundTo(),
    with: (context) => entrance.boundTo(context),
    dedupe,
    records,
    active,
    cut(error) {
      for (const call of active) call.cut(error);
    },
    async settled() {
      while (pending.size > 0) await Promise.all(pending);
      return records;
    },
  };
}
