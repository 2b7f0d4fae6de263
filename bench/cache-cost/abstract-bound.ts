import type { BoundRules } from '../../src/testing/simulate/cache/least-cost.ts';
import { lowerBound } from '../../src/testing/simulate/cache/lower-bound.ts';
import type { AbstractRequest } from './abstract-requests.ts';
import { ANSWER } from './conversation.ts';
import { ANTHROPIC } from './rules.ts';

export interface AbstractBoundOptions {
  /** Default: Anthropic's. */
  readonly rules?: BoundRules;
  /** What is written can be read at once, as if nobody had been in a hurry. Default: from the answer's first byte on. */
  readonly readableAtOnce?: boolean;
}

/** The least that the requests can cost, in plain input tokens, whoever decides what is marked. */
export function bound(
  requests: readonly AbstractRequest[],
  { rules = ANTHROPIC, readableAtOnce = false }: AbstractBoundOptions = {},
): number {
  return lowerBound(
    requests.map(({ t, blocks }) => ({
      at: t,
      readableAfter: ANSWER.firstByte,
      blocks,
      salts: { tools: '', system: '', messages: '' },
    })),
    rules,
    { readable: readableAtOnce ? 'at-once' : 'after-first-byte' },
  );
}
