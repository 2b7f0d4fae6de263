import type { UsageRecord } from '../types.ts';
import { RecordQueue } from './record-queue.ts';
import type { RecordSource, Waiting } from './record-source.ts';

/** What one lane has: its sources and the batch that was taken from them. Knows what of it is settled, and who waits for that. */
export class LaneStock {
  /** Taken from the sources and not settled. Its owner takes out what is stored or dropped, and then calls `settle`. */
  readonly batch: Waiting[] = [];
  readonly #memory = new RecordQueue();
  /** In the order in which they are emptied; memory is the last. */
  #sources: readonly RecordSource[] = [this.#memory];
  /** Some of what is taken is not in the batch yet. */
  #isTaking = false;
  #waiters: Waiter[] = [];

  /** How many records wait in all sources. */
  get waiting(): number {
    let count = 0;
    for (const { length } of this.#sources) count += length;
    return count;
  }

  /** How many are in memory, those of the batch included, whatever their source. */
  get inMemory(): number {
    return this.batch.length + this.#memory.length;
  }

  get hasWaiters(): boolean {
    return this.#waiters.length > 0;
  }

  push(record: UsageRecord): void {
    this.#memory.push(record);
  }

  /** `first`: before all others. `last`: after all others but memory. */
  addSource(source: RecordSource, place: 'first' | 'last'): void {
    const files = this.#sources.slice(0, -1);
    const inOrder = place === 'first' ? [source, ...files] : [...files, source];
    this.#sources = [...inOrder, this.#memory];
  }

  removeSource(source: RecordSource): void {
    this.#sources = this.#sources.filter((other) => other !== source);
  }

  /** Takes up to so many more into the batch. */
  take(count: number): void {
    const goal = this.batch.length + count;
    this.#isTaking = true;
    for (const source of this.#sources) {
      if (this.batch.length >= goal) break;
      for (const waiting of source.take(goal - this.batch.length)) this.batch.push(waiting);
    }
    this.#isTaking = false;
    // What a source turned out not to have.
    this.settle();
  }

  /**
   * Drops the oldest record in memory that is not being written. Returns whether that was the first of the batch, which is then
   * another batch.
   */
  dropOldest(isWriting: boolean): boolean {
    const isFirst = !isWriting && this.batch[0]?.source === this.#memory;
    if (isFirst) this.batch.shift();
    else this.#memory.shift();
    this.settle();
    return isFirst;
  }

  /** Forgets what is in memory and waits for nothing any more; what is in files stays there. Returns how many that were. */
  abandon(): number {
    const stays = this.batch.filter(({ source }) => source !== this.#memory);
    const dropped = this.batch.length - stays.length + this.#memory.length;
    this.batch.splice(0, this.batch.length, ...stays);
    this.#memory.clear();
    for (const { resolve } of this.#waiters) resolve();
    this.#waiters = [];
    return dropped;
  }

  /** Resolves when all that is here now is settled. */
  settled(): Promise<void> {
    const goals = this.#sources.map((source) => ({ source, before: source.end }));
    return new Promise((resolve) => {
      this.#waiters.push({ goals, resolve });
    });
  }

  /** Tells each source up to where its records are settled, and whoever waits for that. */
  settle(): void {
    if (this.#isTaking) return;
    for (const source of this.#sources) {
      const first = this.batch.find((waiting) => waiting.source === source);
      const before = first?.position ?? source.taken;
      if (before > source.settled) source.settle(before);
    }
    if (this.#waiters.length === 0) return;
    const waiters = this.#waiters;
    this.#waiters = waiters.filter((waiter) => !isReached(waiter));
    for (const waiter of waiters) if (isReached(waiter)) waiter.resolve();
  }
}

interface Waiter {
  readonly goals: ReadonlyArray<{ readonly source: RecordSource; readonly before: number }>;
  readonly resolve: () => void;
}

function isReached({ goals }: Waiter): boolean {
  return goals.every(({ source, before }) => source.settled >= before);
}
