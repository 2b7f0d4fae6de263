/** A median, and the quartiles around it. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    low: quantile(sorted, 0.25),
    high: quantile(sorted, 0.75),
  };
}

/** Round by round, since neighbours in time share the machine's mood: the median of ratios, not the ratio of medians. */
export function pairedRatio(values: readonly number[], reference: readonly number[]): Spread {
  return spread(pairs(values, reference).map(([value, other]) => value / other));
}

export function pairedDifference(values: readonly number[], reference: readonly number[]): Spread {
  return spread(pairs(values, reference).map(([value, other]) => value - other));
}

function pairs(
  values: readonly number[],
  reference: readonly number[],
): Array<readonly [number, number]> {
  if (values.length !== reference.length || values.length === 0) {
    throw new Error(`${values.length} values cannot be paired with ${reference.length}.`);
  }
  return values.map((value, index) => [value, reference[index]!]);
}

function quantile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)];
  const above = sorted[Math.ceil(at)];
  if (below === undefined || above === undefined) throw new Error('There is no value to rank.');
  return below + (above - below) * (at - Math.floor(at));
}
