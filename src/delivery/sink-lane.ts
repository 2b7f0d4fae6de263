import type { Clock, Random, Sink, UsageRecord } from '../types.ts';
import { backoffMs } from './backoff.ts';
import type { DropReason, DropReporter } from './drop-reporter.ts';
import { errorLabel } from './error-label.ts';
import type { ErrorLabel } from './error-label.ts';
import { probeAfterFailure, probeAfterSuccess, wholeBatch } from './probe.ts';
import type { Probe } from './probe.ts';
import { RecordQueue } from './record-queue.ts';

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
}

/** One sink's way: its queue, its batch, its one timer and its one write in flight. See delivery.ts. */
export class SinkLane {
  readonly #sink: Sink;
  readonly #options: LaneOptions;
  readonly #queue = new RecordQueue();
  /** Taken from the queue and not settled; non-empty exactly in `writing`, `retrying` and between two parts. */
  #batch: UsageRecord[] = [];
  #state: LaneState = 'idle';
  #timer: unknown;
  #probe: Probe = wholeBatch;
  /** Of the whole batch, in a row. */
  #failures = 0;
  #closing = false;
  #ended: Promise<void> | undefined;
  /** Records ever accepted; a record's position is what this was before it came. */
  #accepted = 0;
  /** Position of the batch's first record. */
  #batchFrom = 0;
  /** Who waits until every record before a position is settled. */
  #waiters: Array<{ readonly before: number; readonly resolve: () => void }> = [];
  #written = 0;
  readonly #dropped: Record<DropReason, number> = { overflow: 0, poison: 0, closed: 0 };
  #retries = 0;
  #lastError: ErrorLabel | undefined;

  constructor(sink: Sink, options: LaneOptions) {
    this.#sink = sink;
    this.#options = options;
  }

  push(record: UsageRecord): void {
    if (this.#closing) {
      this.#drop('closed', 1);
      return;
    }
    const { batchSize, flushIntervalMs, maxMemoryRecords } = this.#options;
    this.#accepted++;
    this.#queue.push(record);
    if (this.#batch.length + this.#queue.length > maxMemoryRecords) {
      // Then a write is in flight or its timer is set, and there is nothing to start.
      this.#dropOldest();
      return;
    }
    // Never written from here: a sink may do its work synchronously, and a call would wait for it.
    if (this.#state === 'idle') this.#wait(batchSize === 1 ? 0 : flushIntervalMs);
    else if (this.#state === 'waiting' && this.#queue.length === batchSize) this.#wait(0);
    if (this.#queue.length === Math.max(batchSize + 1, maxMemoryRecords >> 1)) this.#hurry();
  }

  /** Timers never run in a program that goes from promise to promise (calls answered in memory); microtasks do. */
  #hurry(): void {
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

  /** Drops what is left and closes the sink without waiting for it. A write in flight is left to itself. */
  abandon(): void {
    if (this.#state === 'closed') return;
    this.#clearTimer();
    void this.#end();
    this.#drop('closed', this.#batch.length + this.#queue.length);
    this.#batch = [];
    this.#queue.clear();
    this.#wakeWaiters();
  }

  snapshot(): SinkSnapshot {
    return {
      name: this.#sink.name,
      state: this.#state,
      pending: this.#batch.length + this.#queue.length,
      written: this.#written,
      dropped: { ...this.#dropped },
      retries: this.#retries,
      lastError: this.#lastError,
    };
  }

  /** Writes at once what waits, also what waits for a retry, and goes on until the last record of now is settled. */
  async #settled(): Promise<void> {
    if (this.#batch.length + this.#queue.length === 0) return;
    await new Promise<void>((resolve) => {
      this.#waiters.push({ before: this.#accepted, resolve });
      if (this.#state === 'waiting' || this.#state === 'retrying') this.#write();
    });
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
    this.#timer = this.#options.clock.setTimeout(() => this.#write(), ms);
  }

  #clearTimer(): void {
    this.#options.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #write(): void {
    this.#clearTimer();
    this.#state = 'writing';
    if (this.#batch.length === 0) {
      this.#batchFrom = this.#accepted - this.#queue.length;
      this.#batch = this.#queue.take(this.#options.batchSize);
    }
    const part = this.#part();
    // Counted now: the copy is the sink's, and it may take records out of it.
    const count = part.length;
    void written(this.#sink, part).then(
      () => this.#onStored(count),
      (error: unknown) => this.#onRejected(error),
    );
  }

  /** Always a copy: a sink may keep it or change it. */
  #part(): UsageRecord[] {
    const { batchSize } = this.#options;
    if (this.#probe.kind === 'part') return this.#batch.slice(0, this.#probe.size);
    if (this.#probe.kind === 'witness') {
      const { at } = this.#probe;
      // Witnesses come from behind the batch where it is too short to hold them.
      this.#batch.push(...this.#queue.take(at + 1 - this.#batch.length));
      if (at < this.#batch.length) return this.#batch.slice(at, at + 1);
      this.#probe = wholeBatch;
    }
    return this.#batch.slice(0, batchSize);
  }

  #onStored(count: number): void {
    if (this.#state === 'closed') return;
    if (this.#probe.kind === 'witness') {
      this.#batch.splice(this.#probe.at, count);
      this.#batch.shift();
      this.#batchFrom++;
      this.#drop('poison', 1);
    } else {
      this.#batch.splice(0, count);
      this.#batchFrom += count;
    }
    this.#written += count;
    this.#probe = probeAfterSuccess(this.#probe, this.#batch.length, this.#options.batchSize);
    this.#failures = 0;
    this.#wakeWaiters();
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
      pending: this.#batch.length + this.#queue.length,
    });
    this.#state = 'retrying';
    // Looking for poison takes few tries, and other records wait for its end.
    const failures = this.#probe.kind === 'whole' ? this.#failures : 1;
    this.#timer = clock.setTimeout(() => this.#write(), backoffMs(failures, random));
  }

  #goOn(): void {
    const { batchSize, flushIntervalMs } = this.#options;
    if (this.#batch.length + this.#queue.length === 0) this.#state = 'idle';
    // Not through a timer: timers do not keep the process alive, and a flush may be the last thing it does.
    else if (this.#waiters.length > 0) this.#write();
    // Through a timer, so that other work gets its turn between the batches of a synchronous sink.
    else if (this.#batch.length > 0 || this.#queue.length >= batchSize) this.#wait(0);
    else this.#wait(flushIntervalMs);
  }

  #wakeWaiters(): void {
    if (this.#waiters.length === 0) return;
    const settledBefore =
      this.#batch.length > 0 ? this.#batchFrom : this.#accepted - this.#queue.length;
    const [ready, rest] = [
      this.#waiters.filter(({ before }) => before <= settledBefore),
      this.#waiters.filter(({ before }) => before > settledBefore),
    ];
    this.#waiters = rest;
    for (const { resolve } of ready) resolve();
  }

  /** Never what is being written. A batch without its first record is another one, to be tried as a whole. */
  #dropOldest(): void {
    if (this.#batch.length > 0 && this.#state !== 'writing') {
      this.#batch.shift();
      this.#batchFrom++;
      this.#probe = wholeBatch;
    } else {
      this.#queue.shift();
    }
    this.#drop('overflow', 1);
    this.#wakeWaiters();
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
