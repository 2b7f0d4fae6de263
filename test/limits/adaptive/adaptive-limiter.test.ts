import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createAdaptiveLimiter } from '../../../src/limits/adaptive/adaptive-limiter.ts';
import type {
  Demand,
  Limiter,
  Permit,
  RequestEnd,
  VerdictKind,
} from '../../../src/limits/types.ts';
import { createSeededRandom } from '../../../src/testing/seeded-random.ts';
import type { HeaderLookup } from '../../../src/types.ts';
import { demand } from './demand.ts';

interface Given {
  readonly waiting?: () => number;
}

function limiter({ waiting = () => 0 }: Given = {}): Limiter {
  return createAdaptiveLimiter({
    clock: { wallNow: () => 0 },
    random: createSeededRandom(3),
    waiting,
    rateLimiting: undefined,
  });
}

const of =
  (headers: Readonly<Record<string, string>> = {}): HeaderLookup =>
  (name) =>
    headers[name];

/** A bucket of 60 requests a minute. */
const told = (remaining: number, limit = 60): HeaderLookup =>
  of({
    'x-ratelimit-limit-requests': String(limit),
    'x-ratelimit-remaining-requests': String(remaining),
    'x-ratelimit-reset-requests': `${((limit - remaining) * 60) / limit}s`,
  });

function ended(
  kind: VerdictKind,
  given: Partial<RequestEnd> & { retryAfterMs?: number } = {},
): RequestEnd {
  const { retryAfterMs, ...rest } = given;
  return {
    verdict: { kind, isRetryable: kind !== 'ok', retryAfterMs },
    header: undefined,
    inputTokens: undefined,
    cacheReadTokens: undefined,
    outputTokens: undefined,
    ...rest,
  };
}

/** Sends one, answered after 500 ms and done after a second. */
function call(it: Limiter, now: number, header: HeaderLookup = of()): void {
  const permit = it.admit(demand(), now);
  permit.begin(header, now + 500);
  permit.end(ended('ok', { header, inputTokens: 100, outputTokens: 50 }), now + 1000);
}

describe('a provider that nothing is known of', () => {
  test('few go before the first head, more when it stays out', () => {
    const it = limiter();
    for (let i = 0; i < 3; i++) it.admit(demand(), i);
    const fourth = it.admit(demand(), 3);
    expect(it.waitMs(demand(), 500)).toBe(500);
    expect(it.waitMs(demand(), 1000)).toBe(0);
    fourth.begin(told(50), 1100);
    expect(it.waitMs(demand(), 1100)).toBe(0);
  });

  test('each costs the same', () => {
    expect(limiter().cost?.(demand({ inputTokens: 1e6 }))).toBe(1);
  });
});

describe('a provider that tells its limits', () => {
  test('is sent what it has room for, and no more', () => {
    const it = limiter();
    call(it, 0, told(10));
    let sent = 0;
    while (it.waitMs(demand({ priority: 'urgent' }), 1100) === 0) {
      it.admit(demand(), 1100);
      sent++;
    }
    expect(sent).toBe(11);
    expect(it.snapshot(1100)).toMatchObject({
      name: 'adaptive',
      state: 'normal',
      requestsPerMinute: 60,
      inFlight: 11,
      closedMs: 0,
      meters: [{ unit: 'requests', windowMs: 60_000, limit: 60, remaining: 0 }],
    });
  });

  test('large requests cost more than small ones, around one', () => {
    const it = limiter();
    const header = of({
      'x-ratelimit-limit-tokens': '60000',
      'x-ratelimit-remaining-tokens': '59000',
    });
    for (let i = 0; i < 5; i++) call(it, i * 1000, header);
    const [small, large] = [10, 10_000].map((inputTokens) => it.cost!(demand({ inputTokens })));
    expect(small!).toBeLessThan(1);
    expect(large!).toBeGreaterThan(5);
    expect(it.cost!(demand())).toBeCloseTo(1, 0);
  });

  test('counts what is refused, and what was asked for in vain', () => {
    const it = limiter();
    for (let i = 0; i < 6; i++) call(it, i * 1000, told(50));
    for (let i = 0; i < 2; i++) {
      it.admit(demand(), 7000 + i * 2000).end(ended('rate', { header: told(50) }), 7050 + i * 2000);
    }
    expect(it.snapshot(9100).refusedShare).toBeCloseTo(0.25);
    expect(it.snapshot(80_000).refusedShare).toBe(0);
  });

  test('refuses more than it tells: then what was learnt from refusals holds too', () => {
    const it = limiter({ waiting: () => 100 });
    const arrivals: number[] = [];
    let [now, sent, refused] = [0, 0, 0];
    // 40 a minute, whatever the headers say; the last four minutes count.
    while (now < 10 * 60_000) {
      const wait = it.waitMs(demand(), now);
      if (wait > 0) {
        now += Math.min(wait, 1000);
        continue;
      }
      const permit = it.admit(demand(), now);
      const isRefused = arrivals.filter((at) => at > now - 60_000).length >= 40;
      if (!isRefused) arrivals.push(now);
      if (now > 6 * 60_000) sent++;
      if (now > 6 * 60_000 && isRefused) refused++;
      now += 50;
      if (isRefused) permit.end(ended('rate', { header: told(500, 600) }), now);
      else {
        permit.begin(told(500, 600), now);
        permit.end(ended('ok', { inputTokens: 100, outputTokens: 50 }), now);
      }
    }
    expect(refused / sent).toBeLessThan(0.1);
    expect(sent).toBeGreaterThan(100);
  });
});

describe('a refusal', () => {
  test('closes the lane for as long as it asks', () => {
    const it = limiter();
    call(it, 0, told(50));
    it.admit(demand(), 2000).end(ended('rate', { retryAfterMs: 5000, header: told(0) }), 2100);
    expect(it.waitMs(demand(), 2100)).toBeGreaterThanOrEqual(5000);
    expect(it.state).toBe('retreat');
    expect(it.snapshot(2100)).toMatchObject({ state: 'retreat' });
    expect(it.snapshot(2100).closedMs).toBeGreaterThanOrEqual(5000);
    const test = it.admit(demand(), 9000);
    expect(it.state).toBe('recover');
    test.begin(told(5), 9500);
    expect(it.state).toBe('normal');
  });

  test.each(['spent', 'aborted', 'ok'] as const)('%s is none', (kind) => {
    const it = limiter();
    call(it, 0, told(50));
    for (let i = 0; i < 10; i++) {
      it.admit(demand(), 1000 + i * 1000).end(ended(kind, { header: told(50) }), 1100 + i * 1000);
    }
    expect(it.waitMs(demand(), 11_000)).toBe(0);
    expect(it.snapshot(11_000)).toMatchObject({ state: 'normal', refusedShare: 0 });
  });
});

describe('a provider that fails', () => {
  test.each(['overload', 'failure'] as const)(
    '%s stops what is sent, and teaches nothing',
    (kind) => {
      const it = limiter();
      call(it, 0, told(50));
      for (let i = 0; i < 4; i++) it.admit(demand(), 1000).end(ended(kind, { header: of() }), 1050);
      expect(it.waitMs(demand(), 1050)).toBeGreaterThan(0);
      expect(it.snapshot(1050)).toMatchObject({ state: 'retreat', requestsPerMinute: 60 });
      expect(it.snapshot(1050).meters[0]?.remaining).toBeGreaterThanOrEqual(50);
      const now = 1050 + it.waitMs(demand(), 1050);
      expect(it.waitMs(demand(), now)).toBe(0);
      const permit = it.admit(demand(), now);
      expect(it.snapshot(now).state).toBe('recover');
      expect(it.waitMs(demand(), now)).toBeGreaterThan(0);
      permit.begin(told(50), now + 100);
      expect(it.waitMs(demand(), now + 100)).toBe(0);
    },
  );
});

describe('permits', () => {
  test('only the first end counts, and nothing after it', () => {
    const it = limiter();
    const permit = it.admit(demand(), 0);
    const other = it.admit(demand(), 0);
    expect(it.snapshot(0).inFlight).toBe(2);
    permit.end(ended('ok'), 100);
    permit.end(ended('rate'), 100);
    permit.begin(told(1), 200);
    permit.progress(1e6, 200);
    expect(it.snapshot(200)).toMatchObject({ inFlight: 1, meters: [], refusedShare: 0 });
    other.begin(told(50), 300);
    other.begin(told(10), 400);
    expect(it.snapshot(400).meters[0]?.remaining).toBeGreaterThanOrEqual(49);
  });

  test('time that goes back is no time', () => {
    const it = limiter();
    call(it, 100_000, told(0));
    it.admit(demand(), 100_100).end(ended('rate', { retryAfterMs: 2000 }), 100_200);
    const wait = it.waitMs(demand(), 101_000);
    expect(it.waitMs(demand(), 5)).toBe(wait);
    expect(it.snapshot(5).closedMs).toBeLessThan(2500);
    const permit = it.admit(demand(), 10);
    permit.begin(told(0), 3);
    permit.end(ended('ok', { outputTokens: 5 }), 0);
    expect(it.snapshot(0).inFlight).toBe(0);
    expect(it.waitMs(demand(), 101_000)).toBeGreaterThan(0);
    expect(it.waitMs(demand(), 110_000)).toBe(0);
  });
});

test('whatever happens: waiting has an end when nothing is under way, and nothing leaks', () => {
  const priority = fc.constantFrom<Demand['priority']>('urgent', 'high', 'normal', 'low');
  const step = fc.record({
    pause: fc.oneof(fc.integer({ min: -1000, max: 500 }), fc.integer({ min: 0, max: 200_000 })),
    act: fc.constantFrom('send', 'send', 'send', 'begin', 'progress', 'end', 'end'),
    which: fc.nat(1000),
    kind: fc.constantFrom<VerdictKind>(
      'ok',
      'ok',
      'rate',
      'overload',
      'failure',
      'spent',
      'aborted',
    ),
    retryAfterMs: fc.option(fc.double({ min: 0, max: 1e9, noNaN: true }), { nil: undefined }),
    limit: fc.constantFrom(0, 1, 5, 60, 10_000),
    remaining: fc.integer({ min: -1, max: 60 }),
    reset: fc.constantFrom('0s', '12ms', '1s', '59s', '6m0s', '23h0m0s', 'never', '1795176012'),
    tokens: fc.constantFrom(undefined, 0, 50, 5000, NaN),
    given: fc.record({
      priority,
      inputTokens: fc.constantFrom(0, 100, 1e7),
      maxOutputTokens: fc.constantFrom(undefined, 0, 100, 1e6),
    }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const it = limiter({ waiting: () => 5 });
      const open: Permit[] = [];
      let now = 1000;
      let latest = now;
      for (const {
        pause,
        act,
        which,
        kind,
        retryAfterMs,
        limit,
        remaining,
        reset,
        tokens,
        given,
      } of steps) {
        now = Math.max(0, now + pause);
        latest = Math.max(latest, now);
        const header = of({
          'x-ratelimit-limit-requests': String(limit),
          'x-ratelimit-remaining-requests': String(remaining),
          'x-ratelimit-reset-requests': reset,
          'anthropic-ratelimit-output-tokens-limit': String(limit * 1000),
          'anthropic-ratelimit-output-tokens-remaining': String(remaining * 1000),
        });
        const permit = open[which % Math.max(1, open.length)];
        if (act === 'send') open.push(it.admit(demand(given), now));
        else if (act === 'begin') permit?.begin(header, now);
        else if (act === 'progress') permit?.progress(which * 10, now);
        else if (permit !== undefined) {
          permit.end(
            {
              verdict: { kind, retryAfterMs, isRetryable: true },
              header: kind === 'failure' ? undefined : header,
              inputTokens: tokens,
              cacheReadTokens: tokens,
              outputTokens: tokens,
            },
            now,
          );
          open.splice(open.indexOf(permit), 1);
        }
        const wait = it.waitMs(demand(given), now);
        expect(wait).toBeGreaterThanOrEqual(0);
        if (open.length === 0) expect(wait).toBeLessThan(Infinity);
        const snapshot = it.snapshot(now);
        expect(snapshot.inFlight).toBe(open.length);
        expect(snapshot.refusedShare).toBeGreaterThanOrEqual(0);
        expect(snapshot.refusedShare).toBeLessThanOrEqual(1);
        expect(it.cost!(demand(given))).toBeGreaterThan(0);
      }
      for (const permit of open) permit.end(ended('aborted'), now);
      // Asked again whenever it said so, a request goes some day.
      now = latest;
      let asked = 0;
      for (let wait = it.waitMs(demand(), now); wait > 0; wait = it.waitMs(demand(), now)) {
        expect(wait).toBeLessThan(Infinity);
        expect(++asked).toBeLessThan(1000);
        now += wait;
      }
      expect(it.snapshot(now).inFlight).toBe(0);
    }),
    { seed: 20261120, numRuns: 150 },
  );
});
