import type { PoolName, Used } from './types.ts';
import { Unreported } from './unreported.ts';
import { UseLog } from './use-log.ts';

/** What this router has used of a pool: what the store has not confirmed yet, and what still counts in the window. */
export class OwnUse {
  readonly #window: PoolName['window'];
  /** For the time that the store is away. */
  readonly log: UseLog;
  #total = 0;
  #unreported: Unreported;
  /** Sent, and not known to have arrived. */
  #pending: { readonly use: Unreported; readonly since: number } | undefined;

  constructor(window: PoolName['window']) {
    this.#window = window;
    this.#unreported = new Unreported(window);
    this.log = new UseLog(window.kind === 'sliding' ? window.windowMs : 0);
  }

  /** Nothing is to be told, and all that was told has arrived. */
  get isConfirmed(): boolean {
    return this.#pending === undefined && this.#unreported.isEmpty;
  }

  /** So much of what is held is gone. */
  get spent(): number {
    return this.#unreported.spent + (this.#pending?.use.spent ?? 0);
  }

  /** Of that, what is in no report yet. */
  get unsent(): number {
    return this.#unreported.spent;
  }

  add(units: number, takenAt: number): void {
    const window = this.#window;
    if (units === 0 || window.kind === 'held') return;
    this.#unreported.add(units, takenAt);
    this.#total += units;
    if (window.kind === 'sliding') this.log.add(units, takenAt + window.windowMs);
  }

  /** In the window. */
  total(now: number): number {
    return this.#window.kind === 'sliding' ? this.log.total(now) : this.#total;
  }

  /** What to tell the store: the same again until it is confirmed. */
  report(sequence: number, now: number): { readonly used: readonly Used[]; usedSince: number } {
    if (this.#pending === undefined) {
      this.#pending = { use: this.#unreported, since: sequence };
      this.#unreported = new Unreported(this.#window);
    }
    return { used: this.#pending.use.report(now), usedSince: this.#pending.since };
  }

  confirm(): void {
    this.#pending = undefined;
  }
}
