import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Verdict, VerdictKind } from '../../src/limits/types.ts';
import {
  retryDecision,
  type FailedAttempt,
  type RetryDecision,
} from '../../src/retry/retry-decision.ts';
import { retrySettings, type RetryOptions } from '../../src/retry/settings.ts';

const retryable = (kind: VerdictKind, retryAfterMs?: number): Verdict => ({
  kind,
  retryAfterMs,
  isRetryable: true,
});

function decide(
  failed: Partial<FailedAttempt> & Pick<FailedAttempt, 'verdict'>,
  options: RetryOptions = {},
  random = 0,
): RetryDecision {
  return retryDecision(
    { number: 1, elapsedMs: 0, deadlineMs: undefined, isPaced: true, ...failed },
    retrySettings(options),
    () => random,
  );
}

const again = (delayMs: number): RetryDecision => ({ next: 'again', delayMs });
const OVER = { next: 'over' };
const LEAVE = { next: 'leave' };

describe('whether', () => {
  test('what may help is tried three times', () => {
    const verdict = retryable('failure');
    expect([1, 2, 3, 4].map((number) => decide({ verdict, number }).next)).toEqual([
      'again',
      'again',
      'over',
      'over',
    ]);
    expect(decide({ verdict, number: 4 }, { maxAttempts: 5 }).next).toBe('again');
  });

  test('what does not help is nobody’s business here, but for what is used up', () => {
    expect(decide({ verdict: { kind: 'ok', isRetryable: false } })).toEqual(LEAVE);
    expect(decide({ verdict: { kind: 'rate', isRetryable: false } })).toEqual(LEAVE);
    expect(decide({ verdict: { kind: 'failure', isRetryable: false } })).toEqual(LEAVE);
    expect(decide({ verdict: { kind: 'aborted', isRetryable: false } })).toEqual(LEAVE);
    expect(decide({ verdict: { kind: 'spent', isRetryable: false } })).toEqual(OVER);
  });

  test('no attempt begins later than it may', () => {
    const verdict = retryable('failure');
    const options = { maxElapsedMs: 10_000 };
    expect(decide({ verdict, elapsedMs: 9500 }, options)).toEqual(again(500));
    expect(decide({ verdict, elapsedMs: 9501 }, options)).toEqual(OVER);
    expect(decide({ verdict, elapsedMs: 100, deadlineMs: 500 })).toEqual(OVER);
    expect(decide({ verdict, elapsedMs: 0, deadlineMs: 500 })).toEqual(again(500));
  });

  test('an answer now, where the provider asks for more time than there is', () => {
    const verdict = retryable('rate', 30_000);
    expect(decide({ verdict }, { maxElapsedMs: 29_999 })).toEqual(OVER);
    expect(decide({ verdict }, { maxElapsedMs: 30_000 })).toEqual(again(0));
    expect(decide({ verdict, deadlineMs: 20_000 })).toEqual(OVER);
  });
});

describe('when', () => {
  test('after a refusal for the rate, the limiter says', () => {
    expect(decide({ verdict: retryable('rate', 5000) })).toEqual(again(0));
    expect(decide({ verdict: retryable('rate') })).toEqual(again(0));
  });

  test('without a limiter that does, and after anything else: half a second, twice as long each time, at most 8 s', () => {
    for (const kind of ['overload', 'failure', 'ok'] as const) {
      const delays = [1, 2, 3, 4, 5, 6, 60].map((number) =>
        decide({ verdict: retryable(kind), number }, { maxAttempts: 100 }),
      );
      expect(delays).toEqual([500, 1000, 2000, 4000, 8000, 8000, 8000].map(again));
    }
    expect(decide({ verdict: retryable('rate'), isPaced: false })).toEqual(again(500));
  });

  test('spread over the second half of it', () => {
    const verdict = retryable('overload');
    expect(decide({ verdict }, {}, 0.5)).toEqual(again(375));
    expect(decide({ verdict }, {}, 0.75)).toEqual(again(312.5));
  });

  test('never before the provider said, and spread behind that', () => {
    const verdict = retryable('overload', 5000);
    expect(decide({ verdict })).toEqual(again(5000));
    expect(decide({ verdict }, {}, 0.5)).toEqual(again(5250));
    expect(decide({ verdict: retryable('rate', 100), isPaced: false })).toEqual(again(500));
  });
});

test('never too often, too early or too late', () => {
  const attempt = fc.record({
    verdict: fc.record({
      kind: fc.constantFrom<VerdictKind>('ok', 'rate', 'overload', 'failure', 'spent', 'aborted'),
      isRetryable: fc.boolean(),
      retryAfterMs: fc.option(fc.double({ min: 0, max: 120_000, noNaN: true }), { nil: undefined }),
    }),
    number: fc.integer({ min: 1, max: 120 }),
    elapsedMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
    deadlineMs: fc.option(fc.double({ min: 1, max: 1e6, noNaN: true }), { nil: undefined }),
    isPaced: fc.boolean(),
  });
  const options = fc.record(
    {
      maxAttempts: fc.integer({ min: 1, max: 100 }),
      maxElapsedMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(
      attempt,
      options,
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (failed, given, random) => {
        const settings = retrySettings(given);
        const decision = retryDecision(failed, settings, () => random);
        if (decision.next !== 'again') return;
        const { verdict, number, elapsedMs, deadlineMs = Infinity, isPaced } = failed;
        expect(verdict.isRetryable && verdict.kind !== 'spent').toBe(true);
        expect(number).toBeLessThan(settings.maxAttempts);
        const { retryAfterMs = 0 } = verdict;
        const waits = verdict.kind === 'rate' && isPaced ? 0 : retryAfterMs;
        expect(decision.delayMs).toBeGreaterThanOrEqual(waits);
        expect(decision.delayMs).toBeLessThanOrEqual(Math.max(8000, retryAfterMs + 500));
        expect(elapsedMs + decision.delayMs).toBeLessThanOrEqual(
          Math.min(settings.maxElapsedMs, deadlineMs),
        );
      },
    ),
  );
});
