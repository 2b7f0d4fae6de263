import { formatTraceparent } from '../../../src/util/traceparent.ts';
import type { SpanContext } from './open-telemetry.ts';

/** The part of `@opentelemetry/api` that knows which span is active. */
export interface ActiveSpanApi {
  readonly trace: { getActiveSpan(): { spanContext(): SpanContext } | undefined };
}

/**
 * For the router's option `traceparent`: the span that is active where a call is made, so that the call's own span stands below it and
 * its provider learns of it.
 */
export function activeTraceparent(api: ActiveSpanApi): () => string | undefined {
  return () => {
    const span = api.trace.getActiveSpan()?.spanContext();
    if (span === undefined) return undefined;
    const { traceId, spanId, traceFlags } = span;
    return formatTraceparent({ traceId, spanId, sampled: (traceFlags & 1) === 1 });
  };
}
