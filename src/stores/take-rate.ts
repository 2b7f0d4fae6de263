/** How much is taken, as of late. Times are `Clock.now()`. */
export class TakeRate {
  #perMs = 0;
  #at = 0;

  add(units: number, now: number): void {
    this.#perMs = this.perMs(now) + units / MEMORY_MS;
    this.#at = now;
  }

  perMs(now: number): number {
    return this.#perMs * Math.exp((this.#at - now) / MEMORY_MS);
  }
}

const MEMORY_MS = 1_000;
