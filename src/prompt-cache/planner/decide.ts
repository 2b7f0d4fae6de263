import type { CacheRules, Lifetime } from '../types.ts';
import { oddsWithin, type Odds } from './reuse.ts';

/** A place where a prefix can be kept, in cache order. */
export interface Candidate {
  /** Index in `Prompt.blocks`. */
  readonly block: number;
  /** Of the whole prefix. */
  readonly tokens: number;
  /** How soon it is expected to be sent again. */
  readonly odds: Odds;
  /** And after that. */
  readonly later: Odds;
  /** It comes back with more behind it, so that its lifetime can be made longer for little. */
  readonly grows: boolean;
}

/**
 * What a token of a prefix costs from now on, relative to a plain one, for each way to keep it: `undefined` for not at all,
 * then the lifetimes. Once the prefix has come back, it goes on as `later` says and is treated in the best way from then on;
 * the first step has odds of its own, because many prefixes come back once and never again.
 *
 * With equal odds now and later this is the renewal form of "write when the expected reads before expiry pay for the write":
 * for five minutes at Anthropic's prices from odds of 0.217 on, which is 0.278 expected reads.
 */
export function costsOf(
  { odds, later, grows }: Candidate,
  { lifetimes, read }: CacheRules,
): Array<readonly [lifetime: Lifetime | undefined, cost: number]> {
  const ever = Math.min(LONGEST_RUN, later.at(-1)!);
  const laterWithin = (ms: number): number => oddsWithin(later, ms) * (ever / later.at(-1)!);
  // At an access to a prefix that is not kept: the price of going on for ever in one of the ways.
  let again = 1 / (1 - ever);
  for (const { ms, write } of lifetimes) {
    const inTime = laterWithin(ms);
    again = Math.min(again, (write * (1 - inTime) + inTime * read) / (1 - ever));
  }
  const upkeep = lifetimes.map(({ ms }) => {
    const inTime = laterWithin(ms);
    return (inTime * read + (ever - inTime) * again) / (1 - inTime);
  });
  const longest = upkeep.at(-1)!;
  const now = Math.min(LONGEST_RUN, odds.at(-1)!);
  const costs: Array<readonly [Lifetime | undefined, number]> = [[undefined, 1 + now * again]];
  for (const [i, lifetime] of lifetimes.entries()) {
    const kept = grows ? Math.min(upkeep[i]!, longest + PROLONGING) : upkeep[i]!;
    const first = oddsWithin(odds, lifetime.ms) * (now / odds.at(-1)!);
    costs.push([lifetime, lifetime.write + first * (read + kept) + (now - first) * again]);
  }
  return costs;
}

/** What it costs per token of a conversation to make its lifetime long later, with a mark on the first block of a turn. */
const PROLONGING = 0.05;

/**
 * Nobody comes back for ever: a write is paid for by 20 requests at most, however sure the next one is. Without this, a lead
 * of a hundredth would buy an hour for what five minutes serve as well.
 */
const LONGEST_RUN = 0.95;

/** Least odds of reuse within the lifetime at which keeping a prefix costs no more than paying for it in full each time. */
export function breakEven(lifetime: Lifetime, read: number): number {
  return (lifetime.write - 1) / (lifetime.write - read);
}

/** What can be read already. */
export interface Kept {
  /** Of the prefix that can be read. */
  readonly tokens: number;
  /** Of that, what is kept for the longest lifetime. */
  readonly longTokens: number;
}

/**
 * For each candidate, what is best done with its part of the prompt (from the candidate before it on): the lifetime to keep
 * it for, or `undefined` for not at all. Deeper parts never live longer than shallower ones: the providers take marks only
 * in this order. A prefix below the minimum cannot be kept by itself, only as a part of a deeper one.
 *
 * An entry is a whole prefix, but only what lies behind the part that was read is paid for. So what is kept for a short time
 * is kept for a long one by a long-lived mark on the next few tokens: that gain counts for the first part that is written.
 */
export function decide(
  candidates: readonly Candidate[],
  kept: Kept,
  rules: CacheRules,
): Array<Lifetime | undefined> {
  // From the longest lifetime to none: the states that a walk from the front to the back goes through, never back.
  const states: Array<Lifetime | undefined> = [...rules.lifetimes.toReversed(), undefined];
  let best = states.map((_, i) => (i === 0 ? 0 : Infinity));
  const cameFrom: number[][] = [];
  let before = 0;
  let skipped = 0;
  let gain = 0;
  for (const candidate of candidates) {
    const { tokens } = candidate;
    const isKept = tokens <= kept.tokens;
    const canEnd = tokens >= rules.minTokens;
    const costs = costsOf(candidate, rules).reverse();
    if (isKept && tokens > kept.longTokens) {
      gain += (tokens - Math.max(before, kept.longTokens)) * gainOfLong(costs);
    }
    const size = isKept ? 0 : tokens - Math.max(before, kept.tokens) + skipped;
    skipped = canEnd ? 0 : size;
    before = tokens;
    const row: number[] = [];
    const next: number[] = [];
    let least = Infinity;
    let leastFrom = 0;
    for (let i = 0; i < states.length; i++) {
      if (best[i]! < least) {
        least = best[i]!;
        leastFrom = i;
      }
      row.push(leastFrom);
      next.push(canEnd ? least + size * costs[i]![1] - (i === 0 && !isKept ? gain : 0) : least);
    }
    if (canEnd && !isKept) gain = 0;
    cameFrom.push(row);
    best = next;
  }
  // Equal cost goes to the shorter lifetime, or to none.
  let state = best.length - 1;
  for (let i = best.length - 1; i >= 0; i--) if (best[i]! < best[state]!) state = i;
  const decisions: Array<Lifetime | undefined> = [];
  for (const from of cameFrom.reverse()) {
    decisions.push(states[state]);
    state = from[state]!;
  }
  decisions.reverse();
  // What is too short stands or falls with what is kept behind it.
  const lastKept = decisions.findLastIndex(
    (lifetime, i) => lifetime !== undefined && candidates[i]!.tokens >= rules.minTokens,
  );
  return decisions.map((lifetime, i) => (i <= lastKept ? lifetime : undefined));
}

/** What the longest lifetime saves over the shortest, per token, once both are written. */
function gainOfLong(
  costs: ReadonlyArray<readonly [lifetime: Lifetime | undefined, cost: number]>,
): number {
  const upkeep = ([lifetime, cost]: readonly [Lifetime | undefined, number]): number =>
    cost - (lifetime?.write ?? 0);
  return Math.max(0, upkeep(costs.at(-2)!) - upkeep(costs[0]!));
}
