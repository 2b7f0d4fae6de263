import { minimumOfClaude } from './claude-models.ts';
import { blockPositions } from './positions.ts';
import { createPrefixTree } from './prefix-tree.ts';
import type { PrefixNode } from './prefix-tree.ts';
import { readableFrom, refused } from './timing.ts';
import type { CacheRequest, CacheResult, CacheSimulator, CacheTtl } from './types.ts';

export interface AnthropicCacheOptions {
  /** The shortest prefix that is kept, in tokens. Default: the model's, as documented; 4096 for an unknown one. */
  minTokens?: number | ((model: string | undefined) => number);
  /** Marks that a request may carry. Default: 4 (prompt caching guide, 2026-08-22). */
  maxMarks?: number;
  /** Positions looked at from a mark backwards, its own included. Default: 20 (prompt caching guide, 2026-08-22). */
  lookback?: number;
  /**
   * What a read refreshes beside the entry that was read. `hit+marked`: the entries at marks before it too, and marks without
   * an entry get one at no charge. `hit-only`: nothing. Default: `hit+marked`. An assumption: the guide says that each use
   * refreshes, not what a use is.
   */
  refresh?: 'hit+marked' | 'hit-only';
  /** Whether a mark of an hour lengthens a live entry of 5 minutes before the one read. Default: no. An assumption. */
  upgrades?: boolean;
  /** Prefixes remembered, the latest used. Default: 500 000. */
  maxPositions?: number;
}

interface Entry {
  ttl: WriteTtl;
  /** Seconds. */
  readableAt: number;
  expiresAt: number;
}

type WriteTtl = '5m' | '1h';

interface Mark {
  readonly index: number;
  readonly ttl: WriteTtl;
}

/** Counted from the start of the request (prompt caching guide, 2026-08-22). */
const SECONDS: Readonly<Record<WriteTtl, number>> = { '5m': 300, '1h': 3600 };

/**
 * Anthropic's prompt cache: entries are written at marks only and read at a mark or a little before it (prompt caching guide,
 * 2026-08-22). That marks are no part of a prefix, that looking back crosses from messages into the system prompt and that
 * entries die exactly at the end of their lifetime are assumptions.
 */
export function anthropicCache(options: AnthropicCacheOptions = {}): CacheSimulator {
  const { minTokens = minimumOfClaude, maxMarks = 4, lookback = 20 } = options;
  const { refresh = 'hit+marked', upgrades = false, maxPositions = 500_000 } = options;
  const tree = createPrefixTree<Entry>(maxPositions);

  function process(request: CacheRequest): CacheResult {
    const marks = marksOf(request, maxMarks);
    if (typeof marks === 'string') return refused(marks);
    const { keys, tokens, total } = blockPositions(request);
    const minimum = typeof minTokens === 'number' ? minTokens : minTokens(request.model);
    const lengthAt = (index: number): number => tokens[index] ?? 0;
    // Too short a prefix is not kept, and nobody is told.
    const counted = marks.filter(({ index }) => lengthAt(index) >= minimum);
    const path = tree.walk(keys);

    const hit = findHit(path, counted, lookback, request.at);
    const read = hit === undefined ? 0 : lengthAt(hit);
    const hourEnd = Math.max(
      read,
      ...counted.filter(({ ttl }) => ttl === '1h').map(({ index }) => lengthAt(index)),
    );
    const end = Math.max(hourEnd, ...counted.map(({ index }) => lengthAt(index)));

    if (hit !== undefined) touch(path[hit]?.entry, request.at);
    for (const { index, ttl } of counted) {
      const node = path[index];
      if (node === undefined) continue;
      if (lengthAt(index) > read) {
        node.entry = written(node.entry, ttl, request);
      } else if (refresh === 'hit+marked') {
        if (!isLive(node.entry, request.at)) node.entry = written(undefined, ttl, request);
        else if (upgrades && ttl === '1h') node.entry.ttl = ttl;
        touch(node.entry, request.at);
      }
    }
    return {
      total,
      read,
      write1h: hourEnd - read,
      write5m: end - hourEnd,
      write: 0,
      uncached: total - end,
      hit,
    };
  }

  return { process };
}

/** The marks of a request in order, the automatic one included; or why it is refused. */
function marksOf(request: CacheRequest, maxMarks: number): readonly Mark[] | string {
  const { blocks, automatic, refusal } = request;
  if (refusal !== undefined) return refusal;
  const marks: Mark[] = [];
  for (const [index, { mark, cacheable }] of blocks.entries()) {
    if (mark === undefined) continue;
    if (!isWriteTtl(mark)) return `cache_control: ttl ${mark} is not one of 5m and 1h`;
    if (!cacheable) return `cache_control cannot be set on block ${index}`;
    marks.push({ index, ttl: mark });
  }
  if (automatic !== undefined) {
    if (!isWriteTtl(automatic)) return `cache_control: ttl ${automatic} is not one of 5m and 1h`;
    const last = blocks.findLastIndex(({ cacheable }) => cacheable);
    const there = marks.find(({ index }) => index === last);
    if (there !== undefined && there.ttl !== automatic) {
      return `cache_control: the last block is marked ${there.ttl}, the request ${automatic}`;
    }
    // No mark comes after it: those behind are on blocks that take none.
    if (there === undefined && last !== -1) marks.push({ index: last, ttl: automatic });
  }
  if (marks.length > maxMarks) {
    return `a maximum of ${maxMarks} blocks with cache_control may be provided, found ${marks.length}`;
  }
  const firstShort = marks.findIndex(({ ttl }) => ttl === '5m');
  if (firstShort !== -1 && marks.slice(firstShort).some(({ ttl }) => ttl === '1h')) {
    return 'cache_control: a ttl of 1h must not come after a ttl of 5m';
  }
  return marks;
}

function isWriteTtl(ttl: CacheTtl): ttl is WriteTtl {
  return ttl === '5m' || ttl === '1h';
}

/** The longest prefix with a readable entry, from the last mark backwards. */
function findHit(
  path: readonly PrefixNode<Entry>[],
  marks: readonly Mark[],
  lookback: number,
  now: number,
): number | undefined {
  for (const { index: from } of marks.toReversed()) {
    for (let index = from; index >= 0 && index > from - lookback; index -= 1) {
      const entry = path[index]?.entry;
      if (isLive(entry, now) && entry.readableAt <= now) return index;
    }
  }
  return undefined;
}

function isLive(entry: Entry | undefined, now: number): entry is Entry {
  return entry !== undefined && now < entry.expiresAt;
}

function touch(entry: Entry | undefined, now: number): void {
  if (entry !== undefined) entry.expiresAt = now + SECONDS[entry.ttl];
}

/** A second request that writes what is on its way already does not make it later. */
function written(before: Entry | undefined, ttl: WriteTtl, request: CacheRequest): Entry {
  const pending = isLive(before, request.at) ? before.readableAt : Infinity;
  return {
    ttl,
    readableAt: Math.min(pending, readableFrom(request)),
    expiresAt: request.at + SECONDS[ttl],
  };
}
