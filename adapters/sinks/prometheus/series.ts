import { decimal } from '../../../src/util/decimal.ts';

/** What one metric is. `docs/metrics.md` lists the same; a test compares them. */
export interface Definition {
  /** Without the prefix. */
  readonly name: string;
  readonly help: string;
  /** Names of its labels. None of them ever holds a tenant, user, key, session or tag. */
  readonly labels: readonly string[];
}

export interface SeriesDefinition extends Definition {
  readonly type: 'counter' | 'gauge';
  /** Decimal places that are kept: values are added up as integers of the last one. Default 0. */
  readonly decimals?: number;
  /** What becomes of several values with the same labels. Default `sum`. */
  readonly merge?: 'sum' | 'max' | 'min';
}

/** One value, and those of the labels in the order of the definition. */
export interface Sample {
  readonly labels: readonly string[];
  /** A decimal number. */
  readonly value: string;
}

interface Cell {
  readonly labels: readonly string[];
  units: bigint;
}

/** Above this a value is nonsense, and a sum could grow beyond what a double holds. */
const MAX_UNITS = 10n ** 30n;

/** The values of one counter or gauge, by labels. They are added up as integers, so nothing is lost however small. */
export class Series {
  readonly definition: SeriesDefinition;
  readonly #cells = new Map<string, Cell>();

  constructor(definition: SeriesDefinition) {
    this.definition = definition;
  }

  get #decimals(): number {
    return this.definition.decimals ?? 0;
  }

  /**
   * Takes a number in the unit of the metric, or an integer of its last decimal place. What is no such number, and what
   * would take a counter down, is left out.
   */
  add(labels: readonly string[], value: number | bigint): void {
    const units = typeof value === 'bigint' ? value : toUnits(value, this.#decimals);
    if (units === undefined || units > MAX_UNITS || units < -MAX_UNITS) return;
    if (this.definition.type === 'counter' && units < 0n) return;
    const key = labels.join('\u0000');
    const cell = this.#cells.get(key);
    if (cell === undefined) this.#cells.set(key, { labels, units });
    else cell.units = this.#merged(cell.units, units);
  }

  addAll(other: Series): void {
    for (const { labels, units } of other.#cells.values()) this.add(labels, units);
  }

  samples(): Sample[] {
    return Array.from(this.#cells.values(), ({ labels, units }) => ({
      labels,
      value: decimal(units, this.#decimals),
    }));
  }

  #merged(one: bigint, other: bigint): bigint {
    const { merge } = this.definition;
    if (merge === undefined || merge === 'sum') return one + other;
    return one > other === (merge === 'max') ? one : other;
  }
}

function toUnits(value: number, decimals: number): bigint | undefined {
  if (!(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) return undefined;
  return BigInt(Math.round(value * 10 ** decimals));
}
