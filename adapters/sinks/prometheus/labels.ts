import type { UsageRecord } from '../../../src/types.ts';
import { LabelValues, labelText, OTHER } from './label-values.ts';

/** No label has more values, whatever comes from outside. */
const MAX_VALUES = 50;
/** Unknown hosts leave so many of them to providers whose format is known. */
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
