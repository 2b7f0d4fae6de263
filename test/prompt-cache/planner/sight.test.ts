import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createNodes, isReadable, type Node } from '../../../src/prompt-cache/planner/nodes.ts';
import {
  classOf,
  familyOf,
  nextClass,
  recognise,
} from '../../../src/prompt-cache/planner/sight.ts';
import { piece, sightOf, turn, type Piece } from './play.ts';
import { MARKS } from './rules.ts';

const NOW = 1_000_000;
const HEAD = [piece('tools', 't', 3000), piece('system', 's', 2000)];
const TURNS = [turn('a', [100]), turn('b', [50, 60]), turn('c', [70, 80])];
const BLOCKS: readonly Piece[] = [...HEAD, ...TURNS.flat()];
const sight = sightOf({ at: NOW / 1000, blocks: BLOCKS });
const { positions } = sight;

const node = (more: Partial<Node> = {}): Node => ({
  lastSeen: NOW - 60_000,
  gaps: [],
  count: 1,
  isEnd: false,
  sighting: undefined,
  entry: undefined,
  ...more,
});
const entry = (lifetimeMs: number, readableAt = 0, expiresAt = NOW + 1): Node['entry'] => ({
  lifetimeMs,
  writtenAt: 0,
  writers: 1,
  readableAt,
  expiresAt,
});

/** What is recognised where the positions with these indexes are known. */
function withKnown(known: Readonly<Record<number, Node>>) {
  const nodes = createNodes(100);
  for (const [i, one] of Object.entries(known)) nodes.set(positions[Number(i)]!.hash, one);
  const seen = recognise(sight, nodes, false);
  const at = (index: number | undefined) => (index === undefined ? undefined : seen.chosen[index]);
  return { seen, read: at(seen.readFrom), long: at(seen.longFrom) };
}

const END = positions.length - 1;
/** Of the second request of the conversation. */
const SECOND = 4;

describe('a request beside what is known', () => {
  test('nothing is known', () => {
    const { seen, read, long } = withKnown({});
    expect(seen).toMatchObject({ known: -1, from: undefined, lineage: [] });
    expect([read, long]).toEqual([undefined, undefined]);
    expect(seen.chosen).toEqual(positions.map((_, i) => i));
  });

  test('it goes on from the end of an earlier request', () => {
    const before = node({ isEnd: true, count: 2, gaps: [7000] });
    const { seen } = withKnown({ 0: node(), 1: node(), [SECOND]: before });
    expect(seen).toMatchObject({ known: SECOND, from: before, lineage: [7000, 60_000] });
    expect(seen.chosen).toEqual([0, 1, SECOND, SECOND + 1, END]);
  });

  test('the first turn’s gap begins the lineage: an end that was seen before has gaps of its own', () => {
    const { seen } = withKnown({ 2: node({ isEnd: true, gaps: [1, 2, 3] }) });
    expect(seen.lineage).toEqual([60_000]);
  });

  test.each([
    ['no end of a request', { [SECOND]: node() }],
    ['a system prompt', { 1: node({ isEnd: true }) }],
    ['the same request again', { [END]: node({ isEnd: true }) }],
  ])('it does not go on from %s', (_name, known) => {
    expect(withKnown(known).seen).toMatchObject({ from: undefined, lineage: [] });
  });

  test('what can be read is the deepest entry that is readable and alive', () => {
    const { read, long } = withKnown({
      0: node({ entry: entry(3_600_000) }),
      1: node({ entry: entry(300_000) }),
      2: node({ entry: entry(300_000, Infinity) }),
      3: node({ entry: entry(3_600_000, 0, NOW) }),
      [SECOND]: node({ isEnd: true }),
    });
    expect([read, long]).toEqual([1, 0]);
  });

  test('any nodes: known, read and long are the deepest of their kind', () => {
    const lifetime = fc.constantFrom(300_000, 3_600_000);
    const readableAt = fc.constantFrom(0, NOW, NOW + 1, Infinity);
    const expiresAt = fc.constantFrom(NOW - 1, NOW, NOW + 1);
    const one = fc
      .record({
        isEnd: fc.boolean(),
        entry: fc.option(
          fc.record({
            lifetimeMs: lifetime,
            writtenAt: fc.constant(0),
            writers: fc.constant(1),
            readableAt,
            expiresAt,
          }),
          {
            nil: undefined,
          },
        ),
      })
      .map(node);
    fc.assert(
      fc.property(fc.array(fc.option(one, { nil: undefined }), { maxLength: END + 1 }), (list) => {
        const known = Object.fromEntries(list.flatMap((each, i) => (each ? [[i, each]] : [])));
        const { seen, read, long } = withKnown(known);
        const deepest = list.findLastIndex((each) => each !== undefined);
        const readable = list.map((each) => isReadable(each, NOW));
        const isLong = (each: Node | undefined, i: number): boolean =>
          readable[i]! && each?.entry?.lifetimeMs === 3_600_000;
        const orNone = (i: number): number | undefined => (i < 0 ? undefined : i);
        expect(seen.known).toBe(deepest);
        expect(read).toBe(orNone(readable.lastIndexOf(true)));
        expect(long).toBe(orNone(list.findLastIndex(isLong)));
        expect(seen.chosen).toEqual([...seen.chosen].sort((a, b) => a - b));
        expect(seen.chosen).toContain(END);
        expect(seen.nodes).toEqual(seen.chosen.map((i) => list[i]));
      }),
    );
  });

  test('of a first request with many blocks only its beginning and its end are looked at', () => {
    const blocks = [...HEAD, ...Array.from({ length: 40 }, (_, i) => turn(`m${i}`, [100])).flat()];
    const { chosen } = recognise(sightOf({ at: 1, blocks }), createNodes(10), false);
    expect(chosen.length).toBeLessThanOrEqual(12);
  });
});

describe('classes', () => {
  const of = (known: Readonly<Record<number, Node>>) => {
    const { seen } = withKnown(known);
    return seen.chosen.map((i, place) => ({ i, of: classOf(seen, i, seen.nodes[place]) }));
  };

  test('a first request: tools, system, opening, start', () => {
    expect(of({}).map((each) => [each.of.kind, each.of.count])).toEqual([
      ['tools', 1],
      ['system', 1],
      ...Array.from({ length: END - 2 }, () => ['opening', 1]),
      ['start', 1],
    ]);
  });

  test('a later request: all from its known end on is one turn', () => {
    const known = {
      0: node({ count: 9 }),
      1: node({ count: 9 }),
      [SECOND]: node({ isEnd: true, count: 3 }),
    };
    expect(of(known).map((each) => [each.of.kind, each.of.count])).toEqual([
      ['tools', 10],
      ['system', 10],
      ['turn', 4],
      ['turn', 4],
      ['turn', 4],
    ]);
  });

  test('what comes after a start is a turn; the others come back as they are, once more', () => {
    const classes = of({}).map((each) => nextClass(each.of, sight));
    expect(classes.map(({ kind, count }) => [kind, count])).toEqual([
      ['tools', 2],
      ['system', 2],
      ...Array.from({ length: END - 2 }, () => ['opening', 2]),
      ['turn', 2],
    ]);
  });

  test('a family is the prefix of tools and system prompt', () => {
    expect(familyOf(positions)).toBe(positions[1]?.hash);
    expect(familyOf(sightOf({ at: 0, blocks: turn('a', [1]) }, MARKS).positions)).toBe('');
  });
});
