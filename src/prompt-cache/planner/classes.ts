import { LRUCache } from 'lru-cache';
import { Sightings, type Odds, type Sighting } from './reuse.ts';

/** What a prefix is like, as far as it says how soon it may come back. */
export interface PrefixClass {
  /** A set of tools, a system prompt, the first blocks of a conversation, its first request, or a later one. */
  readonly kind: 'tools' | 'system' | 'opening' | 'start' | 'turn';
  /** How often it was seen, or how many turns the conversation has had; its order of magnitude counts. */
  readonly count: number;
  /** What its like have in common, such as that there are tools, or that a tool's result comes last. */
  readonly shape: string;
  /** The known prefix that it extends, or its family: what it shares with its closest relatives. */
  readonly family: string;
}

/** The reuse statistics of all classes: of each family, and over all families of one shape. */
export class Classes {
  readonly #byKey: LRUCache<string, Sightings>;

  constructor(max: number) {
    this.#byKey = new LRUCache({ max });
  }

  /** Takes note of a prefix that was sent and has not come back yet. */
  open(of: PrefixClass, at: number): Sighting {
    const sighting: Sighting = { at, gap: undefined };
    for (const key of keysOf(of)) this.#of(key).add(sighting);
    return sighting;
  }

  /** The odds of a prefix of this class that is sent now: each level's experience, resting on that of the level above. */
  odds(of: PrefixClass, now: number): Odds {
    let odds = prior(of);
    for (const key of keysOf(of)) {
      odds = this.#byKey.get(key)?.odds(now, odds, STRENGTH) ?? odds;
    }
    return odds;
  }

  #of(key: string): Sightings {
    let found = this.#byKey.get(key);
    if (found === undefined) this.#byKey.set(key, (found = new Sightings()));
    return found;
  }
}

/** From the widest class to the narrowest. Whether a prefix was seen once or more often makes two kinds of it. */
function keysOf({ kind, shape, count, family }: PrefixClass): string[] {
  const magnitude = Math.min(MAX_MAGNITUDE, 31 - Math.clz32(count));
  const wide = `${kind} ${magnitude > 0} ${shape}`;
  return [wide, `${wide} ${magnitude}`, `${wide} ${magnitude} ${family}`];
}

const MAX_MAGNITUDE = 3;

/**
 * What is believed of a class that nothing is known of, within 5 s, 30 s, 2 min, 5 min, 30 min and 1 h. All of them lie above
 * the break-even of the shortest lifetime: with no knowledge, writing has the better worst case (1.25 times the best possible,
 * against 1.67 for writing at the second sighting).
 */
const PRIORS: Readonly<Record<PrefixClass['kind'] | 'again', Odds>> = {
  tools: [0.25, 0.4, 0.52, 0.62, 0.69, 0.71],
  system: [0.25, 0.4, 0.52, 0.62, 0.69, 0.71],
  opening: [0.15, 0.3, 0.36, 0.42, 0.48, 0.5],
  start: [0.15, 0.3, 0.36, 0.42, 0.48, 0.5],
  turn: [0.35, 0.65, 0.78, 0.84, 0.86, 0.87],
  again: [0.3, 0.52, 0.7, 0.8, 0.87, 0.89],
};

function prior({ kind, count }: PrefixClass): Odds {
  return PRIORS[kind !== 'turn' && count > 1 ? 'again' : kind];
}

/** How many sightings a belief is worth against what was seen. */
const STRENGTH = 2;
