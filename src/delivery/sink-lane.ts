import type { Clock, Random, Sink, UsageRecord } from '../types.ts';
import { backoffMs } from './backoff.ts';
import type { DropReason, DropReporter } from './drop-reporter.ts';
import { errorLabel } from './error-label.ts';
import type { ErrorLabel } from './error-label.ts';
import { LaneStock } from './lane-stock.ts';
import { probeAfterFailure, probeAfterSuccess, wholeBatch } from './probe.ts';
import type { Probe } from './probe.ts';
import type { RecordSource, Waiting } from './record-source.ts';

/**
 * `idle`: nothing to do, no timer. `waiting`: records are queued, a timer will write them. `writing`: one write is in
 * flight, no timer. `retrying`: the batch was rejected, a timer will write it again. `closed`: the end.
 */
export type LaneState = 'idle' | 'waiting' | 'writing' | 'retrying' | 'closed';

export interface SinkSnapshot {
  readonly name: string;
  readonly state: LaneState;
  /** Accepted, neither stored nor dropped yet. */
  readonly pending: number;
  readonly written: number;
  readonly dropped: Readonly<Record<DropReason, number>>;
  /** How many writes were rejected. */
  readonly retries: number;
  /** The latest rejection; stays after a success. */
  readonly lastError?: ErrorLabel | undefined;
}

export interface LaneOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly batchSize: number;
  readonly flushIntervalMs: number;
  readonly maxMemoryRecords: number;
  readonly drops: DropReporter;
  /** Keeps a record that the sink never takes. */
  readonly bury?: ((sink: string, record: UsageRecord, error?: ErrorLabel) => void) | undefined;
}

/** One sink's way: what it has (lane-stock.ts), its one timer and its one write in flight. See delivery.ts. */
export class SinkLane {
  /** Names the sink in files. */
  readonly key: string;
  readonly #sink: Sink;
  readonly #options: LaneOptions;
  /** Its batch is non-empty exactly in `writing`, `retrying` and between two parts. */
  readonly #stock = new LaneStock();
  #state: LaneState = 'idle';
  #timer: unknown;
  /** The timer that is set fires without waiting for more records. */
  #isDue = false;
  #isHurried = false;
  #probe: Probe = wholeBatch;
  /** Of the whole batch, in a row. */
  #failures = 0;
  #closing = false;
  #ended: Promise<void> | undefined;
  #written = 0;
  readonly #dropped: Record<DropReason, number> = {
    overflow: 0,
    poison: 0,
    closed: 0,
    'spool-full': 0,
    'spool-corrupt': 0,
  };
  #retries = 0;
  #lastError: ErrorLabel | undefined;

  constructor(sink: Sink, key: string, options: LaneOptions) {
    this.#sink = sink;
    this.key = key;
    this.#options = options;
  }

  /** Takes a record into memory. */
  push(record: UsageRecord): void {
    if (this.#closing) {
      this.#drop('closed', 1);
      return;
    }
    this.#stock.push(record);
    if (this.#stock.inMemory > this.#options.maxMemoryRecords) {
      // Then a write is in flight or its timer is set, and there is nothing to start.
      this.#dropOldest();
      return;
    }
    this.arrived();
  }

  /** Records have come to a source. Never written from here: a sink may do its work synchronously, and a call would wait for it. */
  arrived(): void {
    const { batchSize, flushIntervalMs, maxMemoryRecords } = this.#options;
    const { waiting } = this.#stock;
    if (this.#state === 'idle') this.#wait(waiting >= batchSize ? 0 : flushIntervalMs);
    else if (this.#state === 'waiting' && waiting >= batchSize && !this.#isDue) this.#wait(0);
    if (waiting > Math.max(batchSize, (maxMemoryRecords >> 1) - 1)) this.#hurry();
  }

  addSource(source: RecordSource, place: 'first' | 'last'): void {
    this.#stock.addSource(source, place);
  }

  removeSource(source: RecordSource): void {
    this.#stock.removeSource(source);
  }

  /** So many records of its sources will not come. */
  lost(reason: DropReason, count: number): void {
    this.#drop(reason, count);
    this.#stock.settle();
  }

  /** Timers never run in a program that goes from promise to promise (calls answered in memory); microtasks do. */
  #hurry(): void {
    if (this.#isHurried) return;
    this.#isHurried = true;
    queueMicrotask(() => {
      if (this.#state === 'waiting') this.#write();
    });
  }

  /** Resolves when every record pushed so far is stored or dropped and the sink has flushed what it holds. */
  async flush(): Promise<void> {
    await this.#settled();
    if (this.#state !== 'closed') await this.#ask(() => this.#sink.flush?.());
  }

  /** Takes no more records, delivers the rest, closes the sink. Never rejects. */
  async close(): Promise<void> {
    this.#closing = true;
    // There is a deadline now: start over with short waits.
    this.#failures = 0;
    await this.flush();
    await this.#end();
  }

  /**
   * Drops what is left in memory and closes the sink without waiting for it; what is left in files stays there. A write in
   * flight is left to itself.
   */
  abandon(): void {
    if (this.#state === 'closed') return;
    this.#clearTimer();
    void this.#end();
    this.#drop('closed', this.#stock.abandon());
  }

  snapshot(): SinkSnapshot {
    return {
      name: this.#sink.name,
      state: this.#state,
      pending: this.#pending,
      written: this.#written,
      dropped: { ...this.#dropped },
      retries: this.#retries,
      lastError: this.#lastError,
    };
  }

  get #pending(): number {
    return this.#stock.batch.length + this.#stock.waiting;
  }

  /** Writes at once what waits, also what waits for a retry, and goes on until the last record of now is settled. */
  async #settled(): Promise<void> {
    if (this.#pending === 0) return;
    const settled = this.#stock.settled();
    if (this.#state === 'waiting' || this.#state === 'retrying') this.#write();
    await settled;
  }

  /** Once: `close` and `abandon` may both come here. */
  #end(): Promise<void> {
    this.#state = 'closed';
    this.#ended ??= this.#ask(() => this.#sink.close?.());
    return this.#ended;
  }

  #wait(ms: number): void {
    this.#clearTimer();
    this.#state = 'waiting';
    this.#isDue = ms === 0;
    this.#timer = this.#options.clock.setTimeout(() => this.#write(), ms);
  }

  #clearTimer(): void {
    this.#options.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #write(): void {
    this.#clearTimer();
    this.#state = 'writing';
    this.#isHurried = false;
    const { batch } = this.#stock;
    if (batch.length === 0) this.#stock.take(this.#options.batchSize);
    if (batch.length === 0) {
      this.#onNothing();
      return;
    }
    const part = this.#part();
    // Counted now: the copy is the sink's, and it may take records out of it.
    const count = part.length;
    void written(this.#sink, part).then(
      () => this.#onStored(count),
      (error: unknown) => this.#onRejected(error),
    );
  }

  /** Nothing is left of what waited, or a file cannot be read now. */
  #onNothing(): void {
    const { clock, random } = this.#options;
    if (this.#stock.waiting === 0) {
      this.#state = 'idle';
      return;
    }
    this.#failures++;
    this.#state = 'retrying';
    this.#timer = clock.setTimeout(() => this.#write(), backoffMs(this.#failures, random));
  }

  /** Always a copy: a sink may keep it or change it. */
  #part(): UsageRecord[] {
    const { batch } = this.#stock;
    if (this.#probe.kind === 'part') return recordsOf(batch.slice(0, this.#probe.size));
    if (this.#probe.kind === 'witness') {
      const { at } = this.#probe;
      // Witnesses come from behind the batch where it is too short to hold them.
      if (at >= batch.length) this.#stock.take(at + 1 - batch.length);
      if (at < batch.length) return recordsOf(batch.slice(at, at + 1));
      this.#probe = wholeBatch;
    }
    return recordsOf(batch.slice(0, this.#options.batchSize));
  }

  #onStored(count: number): void {
    if (this.#state === 'closed') return;
    const { batch } = this.#stock;
    if (this.#probe.kind === 'witness') {
      batch.splice(this.#probe.at, count);
      const poison = batch.shift();
      if (poison !== undefined)
        this.#options.bury?.(this.#sink.name, poison.record, this.#lastError);
      this.#drop('poison', 1);
    } else {
      batch.splice(0, count);
    }
    this.#written += count;
    this.#probe = probeAfterSuccess(this.#probe, batch.length, this.#options.batchSize);
    this.#failures = 0;
    this.#stock.settle();
    this.#goOn();
  }

  #onRejected(error: unknown): void {
    if (this.#state === 'closed') return;
    const { clock, random, batchSize } = this.#options;
    this.#retries++;
    this.#lastError = errorLabel(error);
    if (this.#probe.kind === 'whole') this.#failures++;
    this.#probe = probeAfterFailure(this.#probe, this.#failures, {
      batchSize,
      pending: this.#pending,
    });
    this.#state = 'retrying';
    // Looking for poison takes few tries, and other records wait for its end.
    const failures = this.#probe.kind === 'whole' ? this.#failures : 1;
    this.#timer = clock.setTimeout(() => this.#write(), backoffMs(failures, random));
  }

  #goOn(): void {
    const { batchSize, flushIntervalMs } = this.#options;
    if (this.#pending === 0) this.#state = 'idle';
    // Not through a timer: timers do not keep the process alive, and a flush may be the last thing it does.
    else if (this.#stock.hasWaiters) this.#write();
    // Through a timer, so that other work gets its turn between the batches of a synchronous sink.
    else if (this.#stock.batch.length > 0 || this.#stock.waiting >= batchSize) this.#wait(0);
    else this.#wait(flushIntervalMs);
  }

  /** A batch without its first record is another one, to be tried as a whole. */
  #dropOldest(): void {
    if (this.#stock.dropOldest(this.#state === 'writing')) this.#probe = wholeBatch;
    this.#drop('overflow', 1);
  }

  #drop(reason: DropReason, count: number): void {
    if (count === 0) return;
    this.#dropped[reason] += count;
    this.#options.drops.add(this, this.#sink.name, reason, count);
  }

  async #ask(question: () => Promise<void> | undefined): Promise<void> {
    try {
      await question();
    } catch (error) {
      this.#lastError = errorLabel(error);
    }
  }
}

function recordsOf(batch: readonly Waiting[]): UsageRecord[] {
  return batch.map(({ record }) => record);
}

/** Rejects also when the sink throws, and when it answers with no promise: then nobody knows what is stored. */
async function written(sink: Sink, records: readonly UsageRecord[]): Promise<void> {
  const answer: unknown = sink.write(records);
  if (!isPromiseLike(answer)) throw new NoPromiseError();
  await answer;
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  );
}

class NoPromiseError extends TypeError {
  readonly code = 'ERR_SINK_NO_PROMISE';

  constructor() {
    super('write of a sink must return a promise that settles when the batch is stored');
  }
}
