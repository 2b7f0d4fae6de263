/** The span that a request belongs to. Lower-case hex. */
export interface Traceparent {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
}

/**
 * Reads a W3C `traceparent`; `undefined` when it is none. Strict, as the standard asks: lower case, no blanks, no zero ids, not version
 * `ff`. Of a version above `00` the part known today is read, and something may follow it after a dash.
 * Source: W3C Trace Context Level 2, 3.2 and 3.2.4, candidate recommendation of 2024-03-28.
 */
export function parseTraceparent(text: string): Traceparent | undefined {
  // Version 00 has exactly this length; later ones may be longer.
  if (text.length < LENGTH || (text.length > LENGTH && text.startsWith('00'))) return undefined;
  const [, traceId, spanId, flags] = TRACEPARENT.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 };
}

/** The header's value, version `00`. */
export function formatTraceparent({ traceId, spanId, sampled }: Traceparent): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

/** Version, trace id, parent id, flags. What follows in later versions begins with a dash. */
const TRACEPARENT =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/;

const LENGTH = 55;

const SAMPLED = 1;
