import { describe, expect, test } from 'vitest';
import { anthropicCaching } from '../../adapters/anthropic/cache.ts';
import type { Call } from '../../src/call.ts';
import { createRouter } from '../../src/index.ts';
import { createPriceBook } from '../../src/pricing/price-book.ts';
import {
  createCacheKeeper,
  type CacheKeeper,
  type PlannedCall,
} from '../../src/prompt-cache/cache-keeper.ts';
import type { CacheRequest } from '../../src/prompt-cache/cache-request.ts';
import { promptCacheSettings, type PromptCacheOptions } from '../../src/prompt-cache/settings.ts';
import { createVirtualClock } from '../../src/testing/index.ts';
import type { CallContext, Cost, TokenUsage } from '../../src/types.ts';
import { promptOf } from '../adapters/prompt-of.ts';

const COST: Cost = { usd: null, price: 'unpriced' };

function setUp(options: PromptCacheOptions = {}) {
  const clock = createVirtualClock();
  const settings = promptCacheSettings(options);
  const keeper = createCacheKeeper({ settings, clock, prices: createPriceBook() });
  return { clock, keeper };
}

interface Given {
  /** Texts of the messages. */
  texts?: readonly string[];
  system?: string;
  model?: string;
  key?: string;
  context?: CallContext;
  more?: object;
}

const LONG = 'word '.repeat(2000);

/** A call as it is when it comes to the stages of the prompt cache. */
function callOf({
  texts = ['hi'],
  system = LONG,
  model = 'claude-sonnet-4-5',
  key = 'k',
  context = {},
  more,
}: Given = {}): Call {
  const messages = texts.map((content, i) => ({
    role: i % 2 === 0 ? 'user' : 'assistant',
    content,
  }));
  const prompt = promptOf('messages', { model, max_tokens: 10, system, messages, ...more });
  let prefix = '';
  const hashes = prompt.blocks.map(({ tier, start, end }) => {
    const offset = prompt.offsets[tier];
    prefix += `${tier} ${prompt.text.slice(offset + start, offset + end)}\n`;
    return prefix;
  });
  return {
    prompt: {
      ...prompt,
      blocks: prompt.blocks.map((block) => ({ ...block, endsTurn: block.role === 'user' })),
    },
    fingerprint: {
      at: (i: number) => hashes[i],
      positions: [...hashes.keys()],
      salts: { tools: '', system: '', messages: '' },
      full: prefix,
    },
    endpoint: { provider: 'anthropic', api: 'messages', cache: anthropicCaching },
    model,
    parsedUrl: new URL('https://api.anthropic.com/v1/messages'),
    headers: ['x-api-key', key],
    account: key,
    context: { priority: 'normal', ...context },
    startedEpochMs: Date.UTC(2026, 10, 1),
  } as unknown as Call;
}

const requestOf = (keeper: CacheKeeper, given?: Given): CacheRequest => {
  const request = keeper.request(callOf(given));
  if (request === undefined) throw new Error('There is nothing to plan.');
  return request;
};

function plan(keeper: CacheKeeper, given?: Given): PlannedCall {
  return keeper.plan(requestOf(keeper, given), given?.context ?? {});
}

/** What the provider reports for a plan. */
function settle(
  keeper: CacheKeeper,
  planned: PlannedCall,
  input: TokenUsage['inputTokens'],
  grade: TokenUsage['grade'] = 'exact',
) {
  return keeper
    .account(planned, {}, 'claude-sonnet-4-5')
    .settle({ inputTokens: input, outputTokens: {}, grade }, COST);
}

const sizeOf = ({ request }: PlannedCall): number => request.estimated;

describe('which calls it is about', () => {
  test.each<[string, Given, PromptCacheOptions]>([
    ['the router’s mode is off', {}, { mode: 'off' }],
    ['the call wants none', { context: { promptCache: 'off' } }, {}],
    ['nothing is known of the model', { model: 'other' }, {}],
  ])('not where %s', (_name, given, options) => {
    expect(setUp(options).keeper.request(callOf(given))).toBeUndefined();
  });

  test.each<[string, Partial<Record<keyof Call, unknown>>]>([
    ['no cache', { endpoint: { provider: 'x', api: 'other' } }],
    ['no prompt', { prompt: undefined }],
    ['no fingerprint', { fingerprint: undefined }],
    ['an empty one', { fingerprint: { positions: [], at: () => undefined, full: '' } }],
  ])('not with %s', (_name, more) => {
    expect(setUp().keeper.request({ ...callOf(), ...more } as Call)).toBeUndefined();
  });

  test('a lifetime for one call leaves no other', () => {
    const { keeper } = setUp();
    const { rules } = requestOf(keeper, { context: { promptCache: '1h' } });
    expect(rules.lifetimes.map(({ ttl }) => ttl)).toEqual(['1h']);
    expect(requestOf(keeper).rules.lifetimes).toHaveLength(2);
  });

  test('a mark for the whole request is one of the host’s, on the last block', () => {
    const { keeper } = setUp();
    const { hostMarks, prompt } = requestOf(keeper, {
      more: { cache_control: { type: 'ephemeral' } },
    });
    expect(hostMarks).toEqual([{ block: prompt.blocks.length - 1, ttl: '5m' }]);
  });

  test('where the host alone decides nothing is written', () => {
    const { keeper } = setUp();
    const planned = plan(keeper, { more: { cache_control: { type: 'ephemeral', ttl: '9d' } } });
    expect(planned.edits).toEqual([]);
    expect(planned.order.marks).toEqual([]);
  });
});

describe('a plan comes true', () => {
  test('after an answer the prefix is expected, after a failure it is not', () => {
    const { keeper } = setUp();
    keeper.answered(plan(keeper));
    expect(plan(keeper).draft.expectedRead).toBeGreaterThan(2000);
    keeper.failed(plan(keeper, { system: `${LONG}other` }));
    expect(plan(keeper, { system: `${LONG}other` }).draft.expectedRead).toBe(0);
  });

  test('the record says what was marked and expected', () => {
    const { keeper } = setUp();
    const planned = plan(keeper);
    const outcome = settle(keeper, planned, {
      total: sizeOf(planned),
      cacheRead: 0,
      cacheWrite: 2500,
    });
    expect(outcome).toMatchObject({ expectedRead: 0, marks: planned.order.marks.length });
    expect(outcome.marks).toBeGreaterThan(0);
    expect(outcome.prefix).not.toContain('anthropic');
    expect(settle(keeper, planned, { total: sizeOf(planned) }).expectedRead).toBeUndefined();
  });

  test('a read that is a little shorter is no surprise', () => {
    const { keeper } = setUp();
    keeper.answered(plan(keeper));
    for (let i = 0; i < 5; i++) {
      const again = plan(keeper);
      const { expectedRead } = again.draft;
      expect(expectedRead).toBeGreaterThan(0);
      settle(keeper, again, { total: sizeOf(again), cacheRead: Math.ceil(expectedRead * 0.86) });
    }
    expect(plan(keeper).order.marks.length).toBeGreaterThan(0);
  });

  test('a read that did not come is not expected again', () => {
    const { keeper } = setUp();
    keeper.answered(plan(keeper));
    const again = plan(keeper);
    settle(keeper, again, { total: sizeOf(again), cacheRead: 0, cacheWrite: 100 });
    expect(plan(keeper).draft.expectedRead).toBeLessThan(again.draft.expectedRead);
  });

  test('a prefix that was not written after all is not expected', () => {
    const { keeper } = setUp();
    const planned = plan(keeper);
    keeper.answered(planned);
    settle(keeper, planned, { total: sizeOf(planned), cacheRead: 0, cacheWrite: 0 });
    expect(plan(keeper).draft.expectedRead).toBe(0);
  });

  test('what was only estimated teaches nothing', () => {
    const { keeper } = setUp();
    keeper.answered(plan(keeper));
    for (let i = 0; i < 5; i++)
      settle(keeper, plan(keeper), { total: 9, cacheRead: 0 }, 'estimated');
    expect(plan(keeper).draft.expectedRead).toBeGreaterThan(2000);
  });
});

describe('standing down', () => {
  /** Plans that are surprised, each of another prompt. */
  function surprise(keeper: CacheKeeper, names: readonly string[]): void {
    for (const name of names) {
      const system = LONG + name;
      keeper.answered(plan(keeper, { system }));
      const again = plan(keeper, { system });
      settle(keeper, again, { total: sizeOf(again), cacheRead: 0 });
    }
  }

  test('after three surprises nothing is marked, expected or waited for', () => {
    const { keeper } = setUp();
    keeper.answered(plan(keeper));
    plan(keeper, { system: `${LONG}pending` });
    surprise(keeper, ['a', 'b', 'c']);
    const planned = plan(keeper);
    expect(planned.edits).toEqual([]);
    expect(planned.draft.expectedRead).toBe(0);
    const pending = requestOf(keeper, { system: `${LONG}pending` });
    expect(keeper.worthWaitingFor(pending)).toBeUndefined();
  });

  test('it ends, however much is asked meanwhile', async () => {
    const { keeper, clock } = setUp();
    for (let i = 0; i < 4; i++) keeper.answered(plan(keeper, { system: `${LONG}known ${i}` }));
    surprise(keeper, ['a', 'b', 'c']);
    for (let i = 0; i < 4; i++) {
      await clock.advance(60_000);
      const planned = plan(keeper, { system: `${LONG}known ${i}` });
      expect(planned.edits).toEqual([]);
      settle(keeper, planned, { total: sizeOf(planned), cacheRead: 0 });
    }
    await clock.advance(6 * 60_000);
    const scope = requestOf(keeper);
    expect(scope.calibration.isStandingDown(clock.now())).toBe(false);
  });

  test('other accounts and models go on', () => {
    const { keeper } = setUp();
    surprise(keeper, ['a', 'b', 'c']);
    expect(plan(keeper, { key: 'other' }).edits.length).toBeGreaterThan(0);
    expect(plan(keeper, { model: 'claude-sonnet-4-6' }).edits.length).toBeGreaterThan(0);
    expect(plan(keeper).edits).toEqual([]);
  });
});

describe('waiting', () => {
  test('is worth it while another call of the same account writes much of the prompt', () => {
    const { keeper } = setUp();
    expect(keeper.worthWaitingFor(requestOf(keeper))).toBeUndefined();
    const leader = plan(keeper);
    expect(keeper.worthWaitingFor(requestOf(keeper))).toBeDefined();
    expect(keeper.worthWaitingFor(requestOf(keeper, { texts: ['other'] }))).toBeDefined();
    expect(keeper.worthWaitingFor(requestOf(keeper, { key: 'other' }))).toBeUndefined();
    expect(keeper.worthWaitingFor(requestOf(keeper, { system: `other ${LONG}` }))).toBeUndefined();
    keeper.answered(leader);
    expect(keeper.worthWaitingFor(requestOf(keeper))).toBeUndefined();
  });

  test('is not for little', () => {
    const { keeper } = setUp();
    keeper.answered(plan(keeper));
    plan(keeper, { texts: ['hi', 'a', 'b '.repeat(1000)] });
    expect(
      keeper.worthWaitingFor(requestOf(keeper, { texts: ['hi', 'a', 'b '.repeat(1000)] })),
    ).toBeUndefined();
  });

  test('nobody waits in observe mode, nor for what is only observed', () => {
    const { keeper } = setUp();
    const observed: Given = { context: { promptCache: 'observe' } };
    plan(keeper);
    expect(keeper.worthWaitingFor(requestOf(keeper, observed))).toBeUndefined();
    const other = setUp().keeper;
    plan(other, observed);
    expect(other.worthWaitingFor(requestOf(other))).toBeUndefined();
  });

  test('a failure leaves what another call writes of the same prefix', () => {
    const { keeper } = setUp();
    const first = plan(keeper);
    // It does not wait: urgent.
    const second = plan(keeper);
    keeper.failed(first);
    keeper.answered(second);
    expect(plan(keeper).draft.expectedRead).toBeGreaterThan(2000);
  });
});

describe('the snapshot', () => {
  test('counts prefixes, waits and tokens', () => {
    const { keeper } = setUp();
    const planned = plan(keeper);
    settle(keeper, planned, { total: 3000, cacheRead: 0, cacheWrite: 2900 });
    keeper.held(12);
    expect(keeper.snapshot()).toMatchObject({
      prefixes: planned.request.positions.length,
      waiting: 0,
      held: { calls: 1, ms: 12 },
      tokens: { total: 3000, read: 0, written: 2900, expectedRead: 0 },
    });
  });

  test('a preview is not counted', () => {
    const { keeper } = setUp();
    const before = keeper.snapshot();
    const preview = keeper.preview(requestOf(keeper));
    expect(keeper.snapshot()).toEqual(before);
    expect(keeper.worthWaitingFor(requestOf(keeper))).toBeUndefined();
    expect(plan(keeper).edits).toEqual(preview.edits);
  });
});

test('asking what would be done takes no key of a busy family', async () => {
  const router = createRouter({ fetch: async () => new Response(), clock: createVirtualClock() });
  const explain = (i: number) =>
    router.explain('https://api.openai.com/v1/chat/completions', {
      method: 'POST',
      body: JSON.stringify({
        model: 'gpt-5.1',
        messages: [
          { role: 'system', content: LONG },
          { role: 'user', content: `question ${i}` },
        ],
      }),
    });
  const keys = new Set<string | undefined>();
  for (let i = 0; i < 100; i++) keys.add((await explain(i)).key);
  expect(keys.size).toBe(1);
  expect([...keys][0]).toMatch(/^tr-/);
  await router.close();
});
