import { LRUCache } from 'lru-cache';
import { OPEN_BRACKET, skipSpace } from '../../util/json-scan.ts';
import { textBytes } from '../arrange/own-text.ts';
import { listStart, messagesEnd, type Body, type KnownMessages } from './body.ts';
import type { BodyPrompt } from './body-prompt.ts';
import type { Dialect } from './dialects/dialect.ts';
import { textOf, withoutOmissions } from './elements.ts';
import { windowKeys } from './windows.ts';

/** A known conversation that a new source goes on with, or has the beginning of. */
export interface Found extends KnownMessages {
  readonly prompt: BodyPrompt;
  readonly conversation: Conversation;
}

export interface Conversations {
  /**
   * The conversation with the longest known beginning of this source's messages; where there is none, one that probably has
   * the same tools (`count` is then 0).
   */
  find(source: string, dialect: Dialect): Found | undefined;
  /** Keeps what was read. It takes the place of the conversation that it goes on with. */
  remember(body: Body, prompt: BodyPrompt, found: Found | undefined): void;
  clear(): void;
  readonly bytes: number;
}

/**
 * The last turn of each conversation, by the content of its messages and in a bounded number of bytes. Candidates are
 * found by sampled windows and confirmed by comparing whole slices, which runs at 40 GB/s; `startsWith` would be 50 times
 * slower, and long strings as map keys are hashed by nothing but their length.
 */
export function createConversations(maxBytes: number): Conversations {
  const buckets = new Map<number, Conversation[]>();
  const known = new LRUCache<number, Conversation>({
    maxSize: maxBytes,
    sizeCalculation: sizeOf,
    noDisposeOnSet: true,
    dispose: (conversation) => {
      unlist(conversation, 0);
    },
  });
  /** The conversation that came last, for each place where messages begin: one of the same agent has the same tools. */
  const heads = new LRUCache<string, number>({ max: MAX_HEADS });
  let lastId = 0;

  function list(conversation: Conversation, from: number): void {
    for (const key of conversation.keys.slice(from)) {
      const bucket = buckets.get(key);
      if (bucket === undefined) buckets.set(key, [conversation]);
      else if (bucket.push(conversation) > MAX_CANDIDATES) bucket.shift();
    }
  }

  function unlist(conversation: Conversation, from: number): void {
    for (const key of conversation.keys.slice(from)) {
      const bucket = buckets.get(key);
      const at = bucket?.indexOf(conversation) ?? -1;
      if (bucket === undefined || at < 0) continue;
      if (bucket.length === 1) buckets.delete(key);
      else bucket.splice(at, 1);
    }
  }

  return {
    find(source, dialect) {
      const start = guessListStart(source, dialect.messages);
      if (start < 0) return undefined;
      const keys = windowKeys(source, start, source.length, seedOf(dialect));
      let tries = 0;
      for (let i = keys.length - 1; i >= 0 && tries < MAX_BUCKETS; i--) {
        const bucket = buckets.get(keys[i] ?? 0);
        if (bucket === undefined) continue;
        tries++;
        const best = longest(bucket, source, start);
        if (best === undefined) continue;
        const { conversation, count } = best;
        const { body, prompt } = conversation;
        return { body, prompt, conversation, start, count };
      }
      const kin = known.peek(heads.get(headKey(dialect, start)) ?? 0);
      return kin && { body: kin.body, prompt: kin.prompt, conversation: kin, start, count: 0 };
    },
    remember(body, prompt, found) {
      const start = listStart(body);
      if (start < 0) return;
      const end = start + messagesEnd(body.messages, body.messages.length);
      const keys = windowKeys(body.source, start, end, seedOf(body.dialect));
      if (keys.length === 0) return;
      const headOf = headKey(body.dialect, start);
      const older = found === undefined ? undefined : successorOf(found, body);
      const isWide = older?.isWide === true || textBytes(body.source) > body.source.length;
      if (older === undefined || known.peek(older.id) !== older) {
        const conversation: Conversation = { id: ++lastId, body, prompt, keys, isWide };
        known.set(conversation.id, conversation);
        if (known.peek(conversation.id) !== conversation) return;
        list(conversation, 0);
        heads.set(headOf, conversation.id);
        return;
      }
      const same = commonLength(older.keys, keys);
      unlist(older, same);
      Object.assign(older, { body, prompt, keys, isWide });
      list(older, same);
      known.set(older.id, older);
      heads.set(headOf, older.id);
    },
    clear() {
      heads.clear();
      known.clear();
      buckets.clear();
    },
    get bytes() {
      return known.calculatedSize;
    },
  };
}

/** The last turn of one conversation. */
export interface Conversation {
  readonly id: number;
  body: Body;
  prompt: BodyPrompt;
  /** Of all windows that end within the messages. */
  keys: readonly number[];
  /** Its text has characters that take up two bytes in memory. */
  isWide: boolean;
}

/** Conversations that are kept under one key, the latest: agents with a common beginning share the first keys. */
const MAX_CANDIDATES = 8;
const MAX_HEADS = 64;
/** Keys that are looked into before a source counts as unknown. */
const MAX_BUCKETS = 4;
/** Messages at the end that are compared once more without their marks. */
const MAX_REMARKED = 4;

/** The conversation of which this is the next turn; `undefined` for a branch, which leaves the other as it is. */
function successorOf(found: Found, body: Body): Conversation | undefined {
  const older = found.conversation;
  if (older.body !== found.body) return undefined;
  const { messages } = found.body;
  if (messages.length - found.count > MAX_REMARKED) return undefined;
  for (let i = found.count; i < messages.length; i++) {
    if (hashedText(found.body, i) !== hashedText(body, i)) return undefined;
  }
  return older;
}

/** Hosts move their marks along: the last messages of a turn come back without them. */
function hashedText(body: Body, index: number): string | undefined {
  const element = body.messages[index];
  if (element === undefined) return undefined;
  const text = textOf(element, body.source, listStart(body));
  return withoutOmissions(text, 0, text.length, element.omit);
}

function longest(
  bucket: readonly Conversation[],
  source: string,
  start: number,
): { conversation: Conversation; count: number } | undefined {
  let best: { conversation: Conversation; count: number } | undefined;
  for (let i = bucket.length - 1; i >= 0; i--) {
    const conversation = bucket[i];
    if (conversation === undefined) continue;
    const { body } = conversation;
    const count = commonMessages(source, start, body);
    if (count > (best?.count ?? 0)) best = { conversation, count };
    if (count === body.messages.length) break;
  }
  return best;
}

/** How many messages of a body, from the first on, stand in the source just so. */
function commonMessages(source: string, start: number, body: Body): number {
  const { messages } = body;
  const base = listStart(body);
  const isEqual = (low: number, high: number): boolean => {
    const from = low === 0 ? 0 : messagesEnd(messages, low);
    const to = messagesEnd(messages, high);
    return source.slice(start + from, start + to) === body.source.slice(base + from, base + to);
  };
  let low = 0;
  let high = messages.length;
  // Mostly all of them do.
  if (isEqual(0, high)) return high;
  high--;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (isEqual(low, middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Where the array of messages begins, if it is where it seems to be; who reads the text will find out. */
function guessListStart(source: string, name: string): number {
  const needle = `"${name}":`;
  let at = source.indexOf(needle);
  for (let i = 0; i < MAX_GUESSES && at >= 0; i++) {
    const start = skipSpace(source, at + needle.length);
    if (source.charCodeAt(start) === OPEN_BRACKET) return start;
    at = source.indexOf(needle, start);
  }
  return -1;
}

/** `"input":` is a frequent name of a tool's parameter, too. */
const MAX_GUESSES = 16;

function commonLength(a: readonly number[], b: readonly number[]): number {
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  return i;
}

function headKey({ api }: Dialect, start: number): string {
  return `${api} ${start}`;
}

/** Two dialects may write the same messages, but not with the same blocks. */
function seedOf({ api }: Dialect): number {
  return api.length;
}

function sizeOf({ body, prompt, isWide, keys }: Conversation): number {
  let units = body.source.length;
  for (const { text } of body.messages) if (text !== undefined) units += text.length;
  for (const { text } of prompt.tools) if (text !== undefined) units += text.length;
  return (
    (isWide ? 2 : 1) * units +
    body.messages.length * ELEMENT_BYTES +
    prompt.blocks.length * BLOCK_BYTES +
    keys.length * KEY_BYTES +
    CONVERSATION_BYTES
  );
}

/** Memory beside the text, measured: elements and their places; blocks, their parts and hashes; keys in their buckets. */
const ELEMENT_BYTES = 140;
const BLOCK_BYTES = 330;
const KEY_BYTES = 60;
const CONVERSATION_BYTES = 4000;
