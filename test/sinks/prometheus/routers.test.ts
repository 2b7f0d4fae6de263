import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { prometheusSink } from '../../../adapters/sinks/prometheus/index.ts';
import { createDelivery } from '../../../src/delivery/delivery.ts';
import { createRouter, type Router, type RouterOptions } from '../../../src/index.ts';
import {
  createSeededRandom,
  createVirtualClock,
  sampleRecord,
} from '../../../src/testing/index.ts';
import type { RouterView } from '../../../src/types.ts';
import { linesOf, sumOf } from './page.ts';

const ANSWER = {
  id: 'x',
  model: 'gpt-4o',
  choices: [],
  usage: { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 },
};

/** A router over a provider that takes 100 ms for each answer. */
function setUp(options: Partial<RouterOptions> = {}, sink = prometheusSink()) {
  const clock = createVirtualClock();
  const router = createRouter({
    retry: { maxAttempts: 1 },
    clock,
    random: createSeededRandom(1),
    sinks: [sink],
    fetch: async () => {
      await new Promise<void>((resolve) => clock.setTimeout(resolve, 100));
      return Response.json(ANSWER);
    },
    ...options,
  });
  return { clock, router, sink, ask: (priority?: string) => ask(router, priority) };
}

async function ask(router: Router, priority = 'normal'): Promise<string> {
  const response = await router.fetch('https://api.openai.com/v1/chat/completions', {
    method: 'POST',
    headers: { authorization: 'Bearer k', 'x-priority': priority, 'x-tokenrouter-tenant': 'acme' },
    body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hi' }] }),
  });
  return response.text();
}

test('who waits and who is under way is shown as it is', async () => {
  const { router, sink, ask, clock } = setUp({ limits: [{ adaptive: false, concurrency: 1 }] });
  const calls = [ask(), ask(), ask('low'), ask('urgent')];
  await clock.advance(50);
  const during = sink.metrics();
  expect(linesOf(during, 'active_calls')).toEqual(['4']);
  expect(linesOf(during, 'requests_in_flight')).toEqual(['{provider="openai"} 1']);
  expect(linesOf(during, 'queue_depth')).toEqual([
    '{provider="openai",priority="urgent"} 1',
    '{provider="openai",priority="high"} 0',
    '{provider="openai",priority="normal"} 1',
    '{provider="openai",priority="low"} 1',
  ]);
  expect(linesOf(during, 'uptime_seconds')).toEqual(['0.05']);
  await clock.advance(1000);
  await Promise.all(calls);
  const after = sink.metrics();
  expect(linesOf(after, 'active_calls')).toEqual(['0']);
  expect(sumOf(after, 'queue_depth')).toBe(0n);
  expect(sumOf(after, 'requests_total')).toBe(4n);
  expect(linesOf(after, 'queue_wait_seconds_sum')).toContain(
    '{provider="openai",priority="low"} 0.3',
  );
  await router.close();
});

test('streams under way are shown where the router counts them', async () => {
  const { router, sink } = setUp();
  expect(linesOf(sink.metrics(), 'active_calls')).toEqual(['0']);
  const calls = { ...router.snapshot().calls, activeStreams: 2 };
  sink.attach({ snapshot: () => ({ ...router.snapshot(), calls }) });
  expect(linesOf(sink.metrics(), 'active_streams')).toEqual(['2']);
  await router.close();
});

test('a refused rate shows as retreat, as a share and as an error', async () => {
  const { sink, ask, clock, router } = setUp({
    fetch: async () => new Response('{}', { status: 429, headers: { 'retry-after': '30' } }),
  });
  await ask();
  await clock.advance(1000);
  const page = sink.metrics();
  expect(linesOf(page, 'limit_state')).toEqual([
    '{provider="openai",model="other",state="retreat"} 1',
    '{provider="openai",model="other",state="recover"} 0',
    '{provider="openai",model="other",state="normal"} 0',
  ]);
  expect(linesOf(page, 'rate_limited_ratio')).toEqual(['{provider="openai",model="other"} 1']);
  expect(linesOf(page, 'provider_errors_total')).toEqual([
    '{provider="openai",api="chat.completions",model="other",outcome="rate_limited"} 1',
  ]);
  await router.close();
});

test('the known rate is shown, and who it is counted for is not', async () => {
  const limits = [{ adaptive: false as const, per: ['tenant' as const], requestsPerMinute: 90 }];
  const { sink, ask, clock, router } = setUp({ limits }, prometheusSink({ models: ['gpt-4o'] }));
  const unlimited = setUp({ limits: [{ adaptive: false }] });
  const calls = [ask(), unlimited.ask()];
  await Promise.all([clock.advance(1000), unlimited.clock.advance(1000)]);
  await Promise.all(calls);
  expect(sink.metrics()).not.toContain('acme');
  expect(linesOf(unlimited.sink.metrics(), 'effective_rate_per_minute')).toEqual([]);
  const own = setUp(
    { limits: [{ adaptive: false, requestsPerMinute: 90 }] },
    prometheusSink({ models: ['gpt-4o'] }),
  );
  const call = own.ask();
  await own.clock.advance(1000);
  await call;
  expect(linesOf(own.sink.metrics(), 'effective_rate_per_minute')).toEqual([
    '{provider="openai",model="gpt-4o"} 90',
  ]);
  await Promise.all([router.close(), unlimited.router.close(), own.router.close()]);
});

test('records that another sink loses are counted', async () => {
  const stuck = { name: 'stuck', write: () => new Promise<void>(() => {}) };
  const sink = prometheusSink();
  const { router, ask, clock } = setUp({ sinks: [stuck, sink] }, sink);
  const calls = Array.from({ length: 3 }, () => ask());
  await clock.advance(1000);
  await Promise.all(calls);
  const waiting = sink.metrics();
  expect(linesOf(waiting, 'records_pending')).toEqual([
    '{sink="stuck"} 3',
    '{sink="prometheus"} 0',
  ]);
  expect(linesOf(waiting, 'records_written_total')).toContain('{sink="prometheus"} 3');
  expect(sumOf(waiting, 'events_dropped_total')).toBe(0n);
  const closing = router.close({ timeoutMs: 100 });
  await clock.advance(1000);
  await closing;
  expect(linesOf(sink.metrics(), 'events_dropped_total')).toContain(
    '{sink="stuck",reason="closed"} 3',
  );
});

test('what waits on the disk is shown, and what the disk did not take', async () => {
  const spoolDir = mkdtempSync(join(tmpdir(), 'tokenrouter-prometheus-'));
  const sink = prometheusSink();
  const { clock, router } = setUp();
  const delivery = createDelivery({
    sinks: [{ name: 'stuck', write: () => new Promise<void>(() => {}) }],
    clock,
    random: createSeededRandom(1),
    durability: 'process',
    spoolDir,
  });
  try {
    sink.attach({ snapshot: () => ({ ...router.snapshot(), delivery: delivery.snapshot() }) });
    delivery.push(sampleRecord());
    expect(Number(linesOf(sink.metrics(), 'spool_bytes')[0])).toBeGreaterThan(0);
    const unspooled = linesOf(sink.metrics(), 'unspooled_records_total');
    expect(unspooled).toContain('{reason="disk-full"} 0');
  } finally {
    const closed = delivery.close({ timeoutMs: 10 });
    await clock.advance(1000);
    await closed;
    rmSync(spoolDir, { recursive: true, force: true });
  }
});

describe('several routers on one sink', () => {
  test('are added up, and what a closed one has counted stays', async () => {
    const sink = prometheusSink();
    const first = setUp({}, sink);
    await first.clock.advance(5000);
    const second = setUp({}, sink);
    const calls = [first.ask(), second.ask(), second.ask()];
    expect(linesOf(sink.metrics(), 'active_calls')).toEqual(['3']);
    expect(linesOf(sink.metrics(), 'uptime_seconds')).toEqual(['5']);
    await Promise.all([first.clock.advance(1000), second.clock.advance(1000)]);
    await Promise.all(calls);
    expect(linesOf(sink.metrics(), 'records_written_total')).toEqual(['{sink="prometheus"} 3']);

    await first.router.close();
    expect(linesOf(sink.metrics(), 'records_written_total')).toEqual(['{sink="prometheus"} 3']);
    expect(linesOf(sink.metrics(), 'uptime_seconds')).toEqual(['1']);
    await sink.write([sampleRecord()]);
    await second.router.close();
    await expect(sink.write([sampleRecord()])).rejects.toThrow('prometheusSink: write after close');
    expect(linesOf(sink.metrics(), 'records_written_total')).toEqual(['{sink="prometheus"} 3']);
    expect(linesOf(sink.metrics(), 'uptime_seconds')).toEqual([]);
  });

  test('are forgotten when they are closed, also when nobody asks for the page', async () => {
    const sink = prometheusSink();
    const last = setUp({}, sink);
    let asked = 0;
    for (let n = 0; n < 5; n++) {
      const { router } = setUp({}, sink);
      const view: RouterView = {
        snapshot: () => {
          asked++;
          return router.snapshot();
        },
      };
      sink.attach(view);
      await router.close();
    }
    asked = 0;
    sink.metrics();
    expect(asked).toBe(1);
    sink.metrics();
    expect(asked).toBe(1);
    await last.router.close();
  });
});

describe('budgets', () => {
  type Budget = ReturnType<RouterView['snapshot']>['budgets'][number];
  const budget: Budget = {
    name: 'budgets[0]',
    window: 'day',
    limitUsd: '10',
    spentUsd: '9.5',
    reservedUsd: '0.25',
    limitTokens: 1000,
    spentTokens: 100,
    reservedTokens: 50,
    usedShare: 0.95,
    uncounted: 0,
    resetsAt: '2026-02-01T00:00:00.000Z',
  };

  function pageWith(...budgets: Budget[]): string {
    const { router, sink } = setUp();
    sink.attach({ snapshot: () => ({ ...router.snapshot(), budgets }) });
    return sink.metrics();
  }

  test('are shown by the name of their rule, whoever they are for', () => {
    const page = pageWith(
      { ...budget, key: 'tenant=acme-t' },
      {
        ...budget,
        key: 'tenant=bob-t',
        spentUsd: '1.000000000001',
        reservedUsd: '0',
        usedShare: 0.1,
      },
    );
    const place = '{budget="budgets[0]",window="day"}';
    expect(page).not.toMatch(/acme-t|bob-t/);
    expect(linesOf(page, 'budget_use_ratio')).toEqual([`${place} 0.95`]);
    expect(linesOf(page, 'budget_limit_dollars')).toEqual([`${place} 20`]);
    expect(linesOf(page, 'budget_spent_dollars')).toEqual([`${place} 10.500000000001`]);
    expect(linesOf(page, 'budget_reserved_dollars')).toEqual([`${place} 0.25`]);
    expect(linesOf(page, 'budget_remaining_dollars')).toEqual([`${place} 0.25`]);
    expect(linesOf(page, 'budget_limit_tokens')).toEqual([`${place} 2000`]);
    expect(linesOf(page, 'budget_spent_tokens')).toEqual([`${place} 200`]);
    expect(linesOf(page, 'budget_reserved_tokens')).toEqual([`${place} 100`]);
    expect(linesOf(page, 'budget_remaining_tokens')).toEqual([`${place} 850`]);
  });

  test('have no amount where they have no limit, and may be overdrawn', () => {
    const page = pageWith({ ...budget, limitTokens: undefined, spentUsd: '12', usedShare: 1.2 });
    expect(linesOf(page, 'budget_remaining_tokens')).toEqual([]);
    expect(linesOf(page, 'budget_spent_tokens')).toEqual([]);
    expect(linesOf(page, 'budget_use_ratio')[0]).toMatch(/ 1\.2$/);
    expect(linesOf(page, 'budget_remaining_dollars')[0]).toMatch(/ -2\.25$/);
  });

  test('have bounded names', () => {
    const page = pageWith(
      ...Array.from({ length: 10_000 }, (_, n) => ({ ...budget, name: `${n}` })),
    );
    expect(linesOf(page, 'budget_use_ratio')).toHaveLength(51);
  });
});
