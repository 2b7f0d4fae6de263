import type { CacheRules, Tier } from '../types.ts';
import type { PrefixClass } from './classes.ts';
import { isReadable, withGap, type Node, type Nodes } from './nodes.ts';
import type { HostMark } from './place-marks.ts';

/** A place in a request where a prefix can be recognised. */
export interface Position {
  /** Index in `Prompt.blocks`. */
  readonly block: number;
  /** Of the prefix, with everything that makes it another one for the provider. */
  readonly hash: string;
  /** Of the prefix, calibrated. */
  readonly tokens: number;
  readonly tier: Tier;
}

/** A request as the planner sees it. */
export interface Sight {
  /** Milliseconds. */
  readonly now: number;
  readonly rules: CacheRules;
  /** In cache order; the last is the end of the request. Never empty. */
  readonly positions: readonly Position[];
  /** Whether the provider takes a mark on this block. */
  readonly canMark: (block: number) => boolean;
  readonly hostMarks: readonly HostMark[];
  /** As in `PrefixClass`: what is known of the request without its content. */
  readonly shape: string;
  /** What is being written counts as readable: the request is only reckoned with, and would have waited. Default: false. */
  readonly waits?: boolean;
}

/** A request beside what is known of its prefixes. Everything else follows from it. */
export interface Recognised {
  readonly sight: Sight;
  /** Index of the deepest position that was seen before; -1 when none was. */
  readonly known: number;
  /** The end of the earlier request that this one goes on from. */
  readonly from: Node | undefined;
  /** The gaps between the turns so far, this one included. */
  readonly lineage: readonly number[];
  /** Indexes of the positions worth a decision. */
  readonly chosen: readonly number[];
  /** Their nodes; `undefined` where a prefix is new. */
  readonly nodes: ReadonlyArray<Node | undefined>;
  /** The deepest position that can be read now, as an index in `chosen`. */
  readonly readFrom: number | undefined;
  /** The deepest one that is kept for the longest lifetime. */
  readonly longFrom: number | undefined;
}

/** Looks a request's prefixes up. A dry run does not count as a use of them. */
export function recognise(sight: Sight, known: Nodes, dryRun: boolean): Recognised {
  const find = (hash: string): Node | undefined => (dryRun ? known.peek(hash) : known.get(hash));
  const { now, positions, rules } = sight;
  const end = positions.length - 1;
  let deepest = end;
  let node: Node | undefined;
  while (deepest >= 0 && (node = find(positions[deepest]!.hash)) === undefined) deepest--;
  const isTurn = node?.isEnd === true && deepest < end && positions[deepest]!.tier === 'messages';
  const from = isTurn ? node : undefined;

  const longest = rules.lifetimes.at(-1)!.ms;
  let read = -1;
  let long = -1;
  for (let i = deepest; i >= 0 && long < 0; i--) {
    const kept = i === deepest ? node : known.peek(positions[i]!.hash);
    if (!isReadable(kept, now, sight.waits)) continue;
    if (read < 0) read = i;
    if (kept!.entry!.lifetimeMs >= longest) long = i;
  }

  const chosen: number[] = [];
  for (let i = 0; i <= end; i++) {
    if (isWorthADecision(positions, i, deepest, isTurn) || i === read || i === long) chosen.push(i);
  }
  return {
    sight,
    known: deepest,
    from,
    lineage:
      from === undefined ? [] : withGap(from.count > 1 ? from.gaps : [], now - from.lastSeen),
    chosen,
    nodes: chosen.map((i) => (i > deepest ? undefined : find(positions[i]!.hash))),
    readFrom: read < 0 ? undefined : chosen.indexOf(read),
    longFrom: long < 0 ? undefined : chosen.indexOf(long),
  };
}

/** Few are, because each costs a look-up and one of the places for marks. */
function isWorthADecision(
  positions: readonly Position[],
  i: number,
  known: number,
  isTurn: boolean,
): boolean {
  const end = positions.length - 1;
  if (i === end || i === known || positions[i]!.tier !== 'messages') return true;
  // Of a turn, the first block behind what is known: the cheapest place to make the rest live longer.
  if (i <= known) return false;
  if (isTurn) return i === known + 1;
  // Where requests with the same beginning may part: the first blocks, and the last but one.
  return i - Math.max(known, 0) < MAX_OPENING || i === end - 1;
}

/** The class of a chosen position, by its index in `positions`. */
export function classOf(
  { sight, known, from }: Recognised,
  i: number,
  node: Node | undefined,
): PrefixClass {
  const { positions, shape } = sight;
  const { tier, block } = positions[i]!;
  if (from !== undefined && i >= known) {
    return { kind: 'turn', count: from.count + 1, shape, family: familyOf(positions) };
  }
  const count = node === undefined ? 1 : node.count + 1;
  const family = node === undefined ? (positions[known]?.hash ?? '') : familyOf(positions);
  if (tier !== 'messages') return { kind: tier, count, shape, family };
  const first = positions.find((position) => position.tier === 'messages');
  const depth = Math.min(MAX_DEPTH, block - (first?.block ?? 0));
  const kind = i === positions.length - 1 ? 'start' : 'opening';
  return { kind, count, shape: `${shape} ${depth}`, family };
}

/** What a prefix is when it comes back. */
export function nextClass(of: PrefixClass, { positions, shape }: Sight): PrefixClass {
  const count = of.count + 1;
  if (of.kind !== 'start') return { ...of, count };
  return { kind: 'turn', count, shape, family: familyOf(positions) };
}

/** Requests with the same tools and system prompt are one application's. Empty where there is neither. */
export function familyOf(positions: readonly Position[]): string {
  return positions.findLast(({ tier }) => tier !== 'messages')?.hash ?? '';
}

const MAX_OPENING = 8;
const MAX_DEPTH = 3;
