import { hash } from 'node:crypto';
import { ownText } from '../arrange/own-text.ts';
import type { Fingerprint, Prompt, Salts } from '../types.ts';
import { hashBlock, WHOLE_UP_TO } from './block-text.ts';
import { systemChange, toolsChange, type TierChange } from './head-change.ts';
import { headLength, type Head } from './head.ts';

/** An earlier request, as far as it was kept for comparison. */
export interface Predecessor {
  /** Of the first request in its line: stays the same however often tools and system prompt change. */
  readonly family: string;
  readonly head: Head;
  readonly identity: Identity;
  /** `hashBlock` of its message blocks; only the first `count` are its own. */
  readonly hashes: Uint32Array;
  readonly count: number;
  /** Where it and the requests that it continued ended. */
  readonly ends: readonly PrefixEnd[];
  /** Milliseconds, when it was last sent. */
  readonly seenAt: number;
}

/** Digests of what is long, because they are only ever compared. */
export interface Identity {
  readonly session: string | undefined;
  readonly model: string;
  readonly salts: Salts;
}

export interface PrefixEnd {
  /** Index in `Prompt.blocks`. */
  readonly position: number;
  readonly hash: string;
}

/** What differs between a request and an earlier one. */
export interface PromptChange extends TierChange {
  /** Index in the body's array of messages. */
  readonly message?: number | undefined;
  /** How many of this request's blocks would have been in the earlier one's prefix, had this not changed. */
  readonly reach: number;
}

/** A request, as far as it is compared. */
export interface Compared {
  readonly prompt: Prompt;
  readonly fingerprint: Fingerprint;
  readonly identity: Identity;
}

export function identityOf(
  session: string | undefined,
  model: string | undefined,
  salts: Salts,
): Identity {
  return {
    session: session === undefined ? undefined : digest(session),
    model: digest(model ?? ''),
    salts: {
      tools: digest(salts.tools),
      system: digest(salts.system),
      messages: digest(salts.messages),
    },
  };
}

function digest(text: string): string {
  return text.length <= SHORT ? ownText(text) : hash('sha256', text, 'base64url');
}

/** A text of no more characters takes no more room than its digest. */
const SHORT = 43;

/**
 * The first thing in cache order that keeps a request from continuing an earlier one. In cache order, because nothing that
 * stands behind the first difference can be read, whatever it is; and a model comes before everything.
 *
 * `undefined` where nothing differs, and where the two have not enough in common to say that one should continue the other:
 * a new conversation is no edited one.
 */
export function promptChange(earlier: Predecessor, current: Compared): PromptChange | undefined {
  const { prompt, identity } = current;
  const start = headLength(prompt);
  const shared = sharedMessages(earlier, prompt);
  const reach = start + shared;
  const isSession = identity.session !== undefined && identity.session === earlier.identity.session;

  if (identity.model !== earlier.identity.model) {
    // Sending a prompt to two models is a habit; changing the model within a conversation is a loss.
    if (shared < (isSession ? 1 : 2)) return undefined;
    return { reason: 'model-changed', position: 0, reach };
  }
  const { salts } = identity;
  const before = earlier.identity.salts;
  if (salts.tools !== before.tools) return { reason: 'parameter-changed', position: 0, reach };
  const tools = toolsChange(earlier.head, prompt);
  if (tools !== undefined) return { ...tools, reach };
  if (salts.system !== before.system) {
    return { reason: 'parameter-changed', position: earlier.head.tools, reach };
  }
  const system = systemChange(earlier.head, prompt);
  if (system !== undefined) return { ...system, reach };
  if (salts.messages !== before.messages) {
    return shared === 0 ? undefined : { reason: 'parameter-changed', position: start, reach };
  }
  return historyChange(earlier, current, shared, isSession);
}

/** Leading message blocks that are equal in both. */
export function sharedMessages({ hashes, count }: Predecessor, prompt: Prompt): number {
  const start = headLength(prompt);
  const end = Math.min(count, prompt.blocks.length - start);
  let shared = 0;
  while (shared < end) {
    const block = prompt.blocks[start + shared];
    if (block === undefined || hashes[shared] !== hashBlock(prompt, block)) break;
    shared++;
  }
  return shared;
}

function historyChange(
  earlier: Predecessor,
  { prompt, fingerprint }: Compared,
  shared: number,
  isSession: boolean,
): PromptChange | undefined {
  const start = headLength(prompt);
  const equal = trulyShared(earlier, prompt, fingerprint, shared);
  if (!isEdit(earlier, prompt, equal, isSession)) return undefined;
  const position = start + equal;
  return {
    reason: 'history-edited',
    position,
    message: prompt.blocks[position]?.message,
    reach: Math.min(start + earlier.count, prompt.blocks.length),
  };
}

/**
 * Whether what follows is the same conversation with a part of it rewritten, and neither another answer to the same request
 * nor another conversation that begins alike. It is when blocks from behind the difference are still there, or when an answer
 * follows to a message that was sent in other words (context that the host puts into the last message only).
 */
function isEdit(
  { hashes, count, ends }: Predecessor,
  prompt: Prompt,
  equal: number,
  isSession: boolean,
): boolean {
  const position = headLength(prompt) + equal;
  const mayBranch = equal === 0 || ends.some((end) => end.position === position - 1);
  const later = new Set(hashes.subarray(equal, count));
  const rest = prompt.blocks.slice(position);
  const back = rest.filter((block) => later.has(hashBlock(prompt, block))).length;
  if (back >= (mayBranch && !isSession ? 2 : 1)) return true;
  const rewritten = rest[0]?.message;
  const isAnswered = rest.some(
    ({ role, message }) => message !== rewritten && (role === 'assistant' || role === 'model'),
  );
  return !mayBranch && isAnswered;
}

/** What `hashBlock` cannot see, the hash chain does; it says between which two ends of requests, and long blocks are suspect. */
function trulyShared(
  { ends }: Predecessor,
  prompt: Prompt,
  fingerprint: Fingerprint,
  shared: number,
): number {
  const start = headLength(prompt);
  let equal = 0;
  for (const end of ends) {
    const count = end.position + 1 - start;
    if (count > shared) break;
    const now = fingerprint.at(end.position);
    if (now === end.hash) equal = Math.max(equal, count);
    if (now === undefined || now === end.hash) continue;
    const bracket = prompt.blocks.slice(start + equal, start + count);
    const suspect = bracket.findIndex((block) => block.end - block.start > WHOLE_UP_TO);
    return equal + Math.max(0, suspect);
  }
  return shared;
}
