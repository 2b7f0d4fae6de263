import type { UsageRecord } from '../../../src/types.ts';
import { recordJson } from '../../../src/util/record-json.ts';

/** The next message: so many records from the start, as JSON. */
export interface Message {
  readonly count: number;
  readonly body: string;
}

const START = '{"type":"usage.records","schemaVersion":1,"records":[';
const END = ']}';

/**
 * As many records, from this place on and in their order, as fit into so many bytes; at least one, whatever its size. The same
 * records give the same message.
 */
export function messageFrom(
  records: readonly UsageRecord[],
  from: number,
  maxBytes: number,
): Message {
  const parts: string[] = [];
  let bytes = START.length + END.length;
  for (let at = from; at < records.length; at++) {
    const json = recordJson(records[at]!);
    bytes += Buffer.byteLength(json) + (parts.length === 0 ? 0 : 1);
    if (parts.length > 0 && bytes > maxBytes) break;
    parts.push(json);
  }
  return { count: parts.length, body: START + parts.join(',') + END };
}
