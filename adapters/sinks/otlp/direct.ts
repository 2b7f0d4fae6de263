import { PostError } from '../../shared/http-post.ts';
import type { UsageRecord } from '../../../src/types.ts';
import { LatestIds } from '../../../src/util/latest.ts';
import type { AttributeOptions } from './attributes.ts';
import type { Destination } from './destination.ts';
import {
  attemptItem,
  lastAttemptItem,
  logItem,
  logs,
  operationItem,
  traces,
  type Item,
  type Signal,
} from './json.ts';
import type { Attributes } from './open-telemetry.ts';
import { CallBook, timesOf, type Operation } from './operations.ts';
import type { Sender } from './sender.ts';

export interface DirectTargets {
  readonly logs?: Destination | undefined;
  readonly traces?: Destination | undefined;
  /** Whether each attempt has a span below that of its call. */
  readonly withAttempts: boolean;
  readonly attributes: AttributeOptions;
  readonly resource: Attributes;
}

/** What a receiver will not take while it takes the rest. Not sent again: it would say the same. */
export interface Rejected {
  logRecords: number;
  spans: number;
}

/**
 * Sends records to a receiver itself. A write is done when every request of it was taken. One that was not rejects, and delivery brings
 * the batch again; what was taken of it by then is not sent twice.
 */
export class DirectWriter {
  readonly rejected: Rejected = { logRecords: 0, spans: 0 };
  readonly #sender: Sender;
  readonly #targets: DirectTargets;
  readonly #taken = { logs: new LatestIds(), traces: new LatestIds() };
  readonly #calls = new CallBook<true>();

  constructor(sender: Sender, targets: DirectTargets) {
    this.#sender = sender;
    this.#targets = targets;
  }

  async write(records: readonly UsageRecord[]): Promise<void> {
    const { attributes, ...to } = this.#targets;
    if (to.logs !== undefined) {
      await this.#send(
        to.logs,
        logs,
        records.map((record) => () => logItem(record, attributes)),
      );
    }
    if (to.traces !== undefined) {
      const grouped = this.#calls.group(records);
      const late = grouped.late.map(({ record }) => record);
      await this.#send(to.traces, traces, this.#spans(grouped.operations, late));
      this.#calls.keep(
        grouped,
        grouped.operations.map(() => true),
      );
    }
  }

  /** A caller that does not sample its trace wants no spans in it. */
  #spans(
    operations: readonly Operation[],
    late: readonly UsageRecord[],
  ): ReadonlyArray<() => Item> {
    const { attributes, withAttempts } = this.#targets;
    const attempt = (record: UsageRecord) => () => attemptItem(record, timesOf(record));
    const ofCalls = operations
      .filter(({ final }) => final.trace?.sampled !== false)
      .flatMap((operation) => [
        () => operationItem(operation, attributes),
        ...(withAttempts ? operation.earlier.map(attempt) : []),
        ...(withAttempts && operation.final.attempt > 0 ? [() => lastAttemptItem(operation)] : []),
      ]);
    const afterwards = withAttempts ? late.filter(({ trace }) => trace?.sampled !== false) : [];
    return [...ofCalls, ...afterwards.map(attempt)];
  }

  /** In as many requests as it takes. Items are made one by one: all of them at once may be too much. */
  async #send(
    destination: Destination,
    signal: Signal,
    items: ReadonlyArray<() => Item>,
  ): Promise<void> {
    const taken = this.#taken[signal.name];
    const job: Job = { destination, signal, tookSome: false, refused: 0, bad: [] };
    let part: Item[] = [];
    let size = 0;
    for (const make of items) {
      const item = make();
      if (taken.has(item.id)) continue;
      if (part.length > 0 && size + item.json.length > MAX_REQUEST) {
        await this.#request(job, part);
        part = [];
        size = 0;
      }
      part.push(item);
      size += item.json.length;
    }
    if (part.length > 0) await this.#request(job, part);
    for (const { item, error } of job.bad) {
      // Where nothing at all is taken the receiver is to blame, and nobody knows whether this one is bad.
      if (!job.tookSome) throw error;
      this.#reject(signal, 1);
      taken.add(item.id);
    }
  }

  /** Takes apart what is refused as bad, until only those are left that are refused alone. */
  async #request(job: Job, items: readonly Item[]): Promise<void> {
    const { destination, signal } = job;
    let answer: string;
    try {
      answer = await this.#sender.send(destination, signal.request(this.#targets.resource, items));
    } catch (error) {
      if (!(error instanceof PostError && BAD_DATA.has(error.code))) throw error;
      job.refused++;
      if (!job.tookSome && job.refused > MAX_REFUSED) throw error;
      const [item] = items;
      if (items.length === 1 && item !== undefined) {
        job.bad.push({ item, error });
        return;
      }
      const half = Math.ceil(items.length / 2);
      await this.#request(job, items.slice(0, half));
      await this.#request(job, items.slice(half));
      return;
    }
    job.tookSome = true;
    this.#reject(signal, Math.min(rejectedOf(answer, signal.rejected), items.length));
    for (const { id } of items) this.#taken[signal.name].add(id);
  }

  #reject(signal: Signal, count: number): void {
    if (signal.name === 'logs') this.rejected.logRecords += count;
    else this.rejected.spans += count;
  }
}

/** What one write has to say to one endpoint. */
interface Job {
  readonly destination: Destination;
  readonly signal: Signal;
  tookSome: boolean;
  refused: number;
  readonly bad: Array<{ readonly item: Item; readonly error: PostError }>;
}

/** The same request must not be sent again, but a part of it may do: bad data, too large. */
const BAD_DATA: ReadonlySet<string> = new Set(['HTTP_400', 'HTTP_413', 'HTTP_422']);

/** A receiver that has taken nothing after this many refusals refuses everything. Enough to find the first bad ones of 5,000 by halving. */
const MAX_REFUSED = 20;

/** In UTF-16 units; at three bytes each still below the 20 MiB that the collector takes (confighttp, 2026-11). */
const MAX_REQUEST = 4 * 2 ** 20;

/** 64-bit, so a string in JSON; forgiving, as with all that servers send. */
function rejectedOf(answer: string, member: Signal['rejected']): number {
  try {
    const { partialSuccess }: { partialSuccess?: Readonly<Record<string, unknown>> | null } =
      JSON.parse(answer);
    const count = Number(partialSuccess?.[member] ?? 0);
    return Number.isSafeInteger(count) && count > 0 ? count : 0;
  } catch {
    return 0;
  }
}
