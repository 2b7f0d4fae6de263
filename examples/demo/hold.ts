/** Holds the recorded conversations: real SDK clients, whose calls go through the router. */
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import type { Router } from 'tokenrouter';
import type { Fixture } from 'tokenrouter/testing';
import { chatAnswer, messagesAnswer, responsesAnswer, type Piece } from './answers.ts';
import type { Conversation } from './conversations.ts';
import { heading, note, showAnswer, showMessage } from './screen.ts';

/** The embedded provider looks at no key; the SDKs want one. */
const apiKey = 'embedded';

export async function holdRecorded(
  router: Router,
  conversations: readonly Conversation[],
  signal: AbortSignal,
): Promise<void> {
  // Recordings keep the models of their day; the Anthropic SDK's advice to migrate is for callers who can.
  const { warn } = console;
  console.warn = () => {};
  try {
    for (const conversation of conversations) await hold(router, conversation, signal);
  } finally {
    console.warn = warn;
  }
}

async function hold(
  router: Router,
  conversation: Conversation,
  signal: AbortSignal,
): Promise<void> {
  heading(conversation.title);
  for (const [i, turn] of conversation.turns.entries()) {
    const { before, added } = historyOf(turn);
    if (i === 0 && before > 0) note(`(after ${before} earlier messages)`);
    for (const { speaker, text } of added) showMessage(speaker, text);
    await showAnswer(ask(router, conversation, turn, signal));
    // The SDKs end a stream quietly when it is aborted.
    signal.throwIfAborted();
  }
}

/** Sends one recorded request with the SDK that fits. Its body is the recording's: nothing else would be answered. */
function ask(
  router: Router,
  { api, baseURL }: Conversation,
  { request }: Fixture,
  signal: AbortSignal,
): AsyncIterable<Piece> {
  const body = request?.body ?? 'null';
  const query = Object.fromEntries(new URL(request?.url ?? baseURL).searchParams);
  if (api === 'messages') {
    // A client one already has: the copy that comes back is the same client, through the router.
    const client = router.wrap(new Anthropic({ apiKey, baseURL: baseURL, maxRetries: 0 }));
    return messagesAnswer(client, JSON.parse(body), { signal, query });
  }
  const client = new OpenAI({ apiKey, baseURL: baseURL, maxRetries: 0, fetch: router.fetch });
  return api === 'responses'
    ? responsesAnswer(client, JSON.parse(body), { signal })
    : chatAnswer(client, JSON.parse(body), { signal });
}

interface Message {
  readonly speaker: string;
  readonly text: string;
}

/** How many messages a recorded request repeats, and what stands behind the last answer among them. */
function historyOf({ request }: Fixture): { before: number; added: Message[] } {
  const body: unknown = JSON.parse(request?.body ?? 'null');
  const all = listOf(member(body, 'messages') ?? member(body, 'input'));
  const history = all.filter((message) => member(message, 'role') !== 'system');
  const before = history.findLastIndex((message) => member(message, 'role') === 'assistant') + 1;
  return { before, added: history.slice(before).flatMap(toMessages) };
}

function toMessages(message: unknown): Message[] {
  const role = String(member(message, 'role'));
  const content = member(message, 'content');
  if (typeof content === 'string') return [{ speaker: role, text: content }];
  return listOf(content).map((part) => ({
    speaker: member(part, 'type') === 'tool_result' ? 'tool' : role,
    text: String(member(part, 'text') ?? member(part, 'content')),
  }));
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
