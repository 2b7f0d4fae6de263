import type { Random } from '../../types.ts';
import { RecentShare } from './recent-share.ts';
import type { Sent } from './types.ts';
import type { Unanswered } from './unanswered.ts';

/**
 * Holds back while a provider fails: 5xx, overload, network errors, and answers that do not begin at all. After a while it
 * lets one request through, then one more with each that is answered, so their number doubles with every round trip. What
 * is known of the limits stays as it is.
 */
export class FaultGate {
  readonly #random: Random;
  readonly #unanswered: Unanswered;
  #state: 'working' | 'failing' | 'trying' = 'working';
  #retryAt = 0;
  #failedAt = -Infinity;
  #triedSince = 0;
  #backoffMs = LEAST_BACKOFF_MS;
  /** So many tries at a time. */
  #allowed = 1;
  #tries: Sent[] = [];
  #failedInARow = 0;
  readonly #recent = new RecentShare(10_000);

  constructor(random: Random, unanswered: Unanswered) {
    this.#random = random;
    this.#unanswered = unanswered;
  }

  get state(): 'working' | 'failing' | 'trying' {
    return this.#state;
  }

  /** How long nothing goes, whatever happens. */
  closedMs(now: number): number {
    return this.#state === 'failing' ? Math.max(0, this.#retryAt - now) : 0;
  }

  waitMs(now: number): number {
    if (this.#state === 'working') {
      if (!this.#unanswered.isSilent(now)) return 0;
      this.#fail(SILENT_BACKOFF_MS, now);
    }
    if (this.#state === 'failing') {
      if (now < this.#retryAt) return this.#retryAt - now;
      this.#try(now);
    }
    return this.#waitForTries(now);
  }

  sent(request: Sent): void {
    if (this.#state === 'trying') this.#tries.push(request);
  }

  /** The head of an answer is here, or a refusal for another reason. */
  succeeded(request: Sent, now: number): void {
    this.#recent.add(false, now);
    this.#failedInARow = 0;
    if (this.#state !== 'trying' || request.sentAt < this.#triedSince) return;
    if (++this.#allowed <= ENOUGH) return;
    this.#state = 'working';
    this.#backoffMs = LEAST_BACKOFF_MS;
    this.#tries = [];
  }

  /** `retryAfterMs`: when to come again, where the provider said so. */
  failed(request: Sent, retryAfterMs: number | undefined, now: number): void {
    this.#recent.add(true, now);
    this.#failedInARow++;
    const isTry = this.#state === 'trying' && request.sentAt >= this.#triedSince;
    if (!isTry && !this.#isBad(request, now)) return;
    const isFirstTry = isTry && this.#allowed <= 2;
    this.#backoffMs = isFirstTry
      ? Math.min(MOST_BACKOFF_MS, this.#backoffMs * 2)
      : LEAST_BACKOFF_MS;
    this.#fail(Math.max(Math.min(retryAfterMs ?? 0, MOST_ASKED_MS), this.#jittered()), now);
  }

  #isBad(request: Sent, now: number): boolean {
    if (this.#state !== 'working' || request.sentAt < this.#failedAt) return false;
    if (this.#failedInARow >= 4) return true;
    const bad = this.#recent.hits(now);
    return bad >= 3 && bad >= this.#recent.total(now) / 2;
  }

  #fail(ms: number, now: number): void {
    this.#state = 'failing';
    this.#failedAt = now;
    this.#retryAt = now + ms;
    this.#tries = [];
    this.#recent.clear();
  }

  #try(now: number): void {
    this.#state = 'trying';
    this.#triedSince = now;
    this.#allowed = 1;
  }

  #waitForTries(now: number): number {
    if (this.#tries.length > 0) this.#tries = this.#tries.filter(({ fate }) => fate === 'open');
    const patience = this.#unanswered.tryMs;
    const oldest = this.#tries[0];
    if (oldest === undefined) return 0;
    if (now - oldest.sentAt > patience) {
      this.#backoffMs = Math.min(SILENT_BACKOFF_MS, this.#backoffMs * 2);
      this.#fail(this.#jittered(), now);
      return this.#retryAt - now;
    }
    return this.#tries.length < this.#allowed ? 0 : oldest.sentAt + patience - now + 1;
  }

  #jittered(): number {
    return this.#backoffMs * (0.75 + 0.5 * this.#random());
  }
}

const LEAST_BACKOFF_MS = 500;
const MOST_BACKOFF_MS = 2500;
/** When answers stay out. */
const SILENT_BACKOFF_MS = 2000;
/** The most that a failing provider may ask for. */
const MOST_ASKED_MS = 60_000;
/** So many answers, and it works again. */
const ENOUGH = 16;
