import type { UsageRecord } from '../types.ts';
import type { RecordSource, Waiting } from './record-source.ts';

/** First in, first out, in constant time: a ring that doubles when it is full. Its user keeps it bounded. */
export class RecordQueue implements RecordSource {
  #slots: Array<UsageRecord | undefined> = Array.from({ length: 64 });
  #head = 0;
  #length = 0;
  #taken = 0;
  #settled = 0;

  get length(): number {
    return this.#length;
  }

  get taken(): number {
    return this.#taken;
  }

  get settled(): number {
    return this.#settled;
  }

  get end(): number {
    return this.#taken + this.#length;
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
    this.#taken++;
    return record;
  }

  take(count: number): Waiting[] {
    const taken: Waiting[] = [];
    while (taken.length < count) {
      const position = this.#taken;
      const record = this.shift();
      if (record === undefined) break;
      taken.push({ record, source: this, position });
    }
    return taken;
  }

  settle(before: number): void {
    this.#settled = before;
  }

  /** Forgets all records and gives their memory back. */
  clear(): void {
    this.#slots = Array.from({ length: 64 });
    this.#head = 0;
    this.#taken += this.#length;
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
