/** Which calls belong together? */
import { createHash } from 'node:crypto';
import type { Observation } from './replay.ts';
import { groupsOf } from './sums.ts';
import { turnOf, type Turn } from './turns.ts';

export interface Conversation {
  /** `calls`: each asks something of its own; all begin with the same tools and system prompt, if they have any. */
  readonly kind: 'conversation' | 'calls';
  /** In the order in which they were sent; never empty. */
  readonly turns: readonly Turn[];
}

/**
 * A call continues the conversation whose latest call it repeats, else the one with whose latest call it shares the most
 * messages, two at least. Messages are compared without tools, system prompt and marks, because those are what goes wrong.
 * Calls that stay alone are put together by the hash of their tools and system prompt.
 */
export function conversationsIn(observations: readonly Observation[]): Conversation[] {
  const lines: Line[] = [];
  const byMessage = new Map<string, Set<Line>>();
  for (const observation of observations) {
    const turn = turnOf(observation);
    if (turn === undefined) continue;
    const messages = messagesIn(observation);
    let line = continued(messages, byMessage);
    if (line === undefined) {
      line = { head: headOf(observation), turns: [], messages: [] };
      lines.push(line);
    }
    for (const message of line.messages) byMessage.get(message)?.delete(line);
    line.turns.push(turn);
    line.messages = messages;
    for (const message of messages) {
      const holders = byMessage.get(message);
      if (holders === undefined) byMessage.set(message, new Set([line]));
      else holders.add(line);
    }
  }

  const singles = groupsOf(
    lines.filter(({ turns }) => turns.length === 1),
    ({ head }) => head,
  );
  return [
    ...lines
      .filter(({ turns }) => turns.length > 1)
      .map(({ turns }): Conversation => ({ kind: 'conversation', turns })),
    ...singles.map((calls): Conversation => ({
      kind: 'calls',
      turns: calls.flatMap(({ turns }) => turns),
    })),
  ].toSorted((a, b) => startOf(a) - startOf(b));
}

export function startOf({ turns }: Conversation): number {
  return turns[0]?.sentAt ?? 0;
}

interface Line {
  readonly head: string;
  readonly turns: Turn[];
  /** Of the latest call. */
  messages: readonly string[];
}

function continued(
  messages: readonly string[],
  byMessage: ReadonlyMap<string, ReadonlySet<Line>>,
): Line | undefined {
  const shared = new Map<Line, number>();
  for (const message of messages) {
    for (const line of byMessage.get(message) ?? []) shared.set(line, (shared.get(line) ?? 0) + 1);
  }
  const likely = [...shared].filter(([line, count]) => count > 1 || isWhole(line, count));
  const [best] = likely.toSorted(
    ([a, countOfA], [b, countOfB]) =>
      Number(isWhole(b, countOfB)) - Number(isWhole(a, countOfA)) || countOfB - countOfA,
  );
  return best?.[0];
}

function isWhole({ messages }: Line, shared: number): boolean {
  return shared === messages.length;
}

function headOf({ record, exchange }: Observation): string {
  const { provider, requestModel, cache } = record;
  return [new URL(exchange.url).host, provider, requestModel, cache?.prefix].join(' ');
}

/** A hash of each message that is not a system prompt's. None where the format is not known. */
function messagesIn({ exchange }: Observation): string[] {
  const { body } = exchange.fixture.request ?? {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(body ?? '');
  } catch {
    return [];
  }
  if (!isObject(parsed)) return [];
  const list = [parsed['messages'], parsed['input'], parsed['contents']].find(
    (member) => Array.isArray(member) || typeof member === 'string',
  );
  const messages: unknown[] = Array.isArray(list) ? list : list === undefined ? [] : [list];
  const asked = messages.filter((item) => !isObject(item) || !HEAD_ROLES.has(item['role']));
  return [...new Set(asked.map(hashOf))];
}

const HEAD_ROLES: ReadonlySet<unknown> = new Set(['system', 'developer']);
const MARKS: ReadonlySet<string> = new Set(['cache_control', 'prompt_cache_breakpoint']);

function hashOf(message: unknown): string {
  const text = JSON.stringify(message, (key, value: unknown) => {
    if (MARKS.has(key)) return undefined;
    // Hosts write a text as a part where it carries a mark, and plainly where not.
    const [part] = key === 'content' && Array.isArray(value) && value.length === 1 ? value : [];
    return isObject(part) && part['type'] === 'text' ? part['text'] : value;
  });
  return createHash('sha256').update(text).digest('base64url');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
