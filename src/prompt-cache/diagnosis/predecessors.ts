import { LRUCache } from 'lru-cache';
import type { Fingerprint, Prompt, Salts } from '../types.ts';
import { hashBlock } from './block-text.ts';
import { copyHead, headLength, headTraits, type Head, type HeadTraits } from './head.ts';
import { extend, outlineBytes, type Outline } from './outline.ts';
import { identityOf, sharedMessages, type Identity, type Predecessor } from './prompt-change.ts';

/** What is known of a request beside its prompt. */
export interface PromptMeta {
  /** Within which prompts are compared: account and endpoint. */
  readonly scope: string;
  readonly session?: string | undefined;
  readonly model?: string | undefined;
  readonly salts: Salts;
}

export interface SentMeta extends PromptMeta {
  /** Hash of tools and system prompt. */
  readonly family: string;
  /** Milliseconds. */
  readonly sentAt: number;
  /** The deepest block with which an earlier request ended, by its prefix hash. */
  readonly continues?: number | undefined;
}

/**
 * Finds the earlier prompt that a request most probably continues or repeats although its prefix hash is a new one, because
 * something in the tools, in the system prompt or in the history has changed.
 */
export interface Predecessors {
  /** For a request that continues nothing known. Keeps nothing. */
  find(prompt: Prompt, meta: PromptMeta): Predecessor | undefined;
  /**
   * Notes that a request was sent. What continues a known one costs its new blocks only; of anything else a compact copy is
   * made, and what `find` gives for it is returned.
   */
  remember(prompt: Prompt, fingerprint: Fingerprint, meta: SentMeta): Predecessor | undefined;
  /** Forgets everything. */
  clear(): void;
}

export interface PredecessorsOptions {
  /** For all copies together; the longest unused go first. Default 16 MiB. */
  readonly maxBytes?: number | undefined;
}

/** What a request can be found by. */
interface Traits {
  readonly identity: Identity;
  readonly firstMessage: number;
  readonly head: HeadTraits;
  readonly keys: readonly string[];
}

export function createPredecessors({
  maxBytes = 16 * 2 ** 20,
}: PredecessorsOptions = {}): Predecessors {
  const half = Math.max(1, Math.floor(maxBytes / 2));
  /** Shared by all lines that have the same tools and system prompt. */
  const heads = new LRUCache<string, Head>({
    maxSize: half,
    sizeCalculation: ({ bytes }) => bytes,
  });
  const byEnd = new Map<string, Outline>();
  const byTrait = new Map<string, Outline>();
  /** Owns the lines; the two maps follow it. */
  const outlines = new LRUCache<Outline, { readonly bytes: number }>({
    maxSize: half,
    sizeCalculation: ({ bytes }) => bytes,
    dispose(_size, outline, reason) {
      if (reason !== 'set') unlink(outline);
    },
  });

  function unlink(outline: Outline): void {
    if (byEnd.get(outline.endKey) === outline) byEnd.delete(outline.endKey);
    for (const key of outline.keys) if (byTrait.get(key) === outline) byTrait.delete(key);
  }

  function find(prompt: Prompt, traits: Traits): Predecessor | undefined {
    let best: Predecessor | undefined;
    let bestScore = 0;
    for (const outline of new Set(traits.keys.map((key) => byTrait.get(key)))) {
      const head = outline === undefined ? undefined : heads.get(outline.headKey);
      if (outline === undefined || head === undefined) continue;
      const score = likeness(outline, head.traits, traits);
      if (score <= bestScore) continue;
      const candidate = predecessorOf(outline, head);
      if (!isAlike(head, traits.head) && sharedMessages(candidate, prompt) < 2) continue;
      best = candidate;
      bestScore = score;
    }
    return best;
  }

  function link(outline: Outline, scope: string, prompt: Prompt, fingerprint: Fingerprint): void {
    extend(outline, prompt, fingerprint);
    if (byEnd.get(outline.endKey) === outline) byEnd.delete(outline.endKey);
    outline.endKey = hashKey(scope, prompt.blocks.length - 1, fingerprint);
    const bytes = outlineBytes(outline);
    if (bytes === outline.bytes) outlines.get(outline);
    else outlines.set(outline, { bytes });
    outline.bytes = bytes;
    // A line that is larger than the whole bound is not kept.
    if (!outlines.has(outline)) return unlink(outline);
    byEnd.set(outline.endKey, outline);
    for (const key of outline.keys) byTrait.set(key, outline);
  }

  function continued(
    { scope, continues }: SentMeta,
    fingerprint: Fingerprint,
  ): Outline | undefined {
    const hash = continues === undefined ? undefined : fingerprint.at(continues);
    return hash === undefined ? undefined : byEnd.get(`${scope} ${hash}`);
  }

  return {
    find: (prompt, meta) => find(prompt, traitsOf(prompt, meta)),
    remember(prompt, fingerprint, meta) {
      if (prompt.blocks.length === 0) return undefined;
      const known = continued(meta, fingerprint);
      if (known !== undefined) {
        known.seenAt = meta.sentAt;
        heads.get(known.headKey);
        link(known, meta.scope, prompt, fingerprint);
        return undefined;
      }
      const start = headLength(prompt);
      const headKey = hashKey(meta.scope, start - 1, fingerprint);
      let head = heads.get(headKey);
      const traits = traitsOf(prompt, meta, head?.traits);
      const earlier = find(prompt, traits);
      if (head === undefined) {
        head = copyHead(prompt);
        heads.set(headKey, head);
      }
      const outline: Outline = {
        family: earlier?.family ?? meta.family,
        headKey,
        identity: traits.identity,
        firstMessage: traits.firstMessage,
        keys: traits.keys,
        start,
        hashes: new Uint32Array(0),
        count: 0,
        ends: [],
        endKey: '',
        seenAt: meta.sentAt,
        bytes: 0,
      };
      link(outline, meta.scope, prompt, fingerprint);
      return earlier;
    },
    clear() {
      outlines.clear();
      heads.clear();
    },
  };
}

function traitsOf(prompt: Prompt, meta: PromptMeta, known?: HeadTraits): Traits {
  const { scope, session, model, salts } = meta;
  const identity = identityOf(session, model, salts);
  const head = known ?? headTraits(prompt);
  const messages = prompt.blocks.slice(headLength(prompt));
  const first = messages.find(({ role }) => role === 'user') ?? messages[0];
  const firstMessage = first === undefined ? 0 : hashBlock(prompt, first);
  const kinds = [`begins ${head.systemStart}`, `ends ${head.systemEnd}`];
  // A call of another kind with the same first message, such as one for a title, must not hide the conversation.
  const anchors = [`message ${firstMessage}`];
  if (identity.session !== undefined) anchors.push(`session ${identity.session}`);
  const parts = head.toolNames === 0 ? kinds : [...kinds, `tools ${head.toolNames}`];
  const keys = [
    ...anchors.flatMap((anchor) => parts.map((part) => `${scope} ${anchor} ${part}`)),
    ...kinds.map((kind) => `${scope} tools ${head.toolNames} ${kind}`),
    // Short system prompts change as a whole.
    `${scope} message ${firstMessage}`,
  ];
  return { identity, firstMessage, head, keys };
}

/** How much of what a request can be found by is the same. */
function likeness(
  outline: Outline,
  head: HeadTraits,
  { identity, firstMessage, head: own }: Traits,
): number {
  return [
    identity.session !== undefined && identity.session === outline.identity.session,
    identity.model === outline.identity.model,
    firstMessage === outline.firstMessage,
    head.toolNames === own.toolNames,
    head.systemStart === own.systemStart,
    head.systemEnd === own.systemEnd,
  ].filter(Boolean).length;
}

/** Made by the same code. Calls of several kinds in one session, with tools and a system prompt of their own, are not. */
function isAlike({ tools, traits }: Head, own: HeadTraits): boolean {
  return (
    traits.systemStart === own.systemStart ||
    traits.systemEnd === own.systemEnd ||
    (tools > 0 && traits.toolNames === own.toolNames)
  );
}

/** As it is now: the line may grow before it is looked at. */
function predecessorOf(outline: Outline, head: Head): Predecessor {
  const { family, identity, hashes, count, ends, seenAt } = outline;
  return { family, head, identity, hashes, count, ends: ends.slice(), seenAt };
}

/** Of the prefix that ends with a block; all prompts without tools and system prompt have the same empty one. */
function hashKey(scope: string, index: number, fingerprint: Fingerprint): string {
  return `${scope} ${fingerprint.at(index) ?? ''}`;
}
