/**
 * Which records of a batch to write next, so that one record that a sink never takes (poison) does not hold up the rest
 * for ever. Pure: the lane carries it out.
 *
 * `whole`: all. `part`: the first `size`, halved until the record at the front fails alone. `witness`: only the record at
 * `at`, while the one at the front is under suspicion. When a witness is taken the sink works and the front is poison;
 * when none is, the sink is taken to be down and nobody is to blame. The witnesses of a round stand ever further apart,
 * because what one record has its neighbours often have too; each further round starts one place further on, so that in
 * time every record that waits is asked.
 */
export type Probe =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly size: number }
  | { readonly kind: 'witness'; readonly at: number };

/** After so many failures in a row (13 s on average) a whole batch is taken apart. */
export const FAILURES_BEFORE_PARTS = 8;

export const wholeBatch: Probe = { kind: 'whole' };

export interface ProbeScope {
  /** How many records may be written at once. */
  readonly batchSize: number;
  /** How many wait, those of the batch included. */
  readonly pending: number;
}

/** `failures`: of the whole batch in a row, this one included. */
export function probeAfterFailure(probe: Probe, failures: number, scope: ProbeScope): Probe {
  const { batchSize, pending } = scope;
  if (probe.kind === 'witness') {
    const at = probe.at * 2;
    return at <= batchSize ? { kind: 'witness', at } : wholeBatch;
  }
  if (probe.kind === 'whole' && failures % FAILURES_BEFORE_PARTS !== 0) return wholeBatch;
  const size = probe.kind === 'part' ? probe.size : Math.min(batchSize, pending);
  if (size > 1) return { kind: 'part', size: Math.ceil(size / 2) };
  const earlierRounds = Math.max(0, Math.ceil(failures / FAILURES_BEFORE_PARTS) - 1);
  return { kind: 'witness', at: 1 + (earlierRounds % Math.max(1, pending - 1)) };
}

/**
 * `left`: what the batch still holds. It is one part then, not the whole: what is left of a part that was taken holds the
 * poison, and where there was one poison there may be a second, so the next failure takes it apart at once.
 */
export function probeAfterSuccess(probe: Probe, left: number, batchSize: number): Probe {
  if (left === 0) return wholeBatch;
  return { kind: 'part', size: Math.min(probe.kind === 'part' ? probe.size : batchSize, left) };
}
