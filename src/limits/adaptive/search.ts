import type { AdmissionLog } from './admission-log.ts';
import type { Phase } from './phase.ts';
import { Stage } from './stage.ts';
import type { Surroundings } from './types.ts';
import { MINUTE_MS } from './window-kind.ts';

/** Each stage asks for so much more: a rough first estimate is often too low by half, and two stages make that up. */
const GROWTH = 1.4;
/** What the provider itself told is seldom off by so much. */
const CLOSE_GROWTH = 1.12;
/** A stage lasts until the refusals that it causes would have come: so many round trips, and so many requests. */
const MIN_HEADS = 2.5;
const MIN_TOKENS = 6;
/** A rate counts as held when this share of it was used. */
const USED_SHARE = 0.8;
/** More in a minute than anybody sends. */
const MAX_RATE = 1e6;

export interface SearchParts {
  readonly log: AdmissionLog;
  readonly surroundings: Surroundings;
  /** The estimate to begin with, in requests a minute. */
  readonly limit: number;
  /** Until then the estimate is held: it came from the provider itself, and it takes that long until it shows. */
  readonly trustedUntil: number;
}

/** After the first refusal the limit is known roughly. Goes up by stages from there, until the next refusal. */
export class Search implements Phase {
  readonly name = 'search';
  readonly limit: number;
  readonly #surroundings: Surroundings;
  readonly #trustedUntil: number;
  readonly #stage: Stage;
  readonly #growth: number;
  #factor = 1;
  #held: number;
  #hasHeld = false;

  constructor({ log, surroundings, limit, trustedUntil }: SearchParts, now: number) {
    this.limit = limit;
    this.#surroundings = surroundings;
    this.#trustedUntil = trustedUntil;
    this.#stage = new Stage(log, now);
    this.#growth = trustedUntil > now ? CLOSE_GROWTH : GROWTH;
    this.#held = limit;
  }

  get rate(): number {
    return this.limit * this.#factor;
  }

  get perMs(): number {
    return this.rate / MINUTE_MS;
  }

  get mostPerMinute(): number {
    return Math.ceil(this.rate);
  }

  /** The highest rate that was used and not refused, in requests a minute; before the first, the estimate. */
  get held(): number {
    return this.#held;
  }

  get hasHeld(): boolean {
    return this.#hasHeld;
  }

  pause(now: number): void {
    this.#stage.restart(now);
  }

  idle(now: number): void {
    this.#stage.idle(this.perMs, now);
  }

  /** Requests wait: goes up when the stage is over. */
  advance(now: number): void {
    if (now < this.#trustedUntil) {
      this.#stage.restart(now);
      return;
    }
    const tokens = MIN_TOKENS * (MINUTE_MS / this.rate);
    const lengthMs = Math.max(MIN_HEADS * this.#surroundings.headMs, tokens);
    if (now - this.#stage.since < lengthMs) return;
    if (this.#stage.isUsed(this.perMs, USED_SHARE, now)) this.#raise();
    this.#stage.restart(now);
  }

  #raise(): void {
    this.#held = this.rate;
    this.#hasHeld = true;
    this.#factor *= this.#growth;
    if (this.rate > MAX_RATE) this.#factor = MAX_RATE / this.limit;
  }
}
