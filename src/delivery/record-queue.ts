import type { UsageRecord } from '../types.ts';

/** First in, first out, in constant time: a ring that doubles when it is full. Its user keeps it bounded. */
export class RecordQueue {
  #slots: Array<UsageRecord | undefined> = Array.from({ length: 64 });
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(record: UsageRecord): void {
    if (this.#length === this.#slots.length) this.#grow();
    // The number of slots is a power of two.
    this.#slots[(this.#head + this.#length) & (this.#slots.length - 1)] = record;
    this.#length++;
  }

  shift(): UsageRecord | undefined {
    if (this.#length === 0) return undefined;
    const record = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#slots.length - 1);
    this.#length--;
    return record;
  }

  /** The oldest `count` records, or as many as there are. */
  take(count: number): UsageRecord[] {
    const taken: UsageRecord[] = [];
    while (taken.length < count) {
      const record = this.shift();
      if (record === undefined) break;
      taken.push(record);
    }
    return taken;
  }

  /** Forgets all records and gives their memory back. */
  clear(): void {
    this.#slots = Array.from({ length: 64 });
    this.#head = 0;
    this.#length = 0;
  }

  #grow(): void {
    const { length } = this.#slots;
    const slots = [...this.#slots.slice(this.#head), ...this.#slots.slice(0, this.#head)];
    slots.length = length * 2;
    this.#slots = slots;
    this.#head = 0;
  }
}
