/** The latest ids that were added, up to a number. */
export class LatestIds {
  readonly #ids = new Set<string>();
  /** A ring: taking the first of a large set again and again is slow. */
  readonly #inOrder: string[] = [];
  readonly #max: number;
  #next = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** False when it is among them already. */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false;
    const oldest = this.#inOrder[this.#next];
    if (oldest !== undefined) this.#ids.delete(oldest);
    this.#ids.add(id);
    this.#inOrder[this.#next] = id;
    this.#next = (this.#next + 1) % this.#max;
    return true;
  }
}
