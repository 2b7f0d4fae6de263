import { createHash } from 'node:crypto';

import type { UsageRecord } from '../../../src/types.ts';
import {
  attemptAttributes,
  DOUBLES,
  logAttributes,
  operationAttributes,
  severityOf,
  spanName,
  type AttributeOptions,
} from './attributes.ts';
import { EVENTS, SCOPE } from './names.ts';
import { STATUS_ERROR, type Attributes } from './open-telemetry.ts';
import { lastAttemptTimes, timesOf, type Operation, type Times } from './operations.ts';

/**
 * OTLP 1.11 in its JSON form: names in camel case, 64-bit integers as strings, ids in hex, enumerations as numbers.
 * Source: opentelemetry-proto v1.11.0, docs/specification.md, "JSON Protobuf Encoding".
 */
export interface Item {
  /** Of the log or span, for those that were taken already. */
  readonly id: string;
  readonly json: string;
}

export function logItem(record: UsageRecord, options: AttributeOptions): Item {
  const { number, text } = severityOf(record);
  const time = nanoseconds(timesOf(record).end);
  return {
    id: record.id,
    json: JSON.stringify({
      timeUnixNano: time,
      observedTimeUnixNano: time,
      severityNumber: number,
      severityText: text,
      eventName: record.final ? EVENTS.operation : EVENTS.attempt,
      flags: record.trace?.sampled === true ? SAMPLED : undefined,
      traceId: record.trace?.traceId,
      spanId: record.trace?.spanId,
      attributes: keyValues(logAttributes(record, options)),
    }),
  };
}

/** The span of a call. Its id is made of the call's, so that a batch that is delivered twice gives the same span. */
export function operationItem(operation: Operation, options: AttributeOptions): Item {
  const { final } = operation;
  return spanItem(final, {
    id: hash(`call ${final.callId}`, 16),
    parentId: final.trace?.spanId,
    // The caller's span is in another process, or was made by other hands in this one.
    flags: SAMPLED | PARENT_IS_KNOWN | (final.trace === undefined ? 0 : PARENT_IS_REMOTE),
    name: spanName(final),
    times: timesOf(final),
    attributes: operationAttributes(operation, options),
  });
}

export function attemptItem(record: UsageRecord, times: Times): Item {
  return spanItem(record, {
    id: hash(`attempt ${record.id}`, 16),
    parentId: hash(`call ${record.callId}`, 16),
    flags: SAMPLED | PARENT_IS_KNOWN,
    name: spanName(record, 'attempt'),
    times,
    attributes: attemptAttributes(record),
  });
}

export function lastAttemptItem(operation: Operation): Item {
  return attemptItem(operation.final, lastAttemptTimes(operation));
}

function spanItem(
  { callId, outcome, trace }: UsageRecord,
  span: {
    readonly id: string;
    readonly parentId: string | undefined;
    readonly flags: number;
    readonly name: string;
    readonly times: Times;
    readonly attributes: Attributes;
  },
): Item {
  return {
    id: span.id,
    json: JSON.stringify({
      traceId: trace?.traceId ?? hash(`trace ${callId}`, 32),
      spanId: span.id,
      parentSpanId: span.parentId,
      flags: span.flags,
      name: span.name,
      kind: SPAN_KIND_CLIENT,
      startTimeUnixNano: nanoseconds(span.times.start),
      endTimeUnixNano: nanoseconds(span.times.end),
      status: outcome === 'ok' ? {} : { code: STATUS_ERROR },
      attributes: keyValues(span.attributes),
    }),
  };
}

export interface Signal {
  /** What the path of its endpoint ends with, and its name in environment variables. */
  readonly name: 'logs' | 'traces';
  /** The member of `partialSuccess` that counts what a receiver did not take. */
  readonly rejected: 'rejectedLogRecords' | 'rejectedSpans';
  request(resource: Attributes, items: readonly Item[]): string;
}

export const logs: Signal = {
  name: 'logs',
  rejected: 'rejectedLogRecords',
  request: (resource, items) =>
    request(resource, ['resourceLogs', 'scopeLogs', 'logRecords'], items),
};

export const traces: Signal = {
  name: 'traces',
  rejected: 'rejectedSpans',
  request: (resource, items) => request(resource, ['resourceSpans', 'scopeSpans', 'spans'], items),
};

function request(
  resource: Attributes,
  [ofResource, ofScope, list]: readonly [string, string, string],
  items: readonly Item[],
): string {
  const head = JSON.stringify({ attributes: keyValues(resource) });
  const all = items.map(({ json }) => json).join(',');
  const scope = `{"scope":{"name":"${SCOPE}"},"${list}":[${all}]}`;
  return `{"${ofResource}":[{"resource":${head},"${ofScope}":[${scope}]}]}`;
}

function keyValues(attributes: Attributes): ReadonlyArray<{ key: string; value: object }> {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(key, value) }));
}

function anyValue(key: string, value: string | number | boolean): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  // What is no exact integer has lost its last digits anyway, and may not fit into 64 bits.
  if (DOUBLES.has(key) || !Number.isSafeInteger(value)) return { doubleValue: value };
  return { intValue: String(value) };
}

function nanoseconds(microseconds: number): string {
  return microseconds === 0 ? '0' : `${microseconds}000`;
}

function hash(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits);
}

/** In trace.proto the kind CLIENT has another number than in the API. */
const SPAN_KIND_CLIENT = 3;

/** Bits of `flags` (trace.proto, `SpanFlags`). */
const SAMPLED = 0x001;
const PARENT_IS_KNOWN = 0x100;
const PARENT_IS_REMOTE = 0x200;
