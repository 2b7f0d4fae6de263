import type { Permit, RequestEnd } from '../types.ts';

/** What a strategy hears of the requests that it let go. Of each, at most one of `admitted` and `refused` first. */
export interface RateEvents {
  /** The provider took it, or turned it down for a reason other than load. */
  admitted(permit: RatePermit, now: number): void;
  /** Too many requests. */
  refused(permit: RatePermit, now: number): void;
  /** Whatever became of it, once. */
  ended(end: RequestEnd, now: number): void;
}

/** One request, told to a strategy as it concerns its rate. Faults and overload of the provider do not. */
export class RatePermit implements Permit {
  readonly sentAt: number;
  /** Somebody had to wait for it to go: the rate was used up. */
  readonly hasWaited: boolean;
  readonly #events: RateEvents;
  #isAdmitted = false;
  #isOver = false;

  constructor(events: RateEvents, sentAt: number, hasWaited: boolean) {
    this.#events = events;
    this.sentAt = sentAt;
    this.hasWaited = hasWaited;
  }

  begin(_header: unknown, now: number): void {
    if (this.#isOver || this.#isAdmitted) return;
    this.#isAdmitted = true;
    this.#events.admitted(this, now);
  }

  progress(): void {}

  end(end: RequestEnd, now: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { kind } = end.verdict;
    if (kind === 'rate') this.#events.refused(this, now);
    else if (kind === 'ok' && !this.#isAdmitted) this.#events.admitted(this, now);
    this.#events.ended(end, now);
  }
}
