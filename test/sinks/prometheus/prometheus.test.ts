import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { prometheusSink } from '../../../adapters/sinks/prometheus/index.ts';
import { sampleRecord, sinkContract } from '../../../src/testing/index.ts';
import type { Outcome, UsageRecord } from '../../../src/types.ts';
import { linesOf, readPage, sumOf } from './page.ts';

/** It keeps no records, so the suite sees the ids that it was given, as many of them as it has counted. */
function countedIds() {
  const sink = prometheusSink();
  const given = new Set<string>();
  return {
    sink: {
      ...sink,
      async write(records: readonly UsageRecord[]) {
        const batch = records.map(({ id }) => id);
        await sink.write(records);
        for (const id of batch) given.add(id);
      },
    },
    async readAll() {
      assert.equal(Number(sumOf(sink.metrics(), 'requests_total')), given.size);
      return [...given];
    },
    dispose: async () => undefined,
  };
}

describe('prometheusSink keeps the sink contract', () => {
  test.each(sinkContract({ create: async () => countedIds() }))('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});

async function pageOf(...records: Array<Partial<UsageRecord>>): Promise<string> {
  const sink = prometheusSink({ models: ['gpt-4o-mini'] });
  await sink.write(records.map((record) => sampleRecord(record)));
  return sink.metrics();
}

const unknown = { inputTokens: {}, outputTokens: {}, grade: 'none' } as const;

describe('a call', () => {
  test('counts once, by how it ended', async () => {
    const page = await pageOf(
      {},
      {},
      { outcome: 'server_error', api: 'responses', context: { priority: 'low' } },
    );
    expect(linesOf(page, 'requests_total')).toEqual([
      '{provider="openai",api="chat.completions",model="gpt-4o-mini",priority="normal",outcome="ok"} 2',
      '{provider="openai",api="responses",model="gpt-4o-mini",priority="low",outcome="server_error"} 1',
    ]);
  });

  test('has its duration in buckets', async () => {
    const page = await pageOf(
      { timing: { queuedMs: 0, heldMs: 0, durationMs: 820.25 } },
      { timing: { queuedMs: 0, heldMs: 0, durationMs: 1000 } },
      { timing: { queuedMs: 0, heldMs: 0, durationMs: 400_000.000001 } },
    );
    const labels = 'provider="openai",api="chat.completions",model="gpt-4o-mini",outcome="ok"';
    const buckets = linesOf(page, 'request_duration_seconds_bucket');
    expect(buckets).toHaveLength(15);
    expect(buckets[4]).toBe(`{${labels},le="0.5"} 0`);
    expect(buckets[5]).toBe(`{${labels},le="1"} 2`);
    expect(buckets[13]).toBe(`{${labels},le="320"} 2`);
    expect(buckets[14]).toBe(`{${labels},le="+Inf"} 3`);
    expect(linesOf(page, 'request_duration_seconds_sum')).toEqual([`{${labels}} 401.820250001`]);
    expect(linesOf(page, 'request_duration_seconds_count')).toEqual([`{${labels}} 3`]);
  });

  test('has its wait, and as a stream its first byte', async () => {
    const timing = { queuedMs: 1500, heldMs: 0, timeToFirstChunkMs: 300, durationMs: 4000 };
    const page = await pageOf({ timing, stream: true }, { timing });
    expect(linesOf(page, 'queue_wait_seconds_sum')).toEqual([
      '{provider="openai",priority="normal"} 3',
    ]);
    expect(linesOf(page, 'time_to_first_chunk_seconds_sum')).toEqual([
      '{provider="openai",model="gpt-4o-mini"} 0.3',
    ]);
  });

  test('has upper bounds of the user’s own', async () => {
    const sink = prometheusSink({ buckets: [0.5, 2] });
    await sink.write([sampleRecord()]);
    expect(linesOf(sink.metrics(), 'request_duration_seconds_bucket')).toEqual([
      expect.stringMatching(/le="0\.5"\} 0$/),
      expect.stringMatching(/le="2"\} 1$/),
      expect.stringMatching(/le="\+Inf"\} 1$/),
    ]);
  });
});

describe('requests to providers', () => {
  const requests = '{provider="openai",api="chat.completions",outcome=';

  test('are counted by the attempt of the final record', async () => {
    const page = await pageOf({ attempt: 3 }, { attempt: 1 }, { attempt: 0, outcome: 'rejected' });
    expect(linesOf(page, 'upstream_requests_total')).toEqual([
      `${requests}"ok"} 2`,
      `${requests}"retried"} 2`,
    ]);
  });

  test('of an earlier attempt count tokens, cost and its error, and no call', async () => {
    const page = await pageOf({ final: false, outcome: 'truncated', attempt: 1 }, { attempt: 2 });
    expect(sumOf(page, 'requests_total')).toBe(1n);
    expect(sumOf(page, 'upstream_requests_total')).toBe(2n);
    expect(sumOf(page, 'tokens_total')).toBe(2n * 1250n);
    expect(sumOf(page, 'cost_dollars_total', '', 12)).toBe(2n * 135_000_000n);
    expect(linesOf(page, 'provider_errors_total')).toEqual([
      '{provider="openai",api="chat.completions",model="gpt-4o-mini",outcome="truncated"} 1',
    ]);
  });

  test.each<[Outcome, number]>([
    ['ok', 0],
    ['aborted', 0],
    ['rejected', 0],
    ['client_error', 1],
    ['rate_limited', 1],
    ['overloaded', 1],
    ['server_error', 1],
    ['network_error', 1],
    ['timeout', 1],
    ['stalled', 1],
    ['truncated', 1],
  ])('%s is a provider’s error: %i', async (outcome, errors) => {
    expect(sumOf(await pageOf({ outcome }), 'provider_errors_total')).toBe(BigInt(errors));
  });

  test('that were not sent are no error of the provider', async () => {
    const page = await pageOf({
      outcome: 'server_error',
      attempt: 0,
      dedupe: { role: 'follower' },
    });
    expect(linesOf(page, 'provider_errors_total')).toEqual([]);
  });
});

describe('tokens', () => {
  const tokens = '{provider="openai",api="chat.completions",model="gpt-4o-mini",type=';

  test('are counted in types that do not overlap', async () => {
    const usage = {
      inputTokens: {
        total: 1000,
        uncached: 100,
        cacheRead: 600,
        cacheWrite: 200,
        cacheWrite1h: 100,
      },
      outputTokens: { total: 50, reasoning: 20 },
      grade: 'exact' as const,
    };
    const page = await pageOf({ usage }, { usage });
    expect(linesOf(page, 'tokens_total')).toEqual([
      `${tokens}"uncached"} 200`,
      `${tokens}"cache_read"} 1200`,
      `${tokens}"cache_write"} 400`,
      `${tokens}"cache_write_1h"} 200`,
      `${tokens}"output"} 100`,
    ]);
    expect(sumOf(page, 'reasoning_tokens_total')).toBe(40n);
  });

  test('of an unknown kind are uncached, and unknown ones are in no series', async () => {
    const page = await pageOf(
      { usage: { inputTokens: { total: 10, cacheRead: 4 }, outputTokens: {}, grade: 'partial' } },
      { usage: unknown },
    );
    expect(linesOf(page, 'tokens_total')).toEqual([
      `${tokens}"uncached"} 6`,
      `${tokens}"cache_read"} 4`,
    ]);
  });

  test('are exact above 2^53', async () => {
    const usage = {
      inputTokens: { total: Number.MAX_SAFE_INTEGER, uncached: Number.MAX_SAFE_INTEGER },
      outputTokens: { total: 1 },
      grade: 'exact' as const,
    };
    const page = await pageOf({ usage }, { usage }, { usage });
    expect(linesOf(page, 'tokens_total')[0]).toBe(`${tokens}"uncached"} 27021597764222973`);
  });

  test('that are no count of tokens are left out', async () => {
    const usage = {
      inputTokens: { total: 1e300, uncached: NaN, cacheRead: -5, cacheWrite: Infinity },
      outputTokens: { total: 7 },
      grade: 'partial' as const,
    };
    expect(linesOf(await pageOf({ usage }), 'tokens_total')).toEqual([`${tokens}"output"} 7`]);
  });
});

describe('the prompt cache', () => {
  const reading = (cacheRead: number | undefined): UsageRecord['usage'] => ({
    inputTokens: { total: 2000, cacheRead },
    outputTokens: {},
    grade: 'partial',
  });
  const missed = (lostTokens: number): UsageRecord['cache'] => ({
    prefix: 'x',
    marks: 1,
    miss: { reason: 'system-changed', lostTokens },
  });
  const labels = 'provider="openai",api="chat.completions",model="gpt-4o-mini"';

  test('is hit where something was read', async () => {
    const page = await pageOf({ usage: reading(1000) }, { usage: reading(0) });
    expect(linesOf(page, 'cache_hits_total')).toEqual([`{${labels}} 1`]);
    expect(linesOf(page, 'cache_misses_total')).toEqual([`{${labels},reason="nothing-to-read"} 1`]);
  });

  test('is missed for a reason', async () => {
    const page = await pageOf({ usage: reading(0), cache: missed(1500) });
    expect(linesOf(page, 'cache_hits_total')).toEqual([`{${labels}} 0`]);
    expect(linesOf(page, 'cache_misses_total')).toEqual([`{${labels},reason="system-changed"} 1`]);
    expect(linesOf(page, 'cache_lost_tokens_total')).toEqual([
      '{provider="openai",model="gpt-4o-mini",reason="system-changed"} 1500',
    ]);
  });

  test('that gave less than it could have is hit, and the rest is lost', async () => {
    const page = await pageOf({ usage: reading(500), cache: missed(1000) });
    expect(sumOf(page, 'cache_hits_total')).toBe(1n);
    expect(sumOf(page, 'cache_misses_total')).toBe(0n);
    expect(sumOf(page, 'cache_lost_tokens_total')).toBe(1000n);
  });

  test('of which nothing is known is neither', async () => {
    const page = await pageOf({ usage: reading(undefined) }, { usage: unknown });
    expect(linesOf(page, 'cache_hits_total')).toEqual([]);
    expect(linesOf(page, 'cache_misses_total')).toEqual([]);
  });
});

describe('money', () => {
  const priced = (usd: string | null): UsageRecord['cost'] => ({ usd, price: 'exact' });

  test('is added up to the last pico-dollar', async () => {
    const page = await pageOf(
      { cost: priced('0.000000000001') },
      { cost: priced('9007199254740993') },
      { cost: priced('0.1') },
      { cost: priced('0.2') },
    );
    expect(linesOf(page, 'cost_dollars_total')).toEqual([
      '{provider="openai",api="chat.completions",model="gpt-4o-mini"} 9007199254740993.300000000001',
    ]);
  });

  test.each<[string, UsageRecord['cost']]>([
    ['unknown', priced(null)],
    ['finer than a pico-dollar', priced('0.0000000000001')],
    ['no number', priced('much')],
  ])('that is %s is no cost, and counted as such', async (_what, cost) => {
    const page = await pageOf({ cost });
    expect(linesOf(page, 'cost_dollars_total')).toEqual([]);
    expect(sumOf(page, 'unpriced_records_total')).toBe(1n);
  });

  test('is not missing where there was nothing to pay for', async () => {
    const page = await pageOf({ cost: priced(null), usage: unknown, outcome: 'network_error' });
    expect(linesOf(page, 'unpriced_records_total')).toEqual([]);
  });

  test('that is saved and lost goes up in two counters', async () => {
    const page = await pageOf(
      { saved: { cacheUsd: '0.5' } },
      { saved: { cacheUsd: '-0.125' } },
      { saved: { dedupeUsd: '2', cacheUsd: '0' } },
      { saved: {} },
    );
    expect(linesOf(page, 'saved_dollars_total')).toEqual([
      '{provider="openai",source="cache"} 0.5',
      '{provider="openai",source="dedupe"} 2',
    ]);
    expect(linesOf(page, 'cache_loss_dollars_total')).toEqual(['{provider="openai"} 0.125']);
  });
});

describe('shared answers', () => {
  test('are counted by role', async () => {
    const page = await pageOf(
      { dedupe: { role: 'leader' } },
      { dedupe: { role: 'follower' } },
      { dedupe: { role: 'follower' } },
      { dedupe: { role: 'cache' } },
      {},
    );
    expect(linesOf(page, 'dedupe_hits_total')).toEqual([
      '{provider="openai",role="follower"} 2',
      '{provider="openai",role="cache"} 1',
    ]);
    expect(linesOf(page, 'dedupe_timeouts_total')).toEqual(['{provider="openai"} 0']);
  });

  test.each<[Partial<UsageRecord>, number]>([
    [{ outcome: 'timeout' }, 1],
    [{ outcome: 'stalled', errorCode: 'ERR_STREAM_STALLED' }, 1],
    [{ outcome: 'aborted', errorCode: 'ERR_SLOW_READER' }, 1],
    [{ outcome: 'rejected', errorCode: 'ERR_DEADLINE' }, 1],
    [{ outcome: 'aborted' }, 0],
    [{ outcome: 'server_error' }, 0],
  ])('that end with %o came too late: %i', async (how, late) => {
    const page = await pageOf({ ...how, dedupe: { role: 'follower' } });
    expect(sumOf(page, 'dedupe_timeouts_total')).toBe(BigInt(late));
    const alone = await pageOf({ ...how, dedupe: { role: 'leader' } });
    expect(sumOf(alone, 'dedupe_timeouts_total')).toBe(0n);
  });
});

test('a record counts once among the latest 20,000, and is forgotten before 40,000 more', async () => {
  const sink = prometheusSink();
  const count = async () => Number(sumOf(sink.metrics(), 'requests_total'));
  const first = sampleRecord();
  await sink.write([first, first]);
  await sink.write([first]);
  expect(await count()).toBe(1);
  await sink.write(Array.from({ length: 19_999 }, () => sampleRecord()));
  await sink.write([first]);
  expect(await count()).toBe(20_000);
  await sink.write(Array.from({ length: 40_000 }, () => sampleRecord()));
  await sink.write([first]);
  expect(await count()).toBe(60_001);
});

const amount = fc.bigInt({ min: 0n, max: 10n ** 20n });
const tokens = fc.option(fc.nat({ max: 10 ** 9 }), { nil: undefined });

test('what is counted is what the records say, in whatever batches they come', async () => {
  const record = fc.record({
    cost: fc.option(amount, { nil: null }),
    uncached: tokens,
    output: tokens,
    provider: fc.constantFrom('openai', 'anthropic', 'a "host"'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(record)), async (batches) => {
      const sink = prometheusSink();
      let dollars = 0n;
      let used = 0n;
      for (const batch of batches) {
        const records = batch.map(({ cost, uncached, output, provider }) => {
          dollars += cost ?? 0n;
          used += BigInt(uncached ?? 0) + BigInt(output ?? 0);
          const digits = String(cost).padStart(13, '0');
          const usd = cost === null ? null : `${digits.slice(0, -12)}.${digits.slice(-12)}`;
          return sampleRecord({
            provider,
            cost: { usd, price: usd === null ? 'unpriced' : 'exact' },
            usage: {
              inputTokens: { total: uncached, uncached },
              outputTokens: { total: output },
              grade: 'exact',
            },
          });
        });
        await sink.write(records);
        await sink.write(records);
      }
      const page = sink.metrics();
      expect(sumOf(page, 'cost_dollars_total', '', 12)).toBe(dollars);
      expect(sumOf(page, 'tokens_total')).toBe(used);
      expect(sumOf(page, 'requests_total')).toBe(BigInt(batches.flat().length));
    }),
    { numRuns: 50 },
  );
});

describe('the page', () => {
  test('is what its content type says', async () => {
    const sink = prometheusSink({ prefix: 'my_app' });
    await sink.write([sampleRecord()]);
    const response = sink.handler(new Request('http://localhost/metrics'));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const page = await response.text();
    expect([...readPage(page).keys()].filter((key) => !key.startsWith('my_app_'))).toEqual([]);
    expect(page).toMatch(
      /^# HELP my_app_requests_total .+\n# TYPE my_app_requests_total counter\n/,
    );
    expect(page.endsWith('\n')).toBe(true);
  });

  test('is for those who read', async () => {
    const { handler } = prometheusSink();
    const head = handler(new Request('http://localhost/metrics', { method: 'HEAD' }));
    expect([head.status, await head.text()]).toEqual([200, '']);
    const post = handler(new Request('http://localhost/metrics', { method: 'POST' }));
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  test('is there after close', async () => {
    const sink = prometheusSink();
    await sink.write([sampleRecord()]);
    await sink.close?.();
    expect(sumOf(sink.metrics(), 'requests_total')).toBe(1n);
  });
});

test.each<[string, unknown]>([
  ['prefix', ''],
  ['prefix', '1x'],
  ['prefix', 'a-b'],
  ['prefix', 5],
  ['models', 'gpt-4o'],
  ['models', [1]],
  ['buckets', []],
  ['buckets', [1, 1]],
  ['buckets', [0, 1]],
  ['buckets', [2, 1]],
  ['buckets', [1, Infinity]],
  ['buckets', '1'],
  ['client', {}],
  ['client', null],
])('refuses %s %j', (option, value) => {
  expect(() => prometheusSink({ [option]: value })).toThrow(
    expect.objectContaining({
      code: 'ERR_OPTIONS',
      message: expect.stringMatching(`^prometheusSink: ${option} must be .+, got `),
    }),
  );
});
