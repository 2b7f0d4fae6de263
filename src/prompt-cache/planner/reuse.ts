/**
 * How soon prefixes come back: the chance that the next request with a prefix arrives within five minutes, half an hour,
 * an hour. Learnt per class of prefixes and per prefix, from what was seen and from what has not come back yet.
 */

/** Ends of the intervals in which reuse is counted, in milliseconds. The lifetimes that providers sell are among them. */
const EDGES = [5_000, 30_000, 120_000, 300_000, 1_800_000, 3_600_000] as const;

/** Chance that a prefix is seen again within each of `EDGES`; ascending. */
export type Odds = readonly number[];

/** The chance of reuse within a lifetime that is one of the edges. */
export function oddsWithin(odds: Odds, ms: number): number {
  let found = 0;
  for (let i = 0; i < EDGES.length && EDGES[i]! <= ms; i++) found = odds[i]!;
  return found;
}

/** One prefix that was sent at `at`, and after how long it was seen for the next time. */
export interface Sighting {
  readonly at: number;
  gap: number | undefined;
}

/** The last sightings of a class. Bounded: what is older than the last 32 says little of what comes next. */
export class Sightings {
  readonly #ring: Sighting[] = [];
  #next = 0;
  #added = 0;
  #last: { prior: Odds; at: number; added: number; odds: Odds } | undefined;

  add(sighting: Sighting): void {
    this.#added++;
    if (this.#ring.length < RING) this.#ring.push(sighting);
    else this.#ring[this.#next] = sighting;
    this.#next = (this.#next + 1) % RING;
  }

  /**
   * The odds for the next prefix of this class. `prior` counts as `strength` sightings of its own.
   *
   * A life table (Kaplan and Meier, 1958): in each interval, those that came back out of those that could have. A prefix
   * that has not come back so far is evidence for the intervals that it has lived through, and a little for the later ones
   * too, so that a burst of prefixes of which nothing is known yet cannot all be believed in.
   *
   * Within a second and a few sightings the odds are those of the last time.
   */
  odds(now: number, prior: Odds, strength: number): Odds {
    const last = this.#last;
    if (
      last?.prior === prior &&
      now - last.at < FRESH_MS &&
      this.#added - last.added < FRESH_COUNT
    ) {
      return last.odds;
    }
    const table = new LifeTable();
    for (const { at, gap } of this.#ring) {
      if (gap === undefined) table.addAbsent(now - at);
      else table.addReturn(gap);
    }
    const odds = table.odds(prior, strength);
    this.#last = { prior, at: now, added: this.#added, odds };
    return odds;
  }
}

const FRESH_MS = 1000;
const FRESH_COUNT = 3;

function oddsOfGaps(gaps: readonly number[], prior: Odds): Odds {
  const table = new LifeTable();
  for (const gap of gaps) table.addReturn(gap);
  return table.odds(prior, OWN_STRENGTH);
}

/**
 * The odds of a conversation that has come back after each of `gaps`: whether it goes on is for its class to say (one that
 * has ended shows no gap), but how fast, it shows itself.
 */
export function oddsOfConversation(gaps: readonly number[], ofClass: Odds): Odds {
  if (gaps.length === 0) return ofClass;
  return noMoreThan(oddsOfGaps(gaps, ofClass), ofClass.at(-1)!);
}

/**
 * The odds of a prefix that unrelated requests share, such as a system prompt. Their times are as good as random, so their
 * median says more than so few gaps can say of each interval. It is taken with the class as the prior, then corrected by them.
 */
export function oddsOfShared(gaps: readonly number[], ofClass: Odds): Odds {
  if (gaps.length === 0) return ofClass;
  const count = gaps.length;
  const median = [...gaps].sort((a, b) => a - b)[count >> 1]!;
  const random = EDGES.map((edge) => 1 - 2 ** -(edge / Math.max(1, median)));
  const prior = ofClass.map((chance, i) => (chance + count * random[i]!) / (1 + count));
  return noMoreThan(oddsOfGaps(gaps, prior), ofClass.at(-1)!);
}

function noMoreThan(odds: Odds, ever: number): Odds {
  const seen = odds.at(-1)!;
  return seen <= ever ? odds : odds.map((chance) => (chance * ever) / seen);
}

const NOTHING: readonly number[] = Array.from({ length: EDGES.length + 1 }, () => 0);

/** Counts by interval, so that a sighting costs a few comparisons and not a walk over all intervals. */
class LifeTable {
  /** Came back in interval `i`; the last place is for those that came later than all of them. */
  readonly #returns = NOTHING.slice();
  /** Absent so far, and by now in interval `i`. */
  readonly #absent = NOTHING.slice();
  /** How much of interval `i` they have lived through, in all. */
  readonly #lived = NOTHING.slice();

  addReturn(gap: number): void {
    this.#returns[intervalOf(gap)]!++;
  }

  addAbsent(age: number): void {
    const i = intervalOf(age);
    this.#absent[i]!++;
    if (i === EDGES.length) return;
    const from = i === 0 ? 0 : EDGES[i - 1]!;
    this.#lived[i]! += Math.max(DOUBT, (age - from) / (EDGES[i]! - from));
  }

  odds(prior: Odds, strength: number): Odds {
    let later = 0;
    for (let i = 0; i <= EDGES.length; i++) later += this.#returns[i]! + this.#absent[i]!;
    let early = 0;
    let absent = 1;
    let before = 0;
    const odds: number[] = [];
    for (let i = 0; i < EDGES.length; i++) {
      later -= this.#returns[i]! + this.#absent[i]!;
      const came = this.#returns[i]!;
      const seen = later + came + this.#lived[i]! + DOUBT * early;
      early += this.#absent[i]!;
      const expected = before >= 1 ? 1 : (prior[i]! - before) / (1 - before);
      before = prior[i]!;
      absent *= 1 - (came + strength * expected) / (seen + strength);
      odds.push(1 - absent);
    }
    return odds;
  }
}

function intervalOf(gap: number): number {
  let i = 0;
  while (i < EDGES.length && gap > EDGES[i]!) i++;
  return i;
}

const RING = 32;
/** How many gaps of its own a prefix's class is worth. */
const OWN_STRENGTH = 1.5;
/** Weight of a sighting for the time that it has not lived through yet. */
const DOUBT = 0.2;
