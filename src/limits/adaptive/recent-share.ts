/** Counts how many of the events of the last while were of one kind, in twelve steps. */
export class RecentShare {
  readonly #stepMs: number;
  readonly #all = new Uint32Array(STEPS);
  readonly #hits = new Uint32Array(STEPS);
  /** Number of the step that was last written. */
  #step = 0;

  constructor(spanMs: number) {
    this.#stepMs = spanMs / STEPS;
  }

  add(isHit: boolean, now: number): void {
    this.#turn(now);
    this.#all[this.#step % STEPS]! += 1;
    if (isHit) this.#hits[this.#step % STEPS]! += 1;
  }

  /** All events. */
  total(now: number): number {
    this.#turn(now);
    return sum(this.#all);
  }

  hits(now: number): number {
    this.#turn(now);
    return sum(this.#hits);
  }

  clear(): void {
    this.#all.fill(0);
    this.#hits.fill(0);
  }

  #turn(now: number): void {
    const step = Math.floor(now / this.#stepMs);
    if (step - this.#step >= STEPS) this.clear();
    else {
      for (let next = this.#step + 1; next <= step; next++) {
        this.#all[next % STEPS] = this.#hits[next % STEPS] = 0;
      }
    }
    if (step > this.#step) this.#step = step;
  }
}

function sum(counts: Uint32Array): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}

const STEPS = 12;
