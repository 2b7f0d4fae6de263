/** Recorded conversations of agents, as a host would send them again. */
import { readdirSync, readFileSync } from 'node:fs';
import { ANSWER, type ChatMessage, type ChatTool, type Conversation } from './conversation.ts';
import { createWriter, type Writer } from './writer.ts';

/** A line of a trace file: a pool of messages, and which of them each request had. */
interface Trace {
  readonly id: string;
  readonly tools: readonly ChatTool[];
  readonly messages: readonly ChatMessage[];
  readonly turns: readonly TraceTurn[];
}

interface TraceTurn {
  /** When it was sent, in seconds since the first. */
  readonly at_seconds?: number;
  /** The first `n` messages … */
  readonly n?: number;
  /** … or these, both ends included. */
  readonly ranges?: ReadonlyArray<readonly [first: number, last: number]>;
}

/** A few short ones that belong to the project; test/fixtures/traces/README.md says whose they are. */
const SHIPPED = new URL('../../test/fixtures/traces/', import.meta.url);
/** The whole collection, where the machine has it. */
const WHOLE = new URL('../../../shared/traces/', import.meta.url);

/** Every recorded conversation, each beginning at 0. Gaps that were not recorded are drawn, around 6 s. */
export function readTraces(options: { shippedOnly?: boolean } = {}): Conversation[] {
  const whole = options.shippedOnly === true ? [] : linesOf(WHOLE);
  return (whole.length > 0 ? whole : linesOf(SHIPPED)).map((line, index) => {
    const trace = JSON.parse(line) as Trace;
    return conversationOf(trace, createWriter(index + 1));
  });
}

function linesOf(directory: URL): string[] {
  return filesOf(directory).flatMap((file) =>
    readFileSync(new URL(file, directory), 'utf8')
      .split('\n')
      .filter((line) => line !== ''),
  );
}

function filesOf(directory: URL): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith('.jsonl'))
      .sort();
  } catch {
    return [];
  }
}

function conversationOf({ id, tools, messages, turns }: Trace, writer: Writer): Conversation {
  return {
    id,
    startsAt: 0,
    turns: turns.map(({ at_seconds: at, n, ranges }, index) => {
      const before = turns[index - 1]?.at_seconds;
      const isTimed = at !== undefined && before !== undefined;
      // What was recorded is the time from request to request, which an answer is a part of.
      const gap = isTimed ? Math.max(0, at - before - ANSWER.whole) : writer.pause(6, 1, 120);
      const sent =
        ranges?.flatMap(([first, last]) => messages.slice(first, last + 1)) ?? messages.slice(0, n);
      return { gap: index === 0 ? 0 : gap, prompt: { tools, messages: sent } };
    }),
  };
}

/** `lanes` at once: when one ends the next begins. In a mixed order, which the seed decides. */
export function interleaved(
  conversations: readonly Conversation[],
  lanes: number,
  seed = 1,
): Conversation[] {
  const writer = createWriter(seed);
  const freeAt = Array.from({ length: lanes }, () => 0);
  return writer.shuffled(conversations).map((conversation) => {
    const startsAt = Math.min(...freeAt);
    const lasts = conversation.turns.reduce((sum, { gap }) => sum + gap + ANSWER.whole, 0);
    freeAt[freeAt.indexOf(startsAt)] = startsAt + lasts;
    return { ...conversation, startsAt };
  });
}
