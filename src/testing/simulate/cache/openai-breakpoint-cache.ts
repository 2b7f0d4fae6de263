import { createMachines } from './machines.ts';
import { blockPositions } from './positions.ts';
import { createPrefixTree } from './prefix-tree.ts';
import { readableFrom, refused } from './timing.ts';
import type { CacheRequest, CacheResult, CacheSimulator, SimulatedBlock } from './types.ts';

export interface OpenAIBreakpointCacheOptions {
  /** The shortest prefix that is kept, in visible tokens. Default: 1024 (OpenAI prompt caching guide, 2026-10-02). */
  minTokens?: number;
  /** Earlier endings that are looked at beside the last one. Default: 20 (prompt caching guide, 2026-10-02). */
  lookback?: number;
  /**
   * Latest marks that are looked at, beside the first two. Default: 50 (prompt caching guide, 2026-10-02; the API reference says
   * 80 in all).
   */
  lookupMarks?: number;
  /**
   * Whether the end of the leading instructions is written too where no mark asks for it. Default: yes. An assumption from one
   * observation (LiteLLM pull request 37628): the guide tells only that it is looked at.
   */
  devBlockWrite?: boolean;
  /**
   * Tokens after the last message that are never kept. Default: 0. About 3 were observed (LiteLLM pull request 37628).
   */
  tail?: number;
  /**
   * Requests a minute and key that find each other; what goes beyond meets another cache. Default: no limit: the guide of
   * 2026-10-02 calls routing automatic, its edition of 2026-08 says about 15.
   */
  keyRpm?: number;
  /** Prefixes remembered, the latest used. Default: 500 000. */
  maxPositions?: number;
}

interface Entry {
  /** Seconds. */
  readableAt: number;
  expiresAt: number;
}

/**
 * How long an entry lives at least after it was written or read, in seconds (prompt caching guide, 2026-10-02; 12h: types of
 * the SDK 7.50.0). That it dies then is an assumption.
 */
const SECONDS: Readonly<Record<string, number>> = { '30m': 1800, '12h': 43_200 };

/** Marks of a request that are written, the latest: beside the implicit one, and without it (guide, 2026-10-02). */
const WRITES = { implicit: 3, explicit: 4 };
const FIRST_MARKS = 2;

/**
 * OpenAI's prompt cache from GPT-5.6 on: entries end with a message, or with a mark, and writing them costs extra (prompt
 * caching guide, 2026-10-02). Every request is assumed to reach the machine that knows its prefix.
 */
export function openaiBreakpointCache(options: OpenAIBreakpointCacheOptions = {}): CacheSimulator {
  const { minTokens = 1024, devBlockWrite = true, tail = 0 } = options;
  const { lookback = 20, lookupMarks = 50, keyRpm, maxPositions = 500_000 } = options;
  const tree = createPrefixTree<Entry>(maxPositions);
  const machineOf = keyRpm === undefined ? undefined : createMachines({ keyRpm });

  function process(request: CacheRequest): CacheResult {
    const refusal = refusalOf(request);
    if (refusal !== undefined) return refused(refusal);
    const { at, key = '', scope = '', model = '', ttl = '30m' } = request;
    const machine = machineOf?.(JSON.stringify([scope, model, key]), at) ?? 0;
    const { keys, tokens, total } = blockPositions(request, JSON.stringify([key, machine]));
    const path = tree.walk(keys);
    const lengthAt = (index: number): number => tokens[index] ?? 0;
    const isLong = (index: number): boolean => lengthAt(index) >= minTokens;

    const isReadable = (index: number): boolean => {
      const entry = path[index]?.entry;
      return entry !== undefined && entry.readableAt <= at && at < entry.expiresAt;
    };
    const { looked, writes } = boundaries(request, { lookback, lookupMarks, devBlockWrite });
    const hit = looked
      .filter((index) => isLong(index) && isReadable(index))
      .reduce<number | undefined>((best, index) => Math.max(best ?? index, index), undefined);
    const kept = writes.filter(isLong);
    const read = hit === undefined ? 0 : lengthAt(hit);
    const end = Math.max(read, ...kept.map(lengthAt));

    const expiresAt = at + (SECONDS[ttl] ?? 0);
    for (const index of hit === undefined ? kept : [hit, ...kept]) {
      const node = path[index];
      if (node === undefined) continue;
      const before = node.entry;
      const isLive = before !== undefined && at < before.expiresAt;
      node.entry = {
        // A second request that writes what is on its way already does not make it later.
        readableAt: Math.min(isLive ? before.readableAt : Infinity, readableFrom(request)),
        expiresAt: Math.max(isLive ? before.expiresAt : 0, expiresAt),
      };
    }
    return {
      total: total + tail,
      read,
      write5m: 0,
      write1h: 0,
      write: end - read,
      uncached: total + tail - end,
      hit,
    };
  }

  return { process };
}

function refusalOf({ refusal, blocks, ttl, retention }: CacheRequest): string | undefined {
  if (refusal !== undefined) return refusal;
  const misplaced = blocks.findIndex(({ mark, cacheable }) => mark !== undefined && !cacheable);
  if (misplaced !== -1) return `prompt_cache_breakpoint cannot be set on block ${misplaced}`;
  if (ttl === undefined) return undefined;
  if (!(ttl in SECONDS)) return `prompt_cache_options.ttl: ${ttl} is not one of 30m and 12h`;
  // Reported of langchain4j, 2026.
  if (retention !== undefined)
    return 'prompt_cache_retention and prompt_cache_options.ttl exclude each other';
  return undefined;
}

interface Boundaries {
  /** Where an entry is looked for, and where one is written. */
  readonly looked: readonly number[];
  readonly writes: readonly number[];
}

function boundaries(
  { blocks, mode = 'implicit' }: CacheRequest,
  limits: { lookback: number; lookupMarks: number; devBlockWrite: boolean },
): Boundaries {
  const marks = indexesOf(blocks, ({ mark }) => mark !== undefined);
  const looked = [
    ...marks.slice(0, FIRST_MARKS),
    ...marks.slice(Math.max(0, marks.length - limits.lookupMarks)),
  ];
  if (mode === 'explicit') return { looked, writes: marks.slice(-WRITES.explicit) };

  const inputs = indexesOf(blocks, ({ ending }) => ending === 'input');
  const developer = indexesOf(blocks, ({ ending }) => ending === 'developer').slice(-1);
  const implicit = inputs.length > 0 ? inputs.slice(-1) : developer;
  const earlier = inputs.slice(Math.max(0, inputs.length - 1 - limits.lookback));
  return {
    looked: [...implicit, ...earlier, ...developer, ...looked],
    writes: [
      ...implicit,
      ...marks.slice(-WRITES.implicit),
      ...(limits.devBlockWrite ? developer : []),
    ],
  };
}

function indexesOf(
  blocks: readonly SimulatedBlock[],
  holds: (block: SimulatedBlock) => boolean,
): number[] {
  return blocks.flatMap((block, index) => (holds(block) ? [index] : []));
}
