import { hash } from 'node:crypto';
import { createMachines } from './machines.ts';
import type { OverflowOptions } from './machines.ts';
import { piecePositions } from './positions.ts';
import { createPrefixTree } from './prefix-tree.ts';
import { readableFrom, readOnly, refused } from './timing.ts';
import type { CacheRequest, CacheResult, CacheSimulator } from './types.ts';

export interface OpenAIPrefixCacheOptions extends OverflowOptions {
  /** The shortest prefix that is read, in tokens. Default: 1024 (OpenAI prompt caching guide, 2026-06-27). */
  minTokens?: number;
  /**
   * Tokens from one point where a prefix may end to the next. Default: 128, an assumption ("model-dependent"); 2048 for gpt-5.5
   * (OpenAI prompt caching guide, 2026-10-02).
   */
  interval?: number | ((model: string | undefined) => number);
  /** Tokens before the visible ones, counted in the interval. Default: 0. An assumption. */
  hidden?: number;
  /** Where the request does not say. Default: `in_memory`, as for organizations without data retention. */
  retention?: 'in_memory' | '24h';
  /** Pieces of prefixes remembered, the latest used. Default: 1 000 000. */
  maxPositions?: number;
}

interface Entry {
  /** Seconds. */
  createdAt: number;
  usedAt: number;
  readableAt: number;
  retention: Retention;
}

type Retention = 'in_memory' | '24h';

/**
 * Seconds without use, and in all, after which a prefix is gone: assumptions within what the guide says (2026-06-27): 5 to 10
 * minutes and at most an hour in memory; typically half an hour and at most a day extended.
 */
const LIFETIMES: Readonly<Record<Retention, { idle: number; most: number }>> = {
  in_memory: { idle: 300, most: 3600 },
  '24h': { idle: 1800, most: 86_400 },
};

/** The beginning that decides which machine a request goes to, in tokens (prompt caching guide, 2026-06-27: about 256). */
const ROUTING_TOKENS = 256;

/** What is reported is a multiple of this (prompt caching guide, 2026-06-27). */
const REPORTED_STEP = 128;

/** OpenAI's prompt cache before GPT-5.6: whatever was sent is kept, in steps, at no charge (prompt caching guide, 2026-06-27). */
export function openaiPrefixCache(options: OpenAIPrefixCacheOptions = {}): CacheSimulator {
  const { minTokens = 1024, interval = intervalOf, hidden = 0, maxPositions = 1_000_000 } = options;
  const tree = createPrefixTree<Entry>(maxPositions);
  const machineOf = createMachines(options);

  function process(request: CacheRequest): CacheResult {
    const refusal = refusalOf(request);
    if (refusal !== undefined) return refused(refusal);
    const { at, key = '', retention = options.retention ?? 'in_memory' } = request;
    const { keys, tokens, total } = piecePositions(request, key);
    const beginning = keys.filter((_, index) => (tokens[index - 1] ?? 0) < ROUTING_TOKENS);
    const machine = machineOf(hash('sha256', beginning.join('\n')), at);
    const path = tree.walk([`machine ${machine}`, ...keys]).slice(1);

    const gone = path.findIndex(({ entry }) => !isReadable(entry, at));
    const known = gone === -1 ? path.length : gone;
    for (const [index, node] of path.entries()) {
      const before = isLive(node.entry, at) ? node.entry : undefined;
      node.entry = {
        createdAt: index < known ? (before?.createdAt ?? at) : at,
        usedAt: at,
        readableAt: Math.min(before?.readableAt ?? Infinity, readableFrom(request)),
        retention,
      };
    }

    const common = tokens[known - 1] ?? 0;
    const step = typeof interval === 'number' ? interval : interval(request.model);
    const boundary = Math.floor((common + hidden) / step) * step - hidden;
    const read = boundary < minTokens ? 0 : Math.floor(boundary / REPORTED_STEP) * REPORTED_STEP;
    return readOnly(total, read);
  }

  return { process };
}

function intervalOf(model: string | undefined): number {
  return model?.includes('gpt-5.5') === true ? 2048 : REPORTED_STEP;
}

/** Models before GPT-5.6 do not take what the later ones do (prompt caching guide, 2026-10-02). */
function refusalOf({ refusal, blocks, mode, ttl, model = '' }: CacheRequest): string | undefined {
  if (refusal !== undefined) return refusal;
  if (mode !== undefined || ttl !== undefined) {
    return `prompt_cache_options is not supported with ${model}`;
  }
  if (blocks.some(({ mark }) => mark !== undefined)) {
    return `prompt_cache_breakpoint is not supported with ${model}`;
  }
  return undefined;
}

function isLive(entry: Entry | undefined, now: number): entry is Entry {
  if (entry === undefined) return false;
  const { idle, most } = LIFETIMES[entry.retention];
  return now - entry.usedAt < idle && now - entry.createdAt < most;
}

function isReadable(entry: Entry | undefined, now: number): boolean {
  return isLive(entry, now) && entry.readableAt <= now;
}
