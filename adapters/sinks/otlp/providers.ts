import type { UsageRecord } from '../../../src/types.ts';
import { LatestIds } from '../../../src/util/latest.ts';
import {
  attemptAttributes,
  logAttributes,
  operationAttributes,
  severityOf,
  spanName,
  type AttributeOptions,
} from './attributes.ts';
import type { Instruments } from './instruments.ts';
import { EVENTS, SCOPE } from './names.ts';
import { contextOf, SPAN_KIND_CLIENT, STATUS_ERROR } from './open-telemetry.ts';
import type {
  Context,
  LoggerProvider,
  SpanContext,
  Time,
  Tracer,
  TracerProvider,
} from './open-telemetry.ts';
import { CallBook, lastAttemptTimes, timesOf, totalsOf } from './operations.ts';
import type { Operation, Times } from './operations.ts';

export interface ProviderTargets {
  /** A tracer and a logger are asked for at each batch: a host may register its providers after the sink was made. */
  readonly tracerProvider?: TracerProvider | undefined;
  readonly instruments?: Instruments | undefined;
  readonly loggerProvider?: LoggerProvider | undefined;
  /** Whether each attempt has a span below that of its call. */
  readonly withAttempts: boolean;
  readonly attributes: AttributeOptions;
}

/**
 * Gives records to OpenTelemetry's providers. They queue for themselves and may drop what is too much, so this is telemetry and not
 * the record of what was billed; and at most once: an id is marked before it is given.
 */
export class ProviderWriter {
  readonly #targets: ProviderTargets;
  readonly #seen = new LatestIds();
  readonly #calls = new CallBook<SpanContext | null>();

  constructor(targets: ProviderTargets) {
    this.#targets = targets;
  }

  write(records: readonly UsageRecord[]): void {
    const fresh = records.filter(({ id }) => this.#seen.add(id));
    const { instruments } = this.#targets;
    this.#log(fresh);
    instruments?.refresh();
    for (const record of fresh) instruments?.count(record);
    const grouped = this.#calls.group(fresh);
    for (const operation of grouped.operations) {
      instruments?.observe(operation.final, totalsOf(operation).record);
    }
    const tracer = this.#targets.tracerProvider?.getTracer(SCOPE);
    const spans = grouped.operations.map((operation) => this.#trace(tracer, operation));
    for (const { record, of } of grouped.late) {
      if (of !== null) this.#attempt(tracer, record, timesOf(record), contextOf(of));
    }
    this.#calls.keep(grouped, spans);
  }

  #log(records: readonly UsageRecord[]): void {
    const logger = this.#targets.loggerProvider?.getLogger(SCOPE);
    if (logger === undefined) return;
    for (const record of records) {
      const { number, text } = severityOf(record);
      logger.emit({
        eventName: record.final ? EVENTS.operation : EVENTS.attempt,
        timestamp: timeOf(timesOf(record).end),
        severityNumber: number,
        severityText: text,
        attributes: logAttributes(record, this.#targets.attributes),
        context: contextOf(callerOf(record)),
      });
    }
  }

  /** The span of a call, with those of its attempts in it. */
  #trace(tracer: Tracer | undefined, operation: Operation): SpanContext | null {
    if (tracer === undefined) return null;
    const { final, earlier } = operation;
    const { start, end } = timesOf(final);
    const span = tracer.startSpan(
      spanName(final),
      {
        kind: SPAN_KIND_CLIENT,
        startTime: timeOf(start),
        attributes: operationAttributes(operation, this.#targets.attributes),
      },
      contextOf(callerOf(final)),
    );
    if (final.outcome !== 'ok') span.setStatus({ code: STATUS_ERROR });
    const spanContext = span.spanContext();
    const inside = contextOf(spanContext);
    for (const record of earlier) this.#attempt(tracer, record, timesOf(record), inside);
    if (final.attempt > 0) this.#attempt(tracer, final, lastAttemptTimes(operation), inside);
    span.end(timeOf(end));
    return spanContext;
  }

  #attempt(tracer: Tracer | undefined, record: UsageRecord, times: Times, inside: Context): void {
    if (tracer === undefined || !this.#targets.withAttempts) return;
    const span = tracer.startSpan(
      spanName(record, 'attempt'),
      {
        kind: SPAN_KIND_CLIENT,
        startTime: timeOf(times.start),
        attributes: attemptAttributes(record),
      },
      inside,
    );
    if (record.outcome !== 'ok') span.setStatus({ code: STATUS_ERROR });
    span.end(timeOf(times.end));
  }
}

/** The span that the call was made in. */
function callerOf({ trace }: UsageRecord): SpanContext | undefined {
  if (trace === undefined) return undefined;
  const { traceId, spanId, sampled } = trace;
  return { traceId, spanId, traceFlags: sampled ? 1 : 0, isRemote: true };
}

function timeOf(microseconds: number): Time {
  const seconds = Math.floor(microseconds / 1e6);
  return [seconds, (microseconds - seconds * 1e6) * 1000];
}
