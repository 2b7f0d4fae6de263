/** How much a router may still take while its store does not answer. Pure. */
import type { OwnUse } from './own-use.ts';
import type { PoolName } from './types.ts';

/** What was known when the store last answered. Times are `Clock.now()`. */
export interface LastKnown {
  readonly at: number;
  /** What this router had used in the window. */
  readonly own: number;
  /** What it held. */
  readonly held: number;
  /** What nobody had used or held. */
  readonly room: number;
}

export interface AwayQuestion {
  readonly pool: PoolName;
  readonly instances: number;
  readonly known: LastKnown | undefined;
  readonly use: OwnUse;
  readonly taken: number;
  readonly leaseMs: number;
}

/**
 * Milliseconds until `units` may be taken. Each of `instances` routers keeps to its share of the limit, and, as long as what the
 * others had may still count, to what it had and half of its share of the rest: half, because others may have been granted of it
 * since. So together they stay within the limit, unless most of the rest went since one of them has heard.
 */
export function shareWaitMs(question: AwayQuestion, units: number, now: number): number {
  const { pool, instances, known, use, taken, leaseMs } = question;
  const share = Math.floor(pool.limit / instances);
  const first = known === undefined ? share : firstShare(known, instances);
  const firstUntil = known === undefined ? 0 : known.at + othersCountMs(pool.window, leaseMs);
  const isFirst = now < firstUntil;
  const cap = pool.window.kind === 'fixed' ? first : isFirst ? Math.min(share, first) : share;
  const most = cap - taken - units;
  if (use.total(now) <= most) return 0;
  const leavesAt = most < 0 ? undefined : use.log.leavesUntil(most);
  const laterAt = isFirst && share > cap && firstUntil < Infinity ? firstUntil : undefined;
  const at = Math.min(leavesAt ?? Infinity, laterAt ?? Infinity);
  return at === Infinity ? Infinity : Math.max(1, at - now);
}

function firstShare({ own, held, room }: LastKnown, instances: number): number {
  return own + held + Math.floor(Math.max(0, room) / (instances === 1 ? 1 : 2 * instances));
}

function othersCountMs(window: PoolName['window'], leaseMs: number): number {
  switch (window.kind) {
    case 'sliding':
      return window.windowMs;
    case 'fixed':
      return Infinity;
    case 'held':
      return leaseMs;
  }
}
