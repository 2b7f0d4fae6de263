import type { Clock } from '../types.ts';

/**
 * Why a record did not get into a sink. `overflow`: too many were waiting in memory. `poison`: the sink takes others but never
 * this one. `closed`: it came after `close`, or `close` ran out of time. `spool-full`: too many were waiting on the disk.
 * `spool-corrupt`: it was in a file that is damaged.
 */
export type DropReason = 'overflow' | 'poison' | 'closed' | 'spool-full' | 'spool-corrupt';

export interface SinkDrop {
  /** The sink's name. */
  readonly sink: string;
  readonly reason: DropReason;
  /** How many records since the last report. */
  readonly count: number;
}

/** How long drops are gathered before they are reported. */
const BURST_MS = 1_000;

/**
 * Gathers drops and reports each burst once, off the path of the call that caused it. Owns one timer, set only while
 * there is something to report. At most one entry per sink and reason.
 */
export class DropReporter {
  readonly #clock: Clock;
  readonly #onDrop: ((drop: SinkDrop) => void) | undefined;
  readonly #gathered = new Map<object, Map<DropReason, SinkDrop>>();
  #timer: unknown;

  constructor(clock: Clock, onDrop: ((drop: SinkDrop) => void) | undefined) {
    this.#clock = clock;
    this.#onDrop = onDrop;
  }

  /** `lane` tells sinks of the same name apart. */
  add(lane: object, sink: string, reason: DropReason, count: number): void {
    if (this.#onDrop === undefined) return;
    let drops = this.#gathered.get(lane);
    if (drops === undefined) this.#gathered.set(lane, (drops = new Map()));
    drops.set(reason, { sink, reason, count: count + (drops.get(reason)?.count ?? 0) });
    this.#timer ??= this.#clock.setTimeout(() => this.report(), BURST_MS);
  }

  /** Reports now what was gathered. */
  report(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    const lanes = [...this.#gathered.values()];
    this.#gathered.clear();
    for (const drops of lanes) for (const drop of drops.values()) this.#tell(drop);
  }

  /** A listener that throws or rejects is no one's trouble. */
  #tell(drop: SinkDrop): void {
    void new Promise<void>((resolve) => resolve(this.#onDrop?.(drop))).catch(() => undefined);
  }
}
