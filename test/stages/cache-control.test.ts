import { describe, expect, test } from 'vitest';
import type { Call } from '../../src/call.ts';
import type { Middleware } from '../../src/index.ts';
import type { CacheKeeper, PlannedCall } from '../../src/prompt-cache/cache-keeper.ts';
import { cacheControl } from '../../src/stages/cache-control.ts';
import { bodyOf, marksIn, readOf, setUp, URL } from './cached-router.ts';

describe('modes', () => {
  test('off and observe change no byte', async () => {
    const body = bodyOf('a', 3);
    for (const promptCache of ['off', 'observe'] as const) {
      const { ask, sent } = setUp({ promptCache });
      await ask(body);
      await ask(body);
      expect(sent.map(({ text }) => text)).toEqual([JSON.stringify(body), JSON.stringify(body)]);
    }
  });

  test('observe says what would have been saved', async () => {
    const { ask, clock, router, plans, listen, records } = setUp({ promptCache: 'observe' });
    listen();
    for (let turn = 1; turn <= 6; turn++) {
      await ask(bodyOf('a', turn));
      await clock.advance(5000);
    }
    expect(plans).toHaveLength(6);
    expect(plans[5]).toMatchObject({ mode: 'observe', changesBody: false });
    expect(plans[5]!.marks.length).toBeGreaterThan(0);
    const { observed } = router.snapshot().promptCache;
    expect(observed.calls).toBe(6);
    expect(Number(observed.savedUsd)).toBeGreaterThan(0);
    expect(records.every(({ cache }) => cache?.marks === 0 && cache.miss === undefined)).toBe(true);
  });

  test('what would be saved is what is saved', async () => {
    const costs: number[] = [];
    let saved = 0;
    for (const promptCache of ['observe', 'auto'] as const) {
      const { ask, clock, router, records } = setUp({ promptCache });
      for (let turn = 1; turn <= 6; turn++) {
        await ask(bodyOf('a', turn));
        await clock.advance(5000);
      }
      costs.push(records.reduce((sum, { cost }) => sum + Number(cost.usd), 0));
      saved += Number(router.snapshot().promptCache.observed.savedUsd);
    }
    expect(saved).toBeCloseTo(costs[0]! - costs[1]!, 3);
  });

  test.each(['5m', '1h'] as const)('a lifetime of %s for one call', async (ttl) => {
    const { ask, sent } = setUp();
    await ask(bodyOf('a', 2), { 'x-tokenrouter-prompt-cache': ttl });
    const wanted = ttl === '1h' ? { type: 'ephemeral', ttl } : { type: 'ephemeral' };
    for (const mark of marksIn(sent[0]!.text)) expect(mark).toEqual(wanted);
    expect(marksIn(sent[0]!.text).length).toBeGreaterThan(0);
  });

  test('a lifetime is none of another call', async () => {
    const { ask, sent } = setUp();
    await ask(bodyOf('a', 2), { 'x-tokenrouter-prompt-cache': 'off' });
    expect(marksIn(sent[0]!.text)).toEqual([]);
    await ask(bodyOf('a', 2));
    expect(marksIn(sent[1]!.text)).not.toEqual([]);
  });

  test('what one call observed is not expected by the next', async () => {
    const { ask, clock } = setUp();
    await ask(bodyOf('a', 2), { 'x-tokenrouter-prompt-cache': 'observe' });
    await clock.advance(5000);
    const { cache } = await ask(bodyOf('a', 3));
    expect(cache?.expectedRead).toBe(0);
  });
});

describe('explain', () => {
  test('gives the plan that the call gets, and changes nothing', async () => {
    const asked = setUp();
    const silent = setUp();
    for (const { ask, clock } of [asked, silent]) {
      for (let turn = 1; turn <= 3; turn++) {
        await ask(bodyOf('a', turn));
        await clock.advance(5000);
      }
    }
    const given = asked.post(JSON.stringify(bodyOf('a', 4)));
    for (let i = 0; i < 20; i++) await asked.router.explain(URL, given);
    await asked.clock.advance(9000);
    await silent.clock.advance(9000);
    const plan = await asked.router.explain(URL, given);
    asked.listen();
    const again = await asked.ask(bodyOf('a', 4));
    const other = await silent.ask(bodyOf('a', 4));
    const { callId: _, ...same } = plan;
    expect(asked.plans[0]).toMatchObject(same);
    expect(again.cache).toEqual(other.cache);
    expect(asked.sent.at(-1)!.text).toBe(silent.sent.at(-1)!.text);
    expect(asked.router.snapshot().promptCache).toEqual(silent.router.snapshot().promptCache);
  });
});

describe('calls that fail', () => {
  test('what was to be written is not expected', async () => {
    const { ask, clock } = setUp({ failing: [0] });
    await ask(bodyOf('a', 2));
    await clock.advance(5000);
    const { cache } = await ask(bodyOf('a', 3));
    expect(cache?.expectedRead).toBe(0);
  });

  test('what was written by a second attempt is', async () => {
    const again: Middleware = async (request, next) => {
      const first = await next(request);
      return first.ok ? first : next(request);
    };
    const { ask, clock, sent } = setUp({ failing: [0], middleware: [again] });
    await ask(bodyOf('a', 2));
    expect(sent).toHaveLength(2);
    // The marks are written once, not on top of each other.
    expect(marksIn(sent[1]!.text).length).toBeGreaterThan(0);
    expect(marksIn(sent[1]!.text).length).toBeLessThanOrEqual(4);
    expect(JSON.parse(sent[1]!.text)).toMatchObject({ messages: { length: 3 } });
    await clock.advance(5000);
    const record = await ask(bodyOf('a', 3));
    expect(readOf(record)).toBeGreaterThan(3000);
    expect(record.cache?.expectedRead).toBeGreaterThan(3000);
  });
});

describe('the stage alone', () => {
  const planned = {
    edits: [{ at: 5, remove: 0, insert: 'x' }],
    request: { prompt: { text: '{"a":1}' } },
  } as unknown as PlannedCall;
  const setUpStage = (keeper: Partial<CacheKeeper> = {}) => {
    const told: string[] = [];
    const cacheKeeper = {
      plan: () => planned,
      account: () => ({}),
      answered: () => void told.push('answered'),
      failed: () => void told.push('failed'),
      ...keeper,
    } as unknown as CacheKeeper;
    const stage = cacheControl({ cacheKeeper, onPlan: () => void told.push('planned') });
    const own = [{ at: 9, remove: 0, insert: 'y' }];
    const call = { cacheRequest: {}, edits: own, changed: false, context: {} } as unknown as Call;
    return { stage, call, told, own };
  };

  test('its edits are there in order while the call is sent, and gone afterwards', async () => {
    const { stage, call, told, own } = setUpStage();
    const seen: unknown[] = [];
    await stage.handle(call, async ({ edits, changed }) => {
      seen.push(
        edits.map(({ at }) => at),
        changed,
      );
      return new Response();
    });
    expect(seen).toEqual([[5, 9], true]);
    expect(call.edits).toBe(own);
    expect(told).toEqual(['planned', 'answered']);
  });

  test.each([
    ['an error', async () => Promise.reject(new Error('broken'))],
    ['a refusal', async () => new Response(null, { status: 400 })],
  ])('%s is told, and its edits are gone', async (_name, next) => {
    const { stage, call, told, own } = setUpStage();
    await stage.handle(call, next).catch(() => {});
    expect(told).toEqual(['planned', 'failed']);
    expect(call.edits).toBe(own);
  });

  test('a call is planned once, however often it is sent', async () => {
    const { stage, call, told } = setUpStage();
    for (let i = 0; i < 3; i++) await stage.handle(call, async () => new Response());
    expect(told).toEqual(['planned', 'answered', 'answered', 'answered']);
  });

  test.each<[string, Partial<CacheKeeper>]>([
    [
      'plan',
      {
        plan: () => {
          throw new Error('a fault');
        },
      },
    ],
    [
      'account',
      {
        account: () => {
          throw new Error('a fault');
        },
      },
    ],
  ])('a fault in %s costs the plan, never the call', async (_name, keeper) => {
    const { stage, call, own } = setUpStage(keeper);
    const response = await stage.handle(call, async () => new Response('sent'));
    expect(await response.text()).toBe('sent');
    expect(call.edits).toBe(own);
    expect(call.planned).toBeUndefined();
  });

  test('without a request for the cache it stands aside', async () => {
    const { stage, call, told } = setUpStage();
    call.cacheRequest = undefined;
    await stage.handle(call, async () => new Response());
    expect(told).toEqual([]);
    expect(call.changed).toBe(false);
  });
});
