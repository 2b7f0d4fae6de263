/** Ids that came lately, at least so many. In two generations: when the newer is full the older one is forgotten. */
export class RecentIds {
  readonly #remember: number;
  #newer = new Set<string>();
  #older = new Set<string>();

  constructor(remember: number) {
    this.#remember = remember;
  }

  /** `false` when it came lately. */
  add(id: string): boolean {
    if (this.#newer.has(id) || this.#older.has(id)) return false;
    if (this.#newer.size >= this.#remember) {
      this.#older = this.#newer;
      this.#newer = new Set();
    }
    this.#newer.add(id);
    return true;
  }
}
