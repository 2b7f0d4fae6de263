import { RouterError } from '../errors.ts';
import type { UsageRecord } from '../types.ts';
import { isTime, readersOf } from './dimensions.ts';
import type { Dimension, GroupKey, Reader } from './dimensions.ts';

export interface GroupOptions<D extends Dimension> {
  /** A row for each combination of these that occurs. Default: none, one row for all. */
  by?: readonly D[] | undefined;
  /** At most this many rows, the largest; the rest is added up in `other`. Default: all. */
  top?: number | undefined;
  /** How many rows are counted at once, for bounded memory; what comes after them is added up in `other`. Default 100,000. */
  maxGroups?: number | undefined;
}

/** Sums of some records. */
export interface Sums<Row> {
  add(record: UsageRecord): void;
  row(): Row;
}

/** How to make sums of a kind, put two together, and tell which of two is the larger: negative when it is the first. */
export interface SumsKind<Row, S extends Sums<Row>> {
  readonly name: string;
  readonly make: () => S;
  readonly merge: (into: S, from: S) => void;
  readonly compare: (a: Row, b: Row) => number;
}

/** Rows and what they come to: `rows` and `other` together are `total`. */
export interface Grouped<D extends Dimension, Row> {
  /** By time where it is a dimension, then the largest first. */
  readonly rows: ReadonlyArray<GroupKey<D> & Row>;
  /** What `top` and `maxGroups` left out of the rows; `null` when nothing was. */
  readonly other: Row | null;
  readonly total: Row;
}

interface Group<S> {
  readonly values: ReadonlyArray<string | undefined>;
  readonly sums: S;
}

/** Counts records by their dimensions. */
export class Groups<D extends Dimension, Row, S extends Sums<Row>> {
  readonly #kind: SumsKind<Row, S>;
  readonly #by: readonly D[];
  readonly #readers: readonly Reader[];
  readonly #top: number;
  readonly #maxGroups: number;
  readonly #groups = new Map<string, Group<S>>();
  #other: S | undefined;

  constructor(kind: SumsKind<Row, S>, options: GroupOptions<D>) {
    const { by = [], top = Infinity, maxGroups = 100_000 } = options;
    for (const [name, value] of Object.entries({ top, maxGroups })) {
      if (value !== Infinity && !(Number.isSafeInteger(value) && value >= 1)) {
        throw new RouterError(
          'ERR_OPTIONS',
          `${kind.name}: ${name} must be a whole number from 1 up, got ${String(value)}`,
        );
      }
    }
    this.#kind = kind;
    this.#by = by;
    this.#readers = readersOf(by, kind.name);
    this.#top = top;
    this.#maxGroups = maxGroups;
  }

  add(record: UsageRecord): void {
    this.#sumsOf(record).add(record);
  }

  #sumsOf(record: UsageRecord): S {
    const values = this.#readers.map((read) => textOf(read(record)));
    const key = keyOf(values);
    const group = this.#groups.get(key);
    if (group !== undefined) return group.sums;
    if (this.#groups.size >= this.#maxGroups) return (this.#other ??= this.#kind.make());
    const sums = this.#kind.make();
    this.#groups.set(key, { values, sums });
    return sums;
  }

  /** Once, at the end: it puts sums together. */
  answer(): Grouped<D, Row> {
    const { make, merge, compare } = this.#kind;
    const groups = [...this.#groups.values()].map(({ values, sums }) => ({
      values,
      sums,
      row: sums.row(),
    }));
    groups.sort((a, b) => compare(a.row, b.row));
    let other = this.#other;
    for (const { sums } of groups.splice(this.#top)) merge((other ??= make()), sums);
    const total = make();
    for (const { sums } of groups) merge(total, sums);
    if (other !== undefined) merge(total, other);
    const times = this.#by.flatMap((dimension, index) => (isTime(dimension) ? [index] : []));
    // Stable: within the same time the largest stays first.
    groups.sort((a, b) => firstDifference(times, a.values, b.values));
    return {
      rows: groups.map(({ values, row }) => ({ ...groupKey(this.#by, values), ...row })),
      other: other?.row() ?? null,
      total: total.row(),
    };
  }
}

/** What is stored may be older or newer than this release. */
function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function groupKey<D extends Dimension>(
  by: readonly D[],
  values: ReadonlyArray<string | undefined>,
): GroupKey<D> {
  const key = Object.fromEntries(by.map((name, index) => [name, values[index] ?? null]));
  if (hasAll(key, by)) return key;
  throw new TypeError('a dimension was lost');
}

function hasAll<D extends Dimension>(key: object, by: readonly D[]): key is GroupKey<D> {
  return by.every((name) => Object.hasOwn(key, name));
}

/** Different for different values, whatever they hold. */
function keyOf(values: ReadonlyArray<string | undefined>): string {
  let key = '';
  for (const value of values) key += value === undefined ? '-' : `${value.length}:${value}`;
  return key;
}

function firstDifference(
  places: readonly number[],
  a: ReadonlyArray<string | undefined>,
  b: ReadonlyArray<string | undefined>,
): number {
  for (const place of places) {
    const [one = '', two = ''] = [a[place], b[place]];
    if (one !== two) return one < two ? -1 : 1;
  }
  return 0;
}
