import { LRUCache } from 'lru-cache';
import { piecePositions } from './positions.ts';
import { createPrefixTree } from './prefix-tree.ts';
import { readableFrom, readOnly, refused } from './timing.ts';
import type { CacheRequest, CacheResult, CacheSimulator } from './types.ts';

export interface GeminiCacheOptions {
  /**
   * The shortest prefix that is read, in tokens. Default: 2048 for Gemini 2.5, else 4096 (Gemini caching guide, 2026-10-13).
   */
  minTokens?: number | ((model: string | undefined) => number);
  /** Seconds after which a prefix is certainly not read any more. Default: 300. An assumption: nothing is documented. */
  windowSeconds?: number;
  /** Which end of the band is reported as `read`. Default: `pessimistic`. */
  report?: 'pessimistic' | 'optimistic';
  /** Pieces of prefixes remembered, the latest used. Default: 1 000 000. */
  maxPositions?: number;
}

/** What `cachedContents.create` made. */
export interface CachedContent {
  /** `cachedContents/…`, as requests name it. */
  readonly name: string;
  readonly tokens: number;
  /** Seconds. */
  readonly createdAt: number;
  readonly expiresAt: number;
}

export interface GeminiCacheSimulator extends CacheSimulator {
  /** Makes a cached content known. Requests that continue it read all of it, until it expires. */
  keep(content: CachedContent): void;
  /** What storing them has cost up to `now`, in tokens times hours. */
  tokenHours(now: number): number;
}

/** Cached contents that are known at the same time. */
const MAX_CONTENTS = 10_000;

interface Entry {
  /** Seconds. */
  usedAt: number;
  readableAt: number;
}

/**
 * Gemini's prompt cache. What it keeps by itself is neither promised nor documented, and recorded counts are any number, so a
 * result is a band: nothing, and all that may have been read at best. Cached contents are exact.
 */
export function geminiCache(options: GeminiCacheOptions = {}): GeminiCacheSimulator {
  const { minTokens = minimumOf, windowSeconds = 300, report = 'pessimistic' } = options;
  const tree = createPrefixTree<Entry>(options.maxPositions ?? 1_000_000);
  const contents = new LRUCache<string, CachedContent>({ max: MAX_CONTENTS });

  function process(request: CacheRequest): CacheResult {
    const { at, refusal, cachedContent = '' } = request;
    if (refusal !== undefined) return refused(refusal);
    const content = contents.get(cachedContent);
    if (cachedContent !== '' && !(content !== undefined && at < content.expiresAt)) {
      return refused('CachedContent not found, or it has expired');
    }
    const stored = content?.tokens ?? 0;
    const { keys, tokens, total: own } = piecePositions(request, cachedContent);
    const total = stored + own;
    const path = tree.walk(keys);

    const isLive = (entry: Entry | undefined): entry is Entry =>
      entry !== undefined && at - entry.usedAt < windowSeconds;
    const gone = path.findIndex(({ entry }) => !isLive(entry) || entry.readableAt > at);
    const common = stored + (tokens[(gone === -1 ? path.length : gone) - 1] ?? 0);
    for (const node of path) {
      const pending = isLive(node.entry) ? node.entry.readableAt : Infinity;
      node.entry = { usedAt: at, readableAt: Math.min(pending, readableFrom(request)) };
    }

    const minimum = typeof minTokens === 'number' ? minTokens : minTokens(request.model);
    const pessimistic = stored;
    const optimistic = Math.max(stored, common < minimum ? 0 : Math.min(common, total - 1));
    const read = report === 'optimistic' ? optimistic : pessimistic;
    return { ...readOnly(total, read), band: { pessimistic, optimistic } };
  }

  return {
    process,
    keep(content) {
      contents.set(content.name, content);
    },
    tokenHours(now) {
      let sum = 0;
      for (const { tokens, createdAt, expiresAt } of contents.values()) {
        sum += (tokens * Math.max(0, Math.min(now, expiresAt) - createdAt)) / 3600;
      }
      return sum;
    },
  };
}

function minimumOf(model: string | undefined): number {
  return model?.includes('gemini-2.5') === true ? 2048 : 4096;
}
