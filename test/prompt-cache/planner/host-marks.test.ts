import { describe, expect, test } from 'vitest';
import { conversation, costOf, expectNoSurprise, leastCost, times } from './conversations.ts';
import { play, turn, type Piece, type Sent } from './play.ts';
import { FIVE_MINUTES, MARKS, ONE_HOUR } from './rules.ts';

describe('the user’s word', () => {
  test.each([
    ['5m', FIVE_MINUTES],
    ['1h', ONE_HOUR],
  ])('a lifetime of %s: no other is asked for', (ttl, lifetime) => {
    const rules = { ...MARKS, lifetimes: [lifetime] };
    const pauses = Array.from({ length: 20 }, (_, i) => (i % 4 === 3 ? 900 : 10));
    const played = play(conversation({ pauses }), { rules });
    expectNoSurprise(played);
    const marks = played.flatMap(({ draft }) => draft.marks);
    expect(new Set(marks.map((mark) => mark.ttl))).toEqual(new Set([ttl]));
  });

  test('lifetimes of the host’s marks go with a forced one: the request is not refused', () => {
    for (const [lifetime, mark] of [
      [FIVE_MINUTES, '1h'],
      [ONE_HOUR, '5m'],
    ] as const) {
      const rules = { ...MARKS, lifetimes: [lifetime] };
      const requests = conversation({ pauses: times(5, 10) }).map(({ at, blocks }) => ({
        at,
        blocks: blocks.map((block, i) => (i === 2 ? { ...block, mark } : block)),
      }));
      for (const { result } of play(requests, { rules })) expect(result.refusal).toBeUndefined();
    }
  });

  test('marks of the host stay, are counted, and what they keep is expected', () => {
    // System prompt, and the ends of the last two turns, as some agents do.
    const requests = conversation({ pauses: times(15, 10) }).map(({ at, blocks }) => {
      const ends = blocks.flatMap(({ endsTurn = false }, i) => (endsTurn ? [i] : [])).slice(-2);
      return {
        at,
        blocks: blocks.map((block, i): Piece =>
          i === 1 || ends.includes(i) ? { ...block, mark: '5m' } : block,
        ),
      };
    });
    const played = play(requests);
    expectNoSurprise(played);
    for (const { result, draft } of played) {
      expect(result.refusal).toBeUndefined();
      expect(draft.marks.length + draft.sight.hostMarks.length).toBeLessThanOrEqual(4);
    }
    expect(costOf(played) / leastCost(requests)).toBeLessThan(1.05);
  });

  test('four marks of the host leave no place: what they do not find is not expected', () => {
    const four = (at: number, blocks: readonly Piece[]): Sent => ({
      at,
      blocks: blocks.map((block, i) =>
        i >= 2 && i < 6 ? { ...block, mark: '5m' as const } : block,
      ),
    });
    const own = conversation({ pauses: times(4, 10), sizes: () => times(30, 100) });
    const last = own.at(-1)!;
    const played = play([...own, four(last.at + 10, [...last.blocks, ...turn('more', [100])])]);
    expectNoSurprise(played);
  });
});
