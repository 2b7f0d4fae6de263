/**
 * Whatever requests take and however they end, no window of 60 s has more than the rule says: found by looking at every window.
 */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mostIn, saturate, type SentWork, type Work } from './saturate.ts';

const MINUTE_MS = 60_000;
const tokensOf = ({ input, output }: SentWork): number => input + output;

interface Sizes {
  readonly maxOutput: number;
  readonly maxInput: number;
  /** Whether requests say how long their answer may be. */
  readonly says: 'always' | 'never' | 'sometimes';
  /** How far off the estimate of the input may be: real tokens per estimated one. */
  readonly ratio: readonly [number, number];
}

function workOf({ maxOutput, maxInput, says, ratio }: Sizes): fc.Arbitrary<Work> {
  return fc
    .record({
      input: fc.integer({ min: 1, max: maxInput }),
      // Mostly short ones, and now and then the longest: what an average would be wrong about.
      output: fc.oneof(
        { weight: 3, arbitrary: fc.integer({ min: 0, max: Math.ceil(maxOutput / 20) }) },
        { weight: 1, arbitrary: fc.integer({ min: 0, max: maxOutput }) },
      ),
      allows: fc.integer({ min: 0, max: maxOutput }),
      isSaid: says === 'sometimes' ? fc.boolean() : fc.constant(says === 'always'),
      ratio: fc.double({ min: ratio[0], max: ratio[1], noNaN: true }),
      headMs: fc.integer({ min: 1, max: 2000 }),
      msPerToken: fc.integer({ min: 1, max: 40 }),
      fate: fc.constantFrom<Work['fate']>(
        'ok',
        'ok',
        'ok',
        'ok',
        'refused',
        'failed',
        'gone',
        'cut',
      ),
      tells: fc.constantFrom('usage', 'progress', 'both'),
      afterMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5000 })),
    })
    .map(({ tells, isSaid, allows, ratio: off, msPerToken, ...work }) => ({
      ...work,
      estimate: work.input / off,
      maxOutput: isSaid ? Math.max(work.output, allows, 1) : undefined,
      bodyMs: work.output * msPerToken,
      tellsUsage: tells !== 'progress',
      // Of an answer that was cut, nothing else is known.
      tellsProgress: tells !== 'usage' || work.fate === 'cut',
    }));
}

/** The largest that any of these can be by what it says of itself. */
function largestOf(works: readonly Work[]): number {
  return Math.max(...works.map(({ input, output, maxOutput }) => input + (maxOutput ?? output)));
}

describe('10 000 tokens a minute', () => {
  test.each([100, 600, 3000, 9000])(
    'no more than that and one reservation, with answers of up to %i tokens',
    (maxOutput) => {
      fc.assert(
        fc.property(
          fc.array(workOf({ maxOutput, maxInput: 600, says: 'always', ratio: [1, 1] }), {
            minLength: 1,
            maxLength: 60,
            size: 'max',
          }),
          (works) => {
            const sent = saturate({ tokensPerMinute: 10_000 }, works);
            expect(sent).toHaveLength(works.length);
            expect(mostIn(sent, MINUTE_MS, tokensOf)).toBeLessThanOrEqual(
              10_000 + largestOf(works),
            );
          },
        ),
        { seed: 4 },
      );
    },
  );

  test.each(['never', 'sometimes'] as const)(
    'also when requests say %s how long their answer may be, and estimates are off',
    (says) => {
      fc.assert(
        fc.property(
          fc.array(workOf({ maxOutput: 2000, maxInput: 600, says, ratio: [0.7, 1.4] }), {
            minLength: 1,
            maxLength: 60,
            size: 'max',
          }),
          (works) => {
            const sent = saturate({ tokensPerMinute: 10_000 }, works);
            expect(mostIn(sent, MINUTE_MS, tokensOf)).toBeLessThanOrEqual(
              10_000 + largestOf(works),
            );
          },
        ),
        { seed: 4 },
      );
    },
  );

  test('to the token, where answers are as long as they may be', () => {
    const work = workOf({ maxOutput: 0, maxInput: 600, says: 'always', ratio: [1, 1] });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 900 }),
        fc.array(work, { minLength: 1, maxLength: 60, size: 'max' }),
        (output, works) => {
          const whole = works.map((each) => ({
            ...each,
            output,
            maxOutput: output,
            bodyMs: output * 10,
            fate: each.fate === 'cut' ? ('ok' as const) : each.fate,
          }));
          const sent = saturate({ tokensPerMinute: 10_000 }, whole);
          expect(mostIn(sent, MINUTE_MS, tokensOf)).toBeLessThanOrEqual(10_000);
        },
      ),
      { seed: 4 },
    );
  });
});

describe('everything at once', () => {
  test('requests and concurrency hold to the last one, and nobody waits for ever', () => {
    const rule = fc.record({
      requestsPerMinute: fc.integer({ min: 1, max: 20 }),
      concurrency: fc.integer({ min: 1, max: 6 }),
      tokensPerMinute: fc.integer({ min: 100, max: 20_000 }),
      tokensPerDay: fc.integer({ min: 1000, max: 200_000 }),
    });
    const work = workOf({ maxOutput: 3000, maxInput: 3000, says: 'sometimes', ratio: [0.5, 2] });
    fc.assert(
      fc.property(
        rule,
        fc.array(work, { minLength: 1, maxLength: 40, size: 'max' }),
        (limits, works) => {
          let mostInFlight = 0;
          const sent = saturate(limits, works, ({ inFlight }) => {
            mostInFlight = Math.max(mostInFlight, inFlight);
          });
          expect(sent).toHaveLength(works.length);
          expect(mostInFlight).toBeLessThanOrEqual(limits.concurrency);
          expect(mostIn(sent, MINUTE_MS, () => 1)).toBeLessThanOrEqual(limits.requestsPerMinute);
        },
      ),
      { seed: 4 },
    );
  });
});

describe('what is allowed is used', () => {
  const tiny: Work = {
    estimate: 10,
    maxOutput: 10,
    input: 10,
    output: 10,
    headMs: 300,
    bodyMs: 100,
    fate: 'ok',
    tellsUsage: true,
    tellsProgress: false,
    afterMs: 0,
  };

  test.each([
    ['in one burst', { requestsPerMinute: 60 }, 0, 60],
    ['one a second', { requestsPerMinute: 50 }, 1000, 50],
    ['in one burst', { tokensPerMinute: 2000 }, 0, 100],
    ['two a second', { tokensPerMinute: 2000 }, 500, 100],
  ])('%s: %j', (_, rule, afterMs, perMinute) => {
    const works = Array.from({ length: perMinute * 12 }, () => ({ ...tiny, afterMs }));
    const sent = saturate(rule, works);
    const soFar = sent.filter(({ at }) => at < 10 * MINUTE_MS).length;
    expect(soFar).toBeGreaterThanOrEqual(10 * perMinute * 0.97);
    expect(mostIn(sent, MINUTE_MS, () => 1)).toBeLessThanOrEqual(perMinute);
  });
});
