import { waitUntil } from '../rules/wait-until.ts';

/** Nothing is sent before the provider said to come again. */
export class RetryGate {
  #opensAt = -Infinity;

  close(retryAfterMs: number | undefined, now: number): void {
    if (retryAfterMs === undefined || !(retryAfterMs > 0)) return;
    this.#opensAt = Math.max(this.#opensAt, now + Math.min(retryAfterMs, MAX_CLOSED_MS));
  }

  waitMs(now: number): number {
    return waitUntil(this.#opensAt, now);
  }
}

/** A provider that says more is asked again after an hour: a slip of its clock must not stop everything. */
const MAX_CLOSED_MS = 3_600_000;
