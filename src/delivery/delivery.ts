/**
 * Takes usage records off the hot path and brings them to every sink.
 *
 * Who owns what
 * - The delivery owns one lane per sink; nothing is shared between lanes but the drop reporter, so that a slow or stuck
 *   sink delays no other. A call only ever pays for `push`.
 * - A lane owns its queue, its batch (taken from the queue, not settled), at most one timer and at most one write in
 *   flight; never a timer and a write together. An idle lane has neither.
 * - The drop reporter owns one timer, only while it has something to report.
 *
 * What always holds, for each sink
 * - accepted = written + dropped + pending, and pending <= `maxMemoryRecords`, the batch included.
 * - Records are written in the order they were pushed. A batch that is rejected stays in front and is written again with
 *   backoff. After many failures it is taken apart to find a record that the sink never takes, and that one is dropped as
 *   `poison` once the sink has taken another one instead (probe.ts). Only that other one ever overtakes.
 * - When too many wait the oldest that is not being written is dropped.
 * - A write counts as failed when it rejects, throws, or returns no promise. Its message is not kept.
 * - A write that never settles blocks its lane, and nothing else, until `close` runs out of time. It is never started
 *   a second time: that would be two writes at once.
 *
 * What `close` does
 * - From its call on, records pushed are dropped as `closed`.
 * - A lane that waits, for more records or for a retry, writes at once; a lane that writes goes on; each then flushes and
 *   closes its sink, without waiting for other lanes.
 * - At the deadline every lane that is not done drops what it has as `closed`, lets go of a write in flight (whether it
 *   was stored stays unknown) and closes its sink without waiting for it.
 * - Until then it keeps the process alive, which the clock's timers do not: else a process that ends with
 *   `await close()` would end in the middle of a retry.
 */
import type { Clock, Random, Sink, UsageRecord } from '../types.ts';
import { DropReporter } from './drop-reporter.ts';
import type { SinkDrop } from './drop-reporter.ts';
import { SinkLane } from './sink-lane.ts';
import type { SinkSnapshot } from './sink-lane.ts';

export type { SinkDrop, SinkSnapshot };

export interface DeliveryOptions {
  /** A sink that is listed twice is used once. */
  sinks: readonly Sink[];
  clock: Clock;
  random: Random;
  /** As many records wait at most for a batch to fill up; a batch has no more. Default 200. */
  batchSize?: number | undefined;
  /** How long the first record waits at most for a batch to fill up. Default 250. */
  flushIntervalMs?: number | undefined;
  /** How many records wait for one sink at most. Default 10,000. */
  maxMemoryRecords?: number | undefined;
  /** Called once for each burst of drops, at most about a second late, never from within `push`. */
  onDrop?: ((drop: SinkDrop) => void) | undefined;
}

export interface Delivery {
  /** Takes a record for every sink. Does no I/O, never throws, takes constant time. */
  push(record: UsageRecord): void;
  /**
   * Resolves when every sink has stored (or delivery has dropped) everything pushed before, and has flushed. Waits as
   * long as that takes: with a sink that is down until it is up again or `close` ran out of time. Never rejects. Does
   * not keep the process alive while it waits for a retry; use `close` at the end of a process.
   */
  flush(): Promise<void>;
  /**
   * Flushes, then closes the sinks. Resolves at the latest after `timeoutMs` (default 5000); never rejects. A second
   * call waits for the first.
   */
  close(options?: { timeoutMs?: number | undefined }): Promise<void>;
  snapshot(): DeliverySnapshot;
}

export interface DeliverySnapshot {
  /** In the order of the options. */
  readonly sinks: readonly SinkSnapshot[];
}

/** The longest delay a timer of Node can have. */
const MAX_DELAY_MS = 2 ** 31 - 1;

export function createDelivery(options: DeliveryOptions): Delivery {
  const { clock, random, batchSize = 200, flushIntervalMs = 250 } = options;
  const { maxMemoryRecords = 10_000 } = options;
  const drops = new DropReporter(clock, options.onDrop);
  const laneOptions = {
    clock,
    random,
    batchSize: Math.min(batchSize, maxMemoryRecords),
    flushIntervalMs,
    maxMemoryRecords,
    drops,
  };
  const lanes = [...new Set(options.sinks)].map((sink) => new SinkLane(sink, laneOptions));
  let closed: Promise<void> | undefined;

  async function closeLanes(timeoutMs: number): Promise<void> {
    const release = keepAlive();
    let deadline: unknown;
    const outOfTime = new Promise<void>((resolve) => {
      deadline = clock.setTimeout(resolve, Math.min(timeoutMs, MAX_DELAY_MS));
    });
    await Promise.race([Promise.all(lanes.map((lane) => lane.close())), outOfTime]);
    clock.clearTimeout(deadline);
    for (const lane of lanes) lane.abandon();
    drops.report();
    release();
  }

  return {
    push(record): void {
      for (const lane of lanes) lane.push(record);
    },
    async flush(): Promise<void> {
      await Promise.all(lanes.map((lane) => lane.flush()));
    },
    close({ timeoutMs = 5_000 } = {}): Promise<void> {
      closed ??= closeLanes(timeoutMs);
      return closed;
    },
    snapshot: () => ({ sinks: lanes.map((lane) => lane.snapshot()) }),
  };
}

/** An open port, unlike a timer, needs no clock. */
function keepAlive(): () => void {
  const { port1 } = new MessageChannel();
  port1.ref();
  return () => port1.close();
}
