import type { Phase } from './phase.ts';
import { MINUTE_MS } from './window-kind.ts';

/** So much below the limit: clocks and transit times vary, and a refusal costs more than one request in eighty. */
const MARGIN = 0.012;

/** Of a limit in requests a minute, what is sent in a millisecond. */
export function cruisePerMs(limit: number): number {
  return (limit * (1 - MARGIN)) / MINUTE_MS;
}

/** Sends at the limit believed in. Most of the time is spent here. */
export class Cruise implements Phase {
  readonly name = 'cruise';
  readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  get rate(): number {
    return this.limit;
  }

  get perMs(): number {
    return cruisePerMs(this.limit);
  }

  get mostPerMinute(): number {
    return Math.round(this.limit);
  }

  pause(): void {}

  idle(): void {}
}
