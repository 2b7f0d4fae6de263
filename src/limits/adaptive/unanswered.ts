import type { Sent } from './types.ts';

/** The requests whose answers have not begun, and how long that usually takes. */
export class Unanswered {
  /** In the order of sending. */
  readonly #requests = new Set<Sent>();
  #meanMs = FIRST_MS;
  #slowestMs = 0;
  #samples = 1;
  #heardAt = -Infinity;

  get size(): number {
    return this.#requests.size;
  }

  /** From sending to the head of an answer, smoothed. */
  get meanMs(): number {
    return this.#meanMs;
  }

  /** No answer takes so long to begin. Those that come whole take as long as they are written. */
  get patienceMs(): number {
    return 4000 + Math.max(4 * this.#meanMs, 1.5 * this.#slowestMs);
  }

  /** Hardly any answer takes so long to begin: another request may try. */
  get tryMs(): number {
    return 1000 + 2 * Math.max(this.#meanMs, this.#slowestMs);
  }

  /** Whether any head has come yet. */
  get hasHeard(): boolean {
    return this.#samples > 1;
  }

  /** How long to wait before anything is known of the provider: a few may go at once, and one more with each second. */
  coldWaitMs(now: number): number {
    if (this.hasHeard || this.#requests.size < COLD) return 0;
    for (const oldest of this.#requests) {
      return Math.max(0, oldest.sentAt + (this.#requests.size - COLD + 1) * COLD_MS - now);
    }
    return 0;
  }

  add(request: Sent): void {
    this.#requests.add(request);
  }

  /** The head of its answer is here. */
  answered(request: Sent, now: number): void {
    this.#requests.delete(request);
    const ms = Math.max(0, now - request.sentAt);
    this.#meanMs += Math.max(WEIGHT, 1 / ++this.#samples) * (ms - this.#meanMs);
    this.#slowestMs = Math.max(ms, this.#slowestMs * FORGET);
    this.#heardAt = now;
  }

  /** It ended otherwise. A refusal is a sign of life, a failure is none. */
  ended(request: Sent, isAlive: boolean, now: number): void {
    this.#requests.delete(request);
    if (isAlive) this.#heardAt = now;
  }

  /** How many wait for so long that hardly any answer takes so long to begin, and how long until it is one more. */
  overdue(now: number): { readonly count: number; readonly nextMs: number } {
    const { tryMs } = this;
    let count = 0;
    for (const { sentAt } of this.#requests) {
      if (now - sentAt < tryMs) return { count, nextMs: sentAt + tryMs - now };
      count++;
    }
    return { count, nextMs: Infinity };
  }

  /** Several requests wait for their answers, and nothing has been heard for longer than that ever takes. */
  isSilent(now: number): boolean {
    if (this.#requests.size < SEVERAL || !this.hasHeard) return false;
    const patience = this.patienceMs;
    if (now - this.#heardAt <= patience) return false;
    for (const oldest of this.#requests) return now - oldest.sentAt > patience;
    return false;
  }
}

/** Until the first head is here, which tells the limits of most providers. */
const COLD = 4;
const COLD_MS = 1000;
const FIRST_MS = 800;
const WEIGHT = 0.1;
const FORGET = 0.99;
const SEVERAL = 3;
