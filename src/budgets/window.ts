import type { BudgetRule } from './settings.ts';

/** A stretch of time in which a budget counts. Times are milliseconds since the epoch. */
export interface BudgetWindow {
  readonly startsAt: number;
  readonly endsAt: number;
}

/** The window that a time is in. Days and months are those of UTC. */
export function windowAt(window: BudgetRule['window'], at: number): BudgetWindow {
  if (typeof window === 'object') {
    const startsAt = Math.floor(at / window.ms) * window.ms;
    return { startsAt, endsAt: startsAt + window.ms };
  }
  const date = new Date(at);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  return window === 'day'
    ? { startsAt: Date.UTC(year, month, day), endsAt: Date.UTC(year, month, day + 1) }
    : { startsAt: Date.UTC(year, month), endsAt: Date.UTC(year, month + 1) };
}

/** As messages say it. */
export function nameOfWindow(window: BudgetRule['window']): string {
  return typeof window === 'object' ? `${window.ms} ms` : window;
}
