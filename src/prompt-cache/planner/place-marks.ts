import type { CacheRules, Lifetime, Ttl } from '../types.ts';
import type { Candidate } from './decide.ts';
import { oddsWithin } from './reuse.ts';

/** Why a mark is where it is. */
export type MarkReason =
  /** Keeps what is expected to be read again. */
  | 'write'
  /** Finds an entry that is there already. */
  | 'read'
  /** The entry lies farther back than the provider looks from the next mark. */
  | 'look-back'
  /** The shorter lifetime begins behind it. */
  | 'lifetime'
  /** Costs nothing beside a deeper mark, and serves requests that share only this much. */
  | 'shared';

export interface PlacedMark {
  readonly block: number;
  readonly ttl: Ttl;
  readonly reason: MarkReason;
  /** Index of the candidate that it stands on. */
  readonly candidate: number;
}

/** A mark that the host set itself. It stays, and takes one of the places. */
export interface HostMark {
  readonly block: number;
  readonly ttl: Ttl;
}

export interface Placement {
  readonly candidates: readonly Candidate[];
  readonly decisions: ReadonlyArray<Lifetime | undefined>;
  /** Whether the provider takes a mark on this block. */
  readonly canMark: (block: number) => boolean;
  /** The candidate whose entry will be read. */
  readonly readFrom: number | undefined;
  readonly hostMarks: readonly HostMark[];
  readonly rules: CacheRules;
}

/**
 * Puts the decisions into marks, the most valuable first while places last: the end of what is kept, the entry to be read
 * where it would be missed, the change of lifetime, then prefixes that others share.
 */
export function placeMarks(placement: Placement): PlacedMark[] {
  const { candidates, decisions, readFrom, hostMarks, rules } = placement;
  const free = rules.maxMarks - hostMarks.length;
  const chosen = new Map<number, MarkReason>();
  const kept = decisions.findLastIndex((lifetime) => lifetime !== undefined);
  const choose = (wanted: number, reason: MarkReason): void => {
    const index = markableAt(wanted, placement);
    if (index === undefined || chosen.has(index) || chosen.size >= free) return;
    if (hostMarks.some(({ block }) => block === candidates[index]!.block)) return;
    chosen.set(index, reason);
  };

  if (kept >= 0 && kept > (readFrom ?? -1)) {
    // Without it the write would pay again for all that could be read.
    if (readFrom !== undefined && !isInReach(placement, kept, readFrom)) {
      choose(readFrom, 'look-back');
    }
    choose(kept, 'write');
    const longest = decisions.findLastIndex((lifetime) => lifetime?.ttl === decisions[0]?.ttl);
    if (longest < kept && longest > (readFrom ?? -1)) choose(longest, 'lifetime');
  } else if (readFrom !== undefined) choose(readFrom, 'read');
  if (chosen.size > 0) {
    const end = Math.max(kept, readFrom ?? -1);
    for (const index of byCoverage(placement, [...chosen.keys()], end, free))
      choose(index, 'shared');
  }
  return inLegalOrder(placement, chosen);
}

/** The nearest candidate at or before `wanted` that can carry a mark and is long enough to be kept. */
function markableAt(wanted: number, { candidates, canMark, rules }: Placement): number | undefined {
  for (let i = wanted; i >= 0; i--) {
    const { tokens, block } = candidates[i]!;
    if (tokens < rules.minTokens) return undefined;
    if (canMark(block)) return i;
  }
  return undefined;
}

/**
 * Where to spend the places that are left: so that requests which share only a part of this prompt find a mark as near as
 * possible to where they part from it. Greedy, by the tokens that they would otherwise pay for.
 */
function byCoverage(
  { candidates, canMark, rules }: Placement,
  marked: readonly number[],
  end: number,
  places: number,
): number[] {
  const longest = rules.lifetimes.at(-1)!;
  const oddsOf = (index: number): number =>
    index > end ? 0 : oddsWithin(candidates[index]!.odds, longest.ms);
  /** The chance that a request shares just this much, and a little for what was never seen. */
  const parting = candidates.map((_, i) => Math.max(0, oddsOf(i) - oddsOf(i + 1)) + UNSEEN);
  const kept = new Set(marked);
  const loss = (): number => {
    let sum = 0;
    let nearest = 0;
    for (let i = 0; i <= end; i++) {
      if (kept.has(i)) nearest = candidates[i]!.tokens;
      sum += parting[i]! * (candidates[i]!.tokens - nearest);
    }
    return sum;
  };
  const chosen: number[] = [];
  while (kept.size < places) {
    let least = loss();
    let best: number | undefined;
    for (let i = 0; i < end; i++) {
      if (kept.has(i) || candidates[i]!.tokens < rules.minTokens) continue;
      if (!canMark(candidates[i]!.block)) continue;
      kept.add(i);
      const left = loss();
      kept.delete(i);
      if (left < least) [least, best] = [left, i];
    }
    if (best === undefined) break;
    kept.add(best);
    chosen.push(best);
  }
  return chosen;
}

const UNSEEN = 0.02;

const MS: Readonly<Record<Ttl, number>> = { '5m': 300_000, '30m': 1_800_000, '1h': 3_600_000 };

/** Whether the provider, walking back from the mark to come or one of the host's, comes upon the entry. */
function isInReach(placement: Placement, mark: number, readFrom: number): boolean {
  const { candidates, hostMarks, rules } = placement;
  const entry = candidates[readFrom]!.block;
  const index = markableAt(mark, placement);
  const blocks = hostMarks.map(({ block }) => block);
  if (index !== undefined) blocks.push(candidates[index]!.block);
  return blocks.some((block) => reaches(block, entry, rules));
}

/** Whether a look back from a marked block comes upon an entry. */
export function reaches(mark: number, entry: number, { lookback }: CacheRules): boolean {
  return mark >= entry && mark - entry < lookback;
}

/**
 * Longer lifetimes come first; what stands before a longer-lived mark, also one of the host's, must live as long. The marks
 * stay in the order in which they were chosen, the most valuable first.
 */
function inLegalOrder(
  { candidates, decisions, hostMarks, rules }: Placement,
  chosen: ReadonlyMap<number, MarkReason>,
): PlacedMark[] {
  const shortest = rules.lifetimes[0]!;
  // The host may use one that the user has ruled out for the router.
  const lifetimeOf = (ttl: Ttl): Lifetime =>
    rules.lifetimes.find((lifetime) => lifetime.ttl === ttl) ?? { ttl, ms: MS[ttl], write: 1 };
  const lifetimes = new Map<number, Lifetime>();
  const indexes = [...chosen.keys()].sort((a, b) => b - a);
  let longest: Lifetime | undefined;
  for (const index of indexes) {
    const { block } = candidates[index]!;
    let lifetime = decisions[index] ?? shortest;
    for (const mark of hostMarks) {
      const own = lifetimeOf(mark.ttl);
      if (mark.block > block && own.ms > (longest?.ms ?? 0)) longest = own;
      if (mark.block < block && own.ms < lifetime.ms) lifetime = own;
    }
    if (longest !== undefined && longest.ms > lifetime.ms) lifetime = longest;
    longest = lifetime;
    lifetimes.set(index, lifetime);
  }
  return [...chosen].map(([index, reason]) => ({
    block: candidates[index]!.block,
    ttl: lifetimes.get(index)!.ttl,
    reason,
    candidate: index,
  }));
}
