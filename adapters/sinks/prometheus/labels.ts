import type { UsageRecord } from '../../../src/types.ts';

/** No label has more values, whatever comes from outside. */
const MAX_VALUES = 50;
/** How many of them unknown hosts leave to providers whose format is known. */
const FOR_KNOWN_PROVIDERS = 20;

/** What stands in the labels of one sink. */
export class Labels {
  readonly #providers = new LabelValues(MAX_VALUES);
  readonly #models: ReadonlySet<string>;
  readonly #others = new Map<string, LabelValues>();

  /** `models`: those that get a series of their own. */
  constructor(models: readonly string[]) {
    this.#models = new Set(models);
  }

  provider(name: string, api?: UsageRecord['api']): string {
    return this.#providers.of(name, api === 'other' ? FOR_KNOWN_PROVIDERS : 0);
  }

  /** The first of the names that is on the list. */
  model(...names: ReadonlyArray<string | undefined>): string {
    const listed = names.find((name) => name !== undefined && this.#models.has(name));
    return listed === undefined ? OTHER : labelText(listed);
  }

  /** A value of any other label. */
  value(label: string, text: string): string {
    let values = this.#others.get(label);
    if (values === undefined) this.#others.set(label, (values = new LabelValues(MAX_VALUES)));
    return values.of(text);
  }
}

/** What stands for all values that have no series of their own. */
const OTHER = 'other';

const MAX_LENGTH = 100;

/** Not NUL: some readers of the format take it for the end. Line ends are escaped when they are written. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const UNPRINTABLE = /[\u0000-\u0009\u000b-\u001f\u007f]|\p{Surrogate}/gu;

/** Text as a label may hold it: at most 100 characters, without control characters and lone surrogates. */
function labelText(text: string): string {
  return text.slice(0, MAX_LENGTH).replace(UNPRINTABLE, '\ufffd');
}

/** The values of one label. The first `max` get series of their own; all others share one. */
export class LabelValues {
  readonly #known = new Set<string>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  /** `reserve`: how many places are left to others. */
  of(text: string, reserve = 0): string {
    // Cleaning it takes longer than all the rest.
    if (this.#known.has(text)) return text;
    const value = labelText(text);
    if (this.#known.has(value)) return value;
    if (this.#known.size >= this.#max - reserve) return OTHER;
    this.#known.add(value);
    return value;
  }
}
