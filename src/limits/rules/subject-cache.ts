import type { LimitDimension, LimitMatch } from '../settings.ts';
import { type LimitSubject, tagOf } from './match-rule.ts';

/** What a rule looks at in a call. */
export interface LookingRule {
  readonly rule: { readonly match?: LimitMatch | undefined };
  readonly per: readonly LimitDimension[];
}

/** One level: by one thing that rules look at. */
class Level<V> {
  readonly next: Map<string | undefined, Level<V>> = new Map();
  value: V | undefined;
}

/**
 * What the rules say, by all that they look at in a call. Maps in maps, because the strings of a call are hashed already and a
 * key made of them would have to be for every call. When too much is in it, it starts anew.
 */
export class SubjectCache<V> {
  readonly #names: ReadonlyArray<'provider' | 'account' | 'model' | 'tenant' | 'user'>;
  readonly #tags: readonly string[];
  readonly #max: number;
  #top: Level<V> = new Level();
  #size = 0;

  constructor(rules: readonly LookingRule[], max: number = MAX_VALUES) {
    this.#names = NAMES.filter((name) => rules.some((rule) => looksAt(rule, name)));
    this.#tags = [...new Set(rules.flatMap(({ rule }) => Object.keys(rule.match?.tag ?? {})))];
    this.#max = max;
  }

  get(subject: LimitSubject, read: () => V): V {
    let level = this.#top;
    for (const name of this.#names) level = this.#below(level, subject[name]);
    for (const tag of this.#tags) level = this.#below(level, tagOf(subject, tag));
    if (level.value !== undefined) return level.value;
    if (this.#size >= this.#max) {
      this.#top = new Level();
      this.#size = 0;
    }
    return (level.value = read());
  }

  #below(level: Level<V>, by: string | undefined): Level<V> {
    let next = level.next.get(by);
    if (next === undefined) {
      level.next.set(by, (next = new Level()));
      this.#size++;
    }
    return next;
  }
}

const MAX_VALUES = 10_000;
const NAMES = ['provider', 'account', 'model', 'tenant', 'user'] as const;

function looksAt({ rule: { match }, per }: LookingRule, name: (typeof NAMES)[number]): boolean {
  return per.includes(name) || (name !== 'account' && match?.[name] !== undefined);
}
