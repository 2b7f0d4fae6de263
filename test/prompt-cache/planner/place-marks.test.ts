import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Candidate } from '../../../src/prompt-cache/planner/decide.ts';
import {
  placeMarks,
  type HostMark,
  type Placement,
} from '../../../src/prompt-cache/planner/place-marks.ts';
import type { CacheRules, Lifetime, Ttl } from '../../../src/prompt-cache/types.ts';
import { always, ENDINGS, FIVE_MINUTES, MARKS, odds, ONE_HOUR } from './rules.ts';

const ONLY_SHORT: CacheRules = { ...MARKS, lifetimes: [FIVE_MINUTES] };
const ONLY_LONG: CacheRules = { ...MARKS, lifetimes: [ONE_HOUR] };

interface Given extends Placement {
  readonly markable: ReadonlySet<number>;
}

/** Legal decisions and host marks, candidates anywhere among the blocks, some of which take no mark. */
const placements: fc.Arbitrary<Given> = fc
  .record({
    rules: fc.constantFrom(MARKS, MARKS, ONLY_SHORT, ONLY_LONG),
    parts: fc.array(
      fc.record({
        blocks: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 30 })),
        tokens: fc.integer({ min: 1, max: 3000 }),
        odds,
        takesMark: fc.boolean().map((one) => one || undefined),
        isMarkable: fc.integer({ min: 0, max: 4 }).map((n) => n > 0),
      }),
      { minLength: 1, maxLength: 8 },
    ),
    longs: fc.nat(8),
    shorts: fc.nat(8),
    read: fc.nat(8),
    hosts: fc.array(fc.nat(100), { maxLength: 4 }),
    hostLongs: fc.nat(4),
  })
  .map(({ rules, parts, longs, shorts, read, hosts, hostLongs }) => {
    let block = -1;
    let tokens = 0;
    const candidates = parts.map((part): Candidate => {
      block += part.blocks;
      tokens += part.tokens;
      return { block, tokens, odds: part.odds, later: part.odds, grows: false };
    });
    const markable = new Set(
      candidates.filter((_, i) => parts[i]!.isMarkable).map((one) => one.block),
    );
    const hostMarks = [...new Set(hosts.map((place) => place % (block + 1)))]
      .sort((a, b) => a - b)
      .map((place, i): HostMark => ({ block: place, ttl: i < hostLongs ? '1h' : '5m' }));
    for (const mark of hostMarks) markable.delete(mark.block);
    const short = rules.lifetimes[0];
    const decisions = candidates.map((_, i): Lifetime | undefined => {
      if (i < longs) return rules.lifetimes.at(-1);
      return i < longs + shorts ? short : undefined;
    });
    const readFrom = read - 1;
    const isReal = (candidates[readFrom]?.tokens ?? 0) >= rules.minTokens;
    return {
      rules,
      candidates,
      decisions,
      hostMarks,
      markable,
      canMark: (index: number) => markable.has(index),
      readFrom: isReal ? readFrom : undefined,
    };
  });

describe('for any decisions and any marks of the host', () => {
  test('never more than the provider takes, the host’s included', () => {
    fc.assert(
      fc.property(placements, (given) => {
        const own = placeMarks(given);
        expect(own.length).toBeLessThanOrEqual(
          Math.max(0, given.rules.maxMarks - given.hostMarks.length),
        );
      }),
    );
  });

  test('only on blocks that take one, once each, on prefixes that are long enough', () => {
    fc.assert(
      fc.property(placements, (given) => {
        const own = placeMarks(given);
        expect(new Set(own.map(({ block }) => block)).size).toBe(own.length);
        for (const { block, candidate } of own) {
          expect(given.markable.has(block)).toBe(true);
          expect(given.candidates[candidate]).toMatchObject({ block });
          expect(given.candidates[candidate]!.tokens).toBeGreaterThanOrEqual(given.rules.minTokens);
        }
      }),
    );
  });

  test('longer lifetimes before shorter ones, the host’s included', () => {
    fc.assert(
      fc.property(placements, (given) => {
        const all = [...placeMarks(given), ...given.hostMarks].sort((a, b) => a.block - b.block);
        const lifetimes = all.map(({ ttl }) => (ttl === '1h' ? 1 : 0));
        expect(lifetimes).toEqual([...lifetimes].sort((a, b) => b - a));
      }),
    );
  });

  test('what is to be read is found from some mark, while there is a place for it', () => {
    fc.assert(
      fc.property(placements, (given) => {
        const { readFrom, candidates, rules, hostMarks, markable } = given;
        fc.pre(readFrom !== undefined && hostMarks.length < rules.maxMarks);
        const entry = candidates[readFrom]!.block;
        fc.pre(markable.has(entry));
        const all = [...placeMarks(given), ...hostMarks];
        const reach = all.filter(({ block }) => block >= entry && block - entry < rules.lookback);
        expect(reach.length).toBeGreaterThan(0);
      }),
      { numRuns: 1000 },
    );
  });

  test('what is decided for is not placed behind its end', () => {
    fc.assert(
      fc.property(placements, (given) => {
        const { candidates, decisions, readFrom = -1 } = given;
        const end = Math.max(
          readFrom,
          decisions.findLastIndex((lifetime) => lifetime !== undefined),
        );
        for (const { block } of placeMarks(given)) {
          expect(block).toBeLessThanOrEqual(candidates[end]?.block ?? -1);
        }
      }),
    );
  });

  test('with fewer places the most valuable stay: the list is a beginning of the longer one', () => {
    fc.assert(
      fc.property(placements, fc.integer({ min: 1, max: 4 }), (given, maxMarks) => {
        fc.pre(given.hostMarks.length === 0 && given.readFrom === undefined);
        const all = placeMarks(given).map(({ block }) => block);
        const few = placeMarks({ ...given, rules: { ...given.rules, maxMarks } });
        expect(few.map(({ block }) => block)).toEqual(all.slice(0, maxMarks));
      }),
    );
  });
});

const candidate = (block: number, tokens: number, chance = 0.5): Candidate => ({
  block,
  tokens,
  odds: always(chance),
  later: always(chance),
  grows: false,
});

/** Tools, system prompt, the turn before at 40, this turn's first block and its end. */
const turn = (end: number): Candidate[] => [
  candidate(3, 4000, 0.9),
  candidate(4, 6000, 0.9),
  candidate(40, 20_000, 0.8),
  candidate(41, 20_100, 0.8),
  candidate(end, 22_000, 0.8),
];

const place = (given: Partial<Placement> & Pick<Placement, 'candidates' | 'decisions'>) =>
  placeMarks({ canMark: () => true, hostMarks: [], readFrom: undefined, rules: MARKS, ...given });

const S = FIVE_MINUTES;
const L = ONE_HOUR;

describe('a turn of a conversation', () => {
  test('the end is marked; what lies in reach needs no mark of its own', () => {
    const marks = place({ candidates: turn(59), decisions: [S, S, S, S, S], readFrom: 2 });
    expect(marks[0]).toEqual({ block: 59, ttl: '5m', reason: 'write', candidate: 4 });
    expect(marks.map(({ reason }) => reason)).not.toContain('look-back');
  });

  test('the 21st block before the end gets one', () => {
    const marks = place({ candidates: turn(60), decisions: [S, S, S, S, S], readFrom: 2 });
    expect(marks.slice(0, 2)).toMatchObject([
      { block: 40, reason: 'look-back' },
      { block: 60, reason: 'write' },
    ]);
  });

  test('a mark of the host in reach saves one', () => {
    const hostMarks: HostMark[] = [{ block: 50, ttl: '5m' }];
    const marks = place({
      candidates: turn(60),
      decisions: [S, S, S, S, S],
      readFrom: 2,
      hostMarks,
    });
    expect(marks.map(({ reason }) => reason)).not.toContain('look-back');
  });

  test('the longer lifetime has its end marked', () => {
    const marks = place({ candidates: turn(50), decisions: [L, L, L, L, S], readFrom: 2 });
    expect(marks).toMatchObject([
      { block: 50, ttl: '5m', reason: 'write' },
      { block: 41, ttl: '1h', reason: 'lifetime' },
      { ttl: '1h', reason: 'shared' },
      { ttl: '1h', reason: 'shared' },
    ]);
  });

  test('nothing new is kept: only what is there is found', () => {
    const none = undefined;
    const marks = place({
      candidates: turn(50),
      decisions: [none, none, none, none, none],
      readFrom: 2,
    });
    expect(marks[0]).toMatchObject({ block: 40, reason: 'read' });
  });

  test('nothing is kept and nothing is there: no mark', () => {
    const none = undefined;
    expect(place({ candidates: turn(50), decisions: [none, none, none, none, none] })).toEqual([]);
  });

  test('one place left, the entry out of reach: it is read rather than written anew', () => {
    const marks = place({
      candidates: turn(60),
      decisions: [S, S, S, S, S],
      readFrom: 2,
      rules: { ...MARKS, maxMarks: 1 },
    });
    expect(marks).toMatchObject([{ block: 40 }]);
  });

  test('the entry’s own block takes no mark: one behind it, in reach, does', () => {
    const marks = place({
      candidates: turn(70),
      decisions: [S, S, S, S, S],
      readFrom: 2,
      canMark: (block) => block !== 40,
    });
    expect(marks.map(({ block }) => block)).toContain(41);
  });
});

describe('places that are left', () => {
  test('go where requests part: to the shared system prompt before the tools alone', () => {
    const candidates = [
      candidate(3, 4000, 0.9),
      candidate(4, 9000, 0.9),
      candidate(5, 9500, 0.1),
      candidate(6, 20_000, 0.05),
    ];
    const marks = place({ candidates, decisions: [S, S, S, S], rules: { ...MARKS, maxMarks: 2 } });
    expect(marks).toMatchObject([
      { block: 6, reason: 'write' },
      { block: 4, reason: 'shared' },
    ]);
  });

  test.each<Ttl>(['5m', '1h'])('marks before one of the host’s live as long: %s', (ttl) => {
    const hostMarks: HostMark[] = [{ block: 58, ttl }];
    const marks = place({ candidates: turn(60), decisions: [S, S, S, S, S], hostMarks });
    const before = marks.filter(({ block }) => block < 58);
    expect(before.length).toBeGreaterThan(0);
    expect(new Set(before.map((mark) => mark.ttl))).toEqual(new Set([ttl]));
    expect(marks).toContainEqual({ block: 60, ttl: '5m', reason: 'write', candidate: 4 });
  });

  test('a provider with one lifetime gets marks of that lifetime', () => {
    const [only] = ENDINGS.lifetimes;
    const marks = place({
      candidates: turn(60),
      decisions: [only, only, only, only, only],
      rules: ENDINGS,
    });
    expect(new Set(marks.map(({ ttl }) => ttl))).toEqual(new Set(['30m']));
  });
});
