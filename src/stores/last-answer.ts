import type { LastKnown } from './away-share.ts';
import type { Exchanged, Heard, PoolName } from './types.ts';

/** What the store said last of a pool, and how long that matters. Times are `Clock.now()`. */
export class LastAnswer {
  readonly #exchanged: Exchanged;
  readonly #receivedAt: number;
  /** What this router had used by then, of which the store knew. */
  readonly #own: number;

  constructor(exchanged: Exchanged, own: number, now: number) {
    this.#exchanged = exchanged;
    this.#own = own;
    this.#receivedAt = now;
  }

  get othersWait(): boolean {
    return this.#exchanged.wanted > 0;
  }

  get isRecovering(): boolean {
    return this.#exchanged.isRecovering;
  }

  room(limit: number): number {
    return limit - this.#exchanged.used - this.#exchanged.heldByAll;
  }

  known(limit: number): LastKnown {
    return {
      at: this.#receivedAt,
      own: this.#own,
      held: this.#exchanged.held,
      room: this.room(limit),
    };
  }

  /** By everybody, and held by others: as long as it was in the window. */
  usedByAll(window: PoolName['window'], now: number): number {
    return this.#isOver(window, now) ? 0 : this.#exchanged.used;
  }

  heldByOthers(window: PoolName['window'], now: number): number {
    return this.#isOver(window, now) ? 0 : this.#exchanged.heldByAll - this.#exchanged.held;
  }

  heard(window: PoolName['window'], now: number): Heard | undefined {
    if (this.#isOver(window, now)) return undefined;
    const { at, used } = this.#exchanged;
    return { at, used, agoMs: Math.floor(now - this.#receivedAt) };
  }

  #isOver(window: PoolName['window'], now: number): boolean {
    const lastsMs = { fixed: Infinity, held: HELD_MS };
    const windowMs = window.kind === 'sliding' ? window.windowMs : lastsMs[window.kind];
    return now - this.#receivedAt >= windowMs;
  }
}

/** Calls seldom take longer. */
const HELD_MS = 60_000;
