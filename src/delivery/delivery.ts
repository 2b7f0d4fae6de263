/**
 * Takes usage records off the hot path and brings them to every sink.
 *
 * Who owns what
 * - The delivery owns one lane per sink and, with a durability other than `memory`, one spool. Lanes share nothing but the
 *   drop reporter and the spool's files, so that a slow or stuck sink delays no other. A call only ever pays for `push`.
 * - The spool (spool/) stores records before any lane gets them, in a file of this delivery; it also reads what processes
 *   that died have left. Each lane has a cursor in each file. A row is deleted when all sinks have it, a file when all its
 *   rows are; the file of a process that lives is locked and is not touched.
 * - A lane's records come from its sources (record-source.ts): its cursors in files, then a queue in memory, which takes all
 *   records with durability `memory`, and those that the spool could not store with the others.
 * - A lane owns its batch (taken from the sources, not settled), at most one timer and at most one write in flight; never a
 *   timer and a write together. An idle lane has neither.
 * - The drop reporter owns one timer, only while it has something to report. The spool owns one that looks for files of dead
 *   processes, one while `batched` gathers, and with all other spools of the process one listener to its `exit`.
 *
 * What always holds, for each sink
 * - accepted = written + dropped + pending, where records that were adopted with a file count as accepted, and those that
 *   are still gathered as pending. In memory wait at most `maxMemoryRecords`, the batch included; and in files at most about
 *   `maxSpoolBytes` for all sinks together.
 * - Records of one source are written in the order they were pushed; files before memory, the oldest file first. A batch
 *   that is rejected stays in front and is written again with backoff. After many failures it is taken apart to find a
 *   record that the sink never takes, and that one is dropped as `poison` once the sink has taken another one instead
 *   (probe.ts); with a spool it becomes a dead letter. Only that other one ever overtakes.
 * - When too many wait the oldest are dropped: in memory, of those that are not being written, as `overflow`; in files, of
 *   those that this sink has not taken yet, as `spool-full`.
 * - A cursor moves, in the file too, only when everything before it is stored in the sink or dropped. So after a crash a
 *   sink gets a record again that it may have, and never misses one that was in the file.
 * - The spool never fails a push. What it cannot store goes into memory and is counted by the reason; after 5 s it is tried
 *   again. A damaged file is put aside; what sinks still had to get of it is dropped as `spool-corrupt`.
 * - A write counts as failed when it rejects, throws, or returns no promise. Its message is not kept.
 * - A write that never settles blocks its lane, and nothing else, until `close` runs out of time. It is never started
 *   a second time: that would be two writes at once.
 *
 * What `close` does
 * - From its call on, records pushed are dropped as `closed`.
 * - A lane that waits, for more records or for a retry, writes at once; a lane that writes goes on; each then flushes and
 *   closes its sink, without waiting for other lanes.
 * - At the deadline every lane that is not done drops what it has in memory as `closed`, leaves what it has in files to the
 *   next process, lets go of a write in flight (whether it was stored stays unknown) and closes its sink without waiting
 *   for it. Then the spool lets go of its files, and removes those that no sink waits for.
 * - Until then it keeps the process alive, which the clock's timers do not: else a process that ends with
 *   `await close()` would end in the middle of a retry.
 */
import { RouterError } from '../errors.ts';
import type { Clock, Random, Sink, UsageRecord } from '../types.ts';
import { DropReporter } from './drop-reporter.ts';
import type { SinkDrop } from './drop-reporter.ts';
import { SinkLane } from './sink-lane.ts';
import type { SinkSnapshot } from './sink-lane.ts';
import { DeadLetters } from './spool/dead-letters.ts';
import { Spool } from './spool/spool.ts';
import type { DeliverySettings } from './settings.ts';
import type { Durability, SpoolFaultReport, SpoolSnapshot } from './spool/types.ts';

export type { Durability, SinkDrop, SinkSnapshot, SpoolFaultReport, SpoolSnapshot };

export interface DeliveryOptions extends DeliverySettings {
  /** A sink that is listed twice is used once. */
  sinks: readonly Sink[];
  clock: Clock;
  random: Random;
  /** Called once for each burst of drops, at most about a second late, never from within `push`. */
  onDrop?: ((drop: SinkDrop) => void) | undefined;
  /** Called when the spool fails, for the same reason at most every 5 s, and for each damaged file. Never from within `push`. */
  onSpoolFault?: ((report: SpoolFaultReport) => void) | undefined;
}

export interface Delivery {
  /**
   * Takes a record for every sink. Never throws. Takes constant time; does no I/O but with durability `process` and `disk`,
   * and with `batched` once in 256 records.
   */
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
  /** Absent with durability `memory`. */
  readonly spool?: SpoolSnapshot | undefined;
}

/** The longest delay a timer of Node can have. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** @throws RouterError `ERR_OPTIONS` when a durability needs a `spoolDir` and there is none. */
export function createDelivery(options: DeliveryOptions): Delivery {
  const { clock, random, batchSize = 200, flushIntervalMs = 250 } = options;
  const { durability = 'memory', maxMemoryRecords = 10_000, maxSpoolBytes = 2 ** 28 } = options;
  const spoolDir = durability === 'memory' ? undefined : folderIn(options);
  const drops = new DropReporter(clock, options.onDrop);
  const deadLetters = spoolDir === undefined ? undefined : new DeadLetters(spoolDir, maxSpoolBytes);
  const laneOptions = {
    clock,
    random,
    batchSize: Math.min(batchSize, maxMemoryRecords),
    flushIntervalMs,
    maxMemoryRecords,
    drops,
    bury: deadLetters?.add.bind(deadLetters),
  };
  const sinks = [...new Set(options.sinks)];
  const lanes = keysOf(sinks).map(([key, sink]) => new SinkLane(sink, key, laneOptions));
  const spool =
    durability === 'memory' || spoolDir === undefined || lanes.length === 0
      ? undefined
      : new Spool({
          folder: spoolDir,
          durability,
          maxBytes: maxSpoolBytes,
          maxRecords: options.maxSpoolRecords ?? Infinity,
          clock,
          random,
          lanes,
          onFault: options.onSpoolFault,
        });
  let closed: Promise<void> | undefined;

  async function closeLanes(timeoutMs: number): Promise<void> {
    const release = keepAlive();
    let deadline: unknown;
    const outOfTime = new Promise<void>((resolve) => {
      deadline = clock.setTimeout(resolve, Math.min(timeoutMs, MAX_DELAY_MS));
    });
    spool?.flush();
    await Promise.race([Promise.all(lanes.map((lane) => lane.close())), outOfTime]);
    clock.clearTimeout(deadline);
    for (const lane of lanes) lane.abandon();
    spool?.close();
    drops.report();
    release();
  }

  return {
    push(record): void {
      if (spool !== undefined && closed === undefined) spool.push(record);
      else for (const lane of lanes) lane.push(record);
    },
    async flush(): Promise<void> {
      spool?.flush();
      await Promise.all(lanes.map((lane) => lane.flush()));
    },
    close({ timeoutMs = 5_000 } = {}): Promise<void> {
      closed ??= closeLanes(timeoutMs);
      return closed;
    },
    snapshot(): DeliverySnapshot {
      const gathered = spool?.gathered ?? 0;
      const inLanes = lanes.map((lane) => lane.snapshot());
      return {
        sinks: inLanes.map((lane) => ({ ...lane, pending: lane.pending + gathered })),
        ...(spool !== undefined && {
          spool: { ...spool.snapshot(), deadLetters: deadLetters?.kept ?? 0 },
        }),
      };
    },
  };
}

function folderIn({ durability = 'memory', spoolDir }: DeliveryOptions): string {
  if (spoolDir !== undefined && spoolDir !== '') return spoolDir;
  throw new RouterError(
    'ERR_OPTIONS',
    `delivery: durability "${durability}" needs spoolDir, a folder on a local disk where records wait, got ${
      spoolDir === '' ? 'an empty text' : 'none'
    }`,
  );
}

/** A sink's name, with a number where two have the same. */
function keysOf(sinks: readonly Sink[]): ReadonlyArray<readonly [key: string, sink: Sink]> {
  const counts = new Map<string, number>();
  return sinks.map((sink) => {
    const count = (counts.get(sink.name) ?? 0) + 1;
    counts.set(sink.name, count);
    return [count === 1 ? sink.name : `${sink.name}#${count}`, sink];
  });
}

/** An open port, unlike a timer, needs no clock. */
function keepAlive(): () => void {
  const { port1 } = new MessageChannel();
  port1.ref();
  return () => port1.close();
}
