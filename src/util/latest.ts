/**
 * The latest entries: at least `size` of them and at most twice as many. In two generations, because removing the first of a large map
 * again and again is slow.
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

/** A hundred batches of the usual size: what delivery repeats comes soon. */
const IDS_OF_DELIVERY = 20_000;

/** The latest ids, kept as `Latest` keeps its entries. Default 20,000, enough to know a batch that delivery repeats. */
export class LatestIds {
  readonly #ids: Latest<true>;

  constructor(size: number = IDS_OF_DELIVERY) {
    this.#ids = new Latest(size);
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** `false` when it is among them already. */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.set(id, true);
    return true;
  }
}
