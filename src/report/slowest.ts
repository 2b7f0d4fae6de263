import { RouterError } from '../errors.ts';
import type { Outcome, UsageRecord } from '../types.ts';
import type { Dimension } from './dimensions.ts';
import { Groups, type Grouped, type GroupOptions, type Sums, type SumsKind } from './groups.ts';
import { Quantiles } from './quantiles.ts';
import type { Question } from './question.ts';
import { descending, known } from './sums.ts';

/** What is timed, as in `UsageRecord.timing`. */
export type TimingName = keyof UsageRecord['timing'];

export interface SlowestOptions<D extends Dimension> extends Omit<GroupOptions<D>, 'top'> {
  /** Default `durationMs`. */
  of?: TimingName | undefined;
  /** How many calls are named, at most 10,000. Default 10. */
  top?: number | undefined;
}

/** How long some calls took, in milliseconds. Percentiles are exact up to 1000 calls, then within 1 %. */
export type Durations = {
  /** Calls that have this time: one that was refused has no first chunk. */
  readonly calls: number;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly max: number | null;
};

export type SlowCall = {
  readonly callId: string;
  readonly startedAt: string;
  /** The one that answered, else the one that was asked for. */
  readonly model: string | null;
  readonly provider: string;
  readonly tenant: string | null;
  readonly outcome: Outcome;
  readonly queuedMs: number;
  readonly timeToFirstChunkMs: number | null;
  readonly durationMs: number;
};

export type SlowestAnswer<D extends Dimension> = Grouped<D, Durations> & {
  /** The slowest first. */
  readonly slowest: readonly SlowCall[];
};

/** The calls that took longest, and percentiles over all, by any dimensions. */
export function slowest<const D extends Dimension = never>(
  options: SlowestOptions<D> = {},
): Question<SlowestAnswer<D>> {
  const { of = 'durationMs', top = 10, ...groupOptions } = options;
  if (!Number.isSafeInteger(top) || top < 1 || top > MAX_TOP) {
    throw bad(`top must be a whole number from 1 to ${MAX_TOP}, got ${String(top)}`);
  }
  if (!TIMINGS.includes(of)) {
    throw bad(`of must be any of ${TIMINGS.join(', ')}, got ${of}`);
  }
  return () => {
    const groups = new Groups(kindOf(of), groupOptions);
    const longest = new Longest(top);
    return {
      add(record) {
        const ms = known(record.timing[of]);
        if (!record.final || ms === undefined) return;
        groups.add(record);
        longest.add(ms, record);
      },
      answer: () => ({ ...groups.answer(), slowest: longest.calls() }),
    };
  };
}

const MAX_TOP = 10_000;

const TIMINGS: readonly TimingName[] = [
  'queuedMs',
  'heldMs',
  'timeToHeadersMs',
  'timeToFirstChunkMs',
  'durationMs',
];

function bad(what: string): RouterError {
  return new RouterError('ERR_OPTIONS', `slowest: ${what}`);
}

/** The slowest calls so far, the slowest first. Of equals the earlier one stays. */
class Longest {
  readonly #top: number;
  readonly #kept: Array<{ readonly ms: number; readonly call: SlowCall }> = [];

  constructor(top: number) {
    this.#top = top;
  }

  add(ms: number, record: UsageRecord): void {
    const least = this.#kept.at(-1);
    if (this.#kept.length === this.#top && least !== undefined && !(ms > least.ms)) return;
    let [low, high] = [0, this.#kept.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#kept[middle]!.ms >= ms) low = middle + 1;
      else high = middle;
    }
    this.#kept.splice(low, 0, { ms, call: slowCall(record) });
    if (this.#kept.length > this.#top) this.#kept.pop();
  }

  calls(): SlowCall[] {
    return this.#kept.map(({ call }) => call);
  }
}

/** Not the record: it may hold whole prompts. */
function slowCall({
  callId,
  startedAt,
  provider,
  outcome,
  timing,
  ...record
}: UsageRecord): SlowCall {
  return {
    callId,
    startedAt,
    model: record.responseModel ?? record.requestModel ?? null,
    provider,
    tenant: record.context.tenant ?? null,
    outcome,
    queuedMs: timing.queuedMs,
    timeToFirstChunkMs: timing.timeToFirstChunkMs ?? null,
    durationMs: timing.durationMs,
  };
}

class DurationSums implements Sums<Durations> {
  readonly #of: TimingName;
  readonly #quantiles = new Quantiles();

  constructor(of: TimingName) {
    this.#of = of;
  }

  add({ timing }: UsageRecord): void {
    const ms = known(timing[this.#of]);
    if (ms !== undefined) this.#quantiles.add(ms);
  }

  merge(other: DurationSums): void {
    this.#quantiles.merge(other.#quantiles);
  }

  row(): Durations {
    const quantiles = this.#quantiles;
    return {
      calls: quantiles.count,
      p50: quantiles.at(0.5),
      p90: quantiles.at(0.9),
      p95: quantiles.at(0.95),
      p99: quantiles.at(0.99),
      max: quantiles.max,
    };
  }
}

function kindOf(of: TimingName): SumsKind<Durations, DurationSums> {
  return {
    name: 'slowest',
    make: () => new DurationSums(of),
    merge: (into, from) => into.merge(from),
    compare: (a, b) => descending(a.p95, b.p95) || b.calls - a.calls,
  };
}
