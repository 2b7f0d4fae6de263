/** What the planner expects to be read is what a provider with the same rules reads, request by request. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anthropicCache } from '../../../src/testing/simulate/cache/index.ts';
import { FIRST_BYTE, piece, play, turn, type Piece, type Played, type Sent } from './play.ts';
import { MARKS } from './rules.ts';

/** Applications with their tools and system prompts; some too short for the cache. */
const HEADS: ReadonlyArray<readonly Piece[]> = [
  [],
  [piece('system', 'short', 300)],
  [piece('tools', 't1', 1500), piece('tools', 't2', 900), piece('system', 'agent', 2500)],
  [piece('tools', 't1', 1500), piece('tools', 't2', 900), piece('system', 'other', 700)],
  [piece('system', 'one', 1100), piece('system', 'two', 1100), piece('system', 'three', 1100)],
];

/** Quarters of a second, so that sums are exact and lifetimes end to the moment. */
const quarters = (max: number): fc.Arbitrary<number> => fc.nat(4 * max).map((n) => n / 4);
const gap = fc.oneof(
  quarters(3),
  fc.constantFrom(0.5, 1, 20, 150, 299, 300, 301, 900, 3599, 3600, 4000),
);
const sizes = fc.oneof(
  fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 3 }),
  fc.array(fc.integer({ min: 20, max: 400 }), { minLength: 1, maxLength: 30 }),
);

/**
 * Conversations side by side, some of which share documents. `wild` ones go back a turn and go on otherwise, or send the next
 * turn before they were answered.
 */
const traffic = (isWild: boolean): fc.Arbitrary<Sent[]> =>
  fc
    .array(
      fc.record({
        head: fc.nat(HEADS.length - 1),
        startsAt: fc.oneof(fc.constantFrom(0, 0.2, 1, 100), quarters(2000)),
        document: fc.option(fc.nat(1), { nil: undefined }),
        turns: fc.array(fc.record({ gap, sizes, goesBack: fc.integer({ min: 0, max: 9 }) }), {
          minLength: 1,
          maxLength: 10,
        }),
      }),
      { minLength: 1, maxLength: 6 },
    )
    .map((conversations) =>
      conversations.flatMap(({ head, startsAt, document, turns }, number) => {
        let at = startsAt;
        const start: readonly Piece[] = [
          ...HEADS[head]!,
          ...(document === undefined ? [] : [piece('messages', `document ${document}`, 4000)]),
        ];
        let said: readonly Piece[] = [];
        let before: readonly Piece[] = [];
        return turns.map(({ gap: pause, sizes: of, goesBack }, i): Sent => {
          if (isWild && goesBack === 0) said = before;
          before = said;
          // A first message of many parts may be kept at a part that is no position in the next request.
          said = [...said, ...turn(`${number} ${i}`, said.length === 0 ? of.slice(0, 3) : of)];
          at += isWild ? pause : Math.max(pause, 2 * FIRST_BYTE);
          return { at, blocks: [...start, ...said], ...(!isWild && { conversation: number }) };
        });
      }),
    );

function surprises(played: readonly Played[]): unknown[] {
  return played
    .filter(
      ({ draft, result }) => result.refusal !== undefined || draft.expectedRead !== result.read,
    )
    .map(({ draft, result, sent }) => ({
      at: sent.at,
      expected: draft.expectedRead,
      read: result.read,
      refusal: result.refusal,
    }));
}

describe('expected reads', () => {
  test('requests wait for each other: never a surprise', () => {
    let read = 0;
    fc.assert(
      fc.property(traffic(false), (requests) => {
        const played = play(requests);
        expect(surprises(played)).toEqual([]);
        for (const { result } of played) read += result.read;
      }),
      { numRuns: Number(process.env['RUNS'] ?? 300) },
    );
    expect(read).toBeGreaterThan(0);
  });

  test.each([true, false])('any traffic, with waits %s: never less than expected', (waits) => {
    fc.assert(
      fc.property(traffic(true), (requests) => {
        for (const { draft, result } of play(requests, { waits })) {
          expect(result.refusal).toBeUndefined();
          expect(result.read).toBeGreaterThanOrEqual(draft.expectedRead);
        }
      }),
      { numRuns: Number(process.env['RUNS'] ?? 300) },
    );
  });

  test('a provider that refreshes only what was read is never a refusal', () => {
    fc.assert(
      fc.property(traffic(true), (requests) => {
        const cache = anthropicCache({ minTokens: MARKS.minTokens, refresh: 'hit-only' });
        for (const { result } of play(requests, { cache })) expect(result.refusal).toBeUndefined();
      }),
    );
  });

  test('what is written is what was expected to be', () => {
    fc.assert(
      fc.property(traffic(false), (requests) => {
        for (const { draft, result } of play(requests)) {
          const expected = { '5m': 0, '1h': 0 };
          for (const [{ ttl }, tokens] of draft.expectedWrites) {
            if (ttl !== '30m') expected[ttl] += tokens;
          }
          expect({ '5m': result.write5m, '1h': result.write1h }).toEqual(expected);
        }
      }),
    );
  });
});
