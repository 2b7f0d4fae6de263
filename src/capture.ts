import { z } from 'zod';
import type { Attempt } from './call.ts';
import type { UsageRecord } from './types.ts';

/** Which part of a call a text is. */
export type CapturedPart = 'request' | 'answer';

/** The option `capture`: prompts and answers in usage records. Without it no record holds any. */
export interface CaptureOptions {
  /** Whether records hold the body of the request, with its keys in the order in which it is sent, but without the marks and members
   * that the router adds. Default: true. */
  request?: boolean | undefined;
  /**
   * Whether they hold the text of the answer: what the model wrote, its reasoning and the arguments of its tool calls. Of answers
   * beyond 64 KB only the end. Default: true.
   */
  answer?: boolean | undefined;
  /** Longer texts are cut to so many characters, after `redact`. Default: 100,000. */
  maxChars?: number | undefined;
  /**
   * Gets each text before it goes into a record and gives what may stand there; `undefined` leaves it out, and so does throwing.
   * Default: texts stand as they are.
   */
  redact?: ((text: string, part: CapturedPart) => string | undefined) | undefined;
}

export const captureSchema: z.ZodType<CaptureOptions> = z.strictObject({
  request: z.boolean().optional(),
  answer: z.boolean().optional(),
  maxChars: z.int().min(1).optional(),
  redact: z
    .custom<NonNullable<CaptureOptions['redact']>>((value) => typeof value === 'function', {
      error: 'Invalid input: expected a function (text, part) => string | undefined',
    })
    .optional(),
});

/** Of a call that shares another's answer too. */
export function capturedOf(
  { request = true, answer = true, maxChars = 100_000, redact }: CaptureOptions,
  attempt: Attempt,
): UsageRecord['captured'] {
  const kept = (part: CapturedPart, text: string | undefined): string | undefined => {
    if (text === undefined || text === '') return undefined;
    try {
      const left: unknown = redact === undefined ? text : redact(text, part);
      return typeof left === 'string' ? left.slice(0, maxChars) : undefined;
    } catch {
      return undefined;
    }
  };
  const tap = attempt.share?.answer?.tap ?? attempt.tap;
  return {
    request: request ? kept('request', attempt.asked.json?.source) : undefined,
    answer: answer ? kept('answer', tap?.outputText().text) : undefined,
  };
}
