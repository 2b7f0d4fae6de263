import { createAnswerTap } from '../answer/tap.ts';
import type { Attempt } from '../call.ts';
import type { AnswerFacts } from '../types.ts';

/** Where an end mark is looked for, in bytes from the end. */
const TAIL_BYTES = 4096;

/**
 * What an answer says of itself up to here, if it is whole: SDKs stop reading behind the end mark of a stream, and a caller that
 * does so while others still read has had everything. The attempt's own tap can be asked only at the end, so the bytes are
 * read once more, where their last part holds a mark at all.
 */
export function factsSoFar(answer: Attempt, chunks: readonly Uint8Array[]): AnswerFacts {
  const { wire } = answer.asked.endpoint;
  if (wire === undefined || chunks.length === 0) return {};
  try {
    const tail = tailOf(chunks);
    const marks = [...wire.marks, ...(wire.endMarks ?? [])];
    if (marks.length > 0 && !marks.some((mark) => tail.includes(mark))) return {};
    const tap = createAnswerTap({ wire, contentType: answer.header?.('content-type') });
    for (const chunk of chunks) tap.push(chunk);
    const facts = tap.facts();
    return facts.complete === true ? facts : {};
  } catch {
    return {};
  }
}

function tailOf(chunks: readonly Uint8Array[]): string {
  let tail = '';
  for (let i = chunks.length - 1; i >= 0 && tail.length < TAIL_BYTES; i--) {
    tail = Buffer.from(chunks[i]!.subarray(-TAIL_BYTES)).toString('latin1') + tail;
  }
  return tail;
}
