/** How the items of a heap are ordered, and where each keeps its place, so that it can be found again. */
export interface HeapOrder<T> {
  isBefore(a: T, b: T): boolean;
  /** What was set last; `NO_PLACE` before that. */
  placeOf(item: T): number;
  setPlace(item: T, place: number): void;
}

/** The place of an item that is in no heap. */
export const NO_PLACE = -1;

/** A binary heap, the first item on top. Its items know their places, so any of them can be taken out in O(log n). */
export class Heap<T> {
  readonly #order: HeapOrder<T>;
  readonly #items: T[] = [];

  constructor(order: HeapOrder<T>) {
    this.#order = order;
  }

  get size(): number {
    return this.#items.length;
  }

  /** Takes an item that is not in it. */
  push(item: T): void {
    this.#items.push(item);
    this.#rise(item, this.#items.length - 1);
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  pop(): T | undefined {
    const first = this.#items[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** `false` when it is not in it. */
  remove(item: T): boolean {
    const place = this.#order.placeOf(item);
    if (this.#items[place] !== item) return false;
    const last = this.#items.pop()!;
    if (last !== item) this.#settle(last, place);
    this.#order.setPlace(item, NO_PLACE);
    return true;
  }

  /** Moves an item of it to where it belongs, now that it compares differently. */
  update(item: T): void {
    this.#settle(item, this.#order.placeOf(item));
  }

  #settle(item: T, place: number): void {
    const parent = this.#items[(place - 1) >> 1];
    if (place > 0 && this.#order.isBefore(item, parent!)) this.#rise(item, place);
    else this.#sink(item, place);
  }

  #rise(item: T, from: number): void {
    const order = this.#order;
    const items = this.#items;
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = items[above]!;
      if (!order.isBefore(item, parent)) break;
      items[place] = parent;
      order.setPlace(parent, place);
      place = above;
    }
    items[place] = item;
    order.setPlace(item, place);
  }

  #sink(item: T, from: number): void {
    const order = this.#order;
    const items = this.#items;
    let place = from;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= items.length) break;
      if (below + 1 < items.length && order.isBefore(items[below + 1]!, items[below]!)) below++;
      const child = items[below]!;
      if (!order.isBefore(child, item)) break;
      items[place] = child;
      order.setPlace(child, place);
      place = below;
    }
    items[place] = item;
    order.setPlace(item, place);
  }
}
