/**
 * The latest entries: at least `size` of them and at most twice as many. In two generations, because taking the first of a large map again
 * and again is slow.
 */
export class Latest<Value> {
  readonly #size: number;
  #young = new Map<string, Value>();
  #old: ReadonlyMap<string, Value> = new Map();

  constructor(size: number) {
    this.#size = size;
  }

  has(key: string): boolean {
    return this.#young.has(key) || this.#old.has(key);
  }

  get(key: string): Value | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  set(key: string, value: Value): void {
    this.#young.set(key, value);
    if (this.#young.size < this.#size) return;
    this.#old = this.#young;
    this.#young = new Map();
  }
}

/** How many ids are known at least, so that a batch that comes twice is not given out twice: more than the largest batch has. */
export const SEEN_IDS = 20_000;
