import { piecePositions } from './positions.ts';
import { createPrefixTree } from './prefix-tree.ts';
import type { PrefixNode } from './prefix-tree.ts';
import { endOf, readOnly, refused } from './timing.ts';
import type { CacheRequest, CacheResult, CacheSimulator } from './types.ts';

export interface DeepSeekCacheOptions {
  /**
   * `units`: whole prefixes are kept, and a request must contain one fully (DeepSeek context caching guide, 2026-08-13).
   * `legacy64`: any common prefix, in steps (the guide before V4). Default: `units`.
   */
  mode?: 'units' | 'legacy64';
  /** What is read is reported in multiples of this many tokens. Default: 64. An assumption: 64 and 128 were observed. */
  unit?: number;
  /** Seconds from an answer's end until its prefixes can be read. Default: 5. An assumption: the guide says "seconds". */
  buildSeconds?: number;
  /** Seconds without use after which a prefix is gone. Default: 6 hours. An assumption: "hours to days". */
  idleSeconds?: number;
  /** Latest requests that a common prefix is found with. Default: 256. An assumption. */
  memory?: number;
  /** Tokens between the points inside of a prompt that are kept as well. Default: none: that they exist is all that is said. */
  interval?: number;
  /** Pieces of prefixes remembered, the latest used. Default: 1 000 000. */
  maxPositions?: number;
}

interface Entry {
  /** Requests in memory that pass here, and those that end here. */
  passing: number;
  ending: number;
  unit: Unit | undefined;
}

interface Unit {
  /** Seconds. */
  readableAt: number;
  expiresAt: number;
}

type Node = PrefixNode<Entry>;

/** DeepSeek's prompt cache. Requests of one `scope` share it: an account and, where it is sent, a `user_id`. */
export function deepseekCache(options: DeepSeekCacheOptions = {}): CacheSimulator {
  const { mode = 'units', unit = 64, buildSeconds = 5, idleSeconds = 6 * 3600 } = options;
  const { memory = 256, interval, maxPositions = 1_000_000 } = options;
  const tree = createPrefixTree<Entry>(maxPositions);
  const remembered: Node[] = [];

  function keep(node: Node, from: number): void {
    const entry = entryOf(node);
    const readableAt = from + buildSeconds;
    const before = entry.unit !== undefined && entry.unit.expiresAt > from ? entry.unit : undefined;
    entry.unit = {
      readableAt: Math.min(before?.readableAt ?? Infinity, readableAt),
      expiresAt: Math.max(before?.expiresAt ?? 0, readableAt + idleSeconds),
    };
  }

  function isReadable(node: Node | undefined, now: number): boolean {
    const kept = node?.entry?.unit;
    return kept !== undefined && kept.readableAt <= now && now < kept.expiresAt;
  }

  /** Where requests in memory left this one's way, both going on. */
  function partings(path: readonly Node[]): number[] {
    return path.slice(0, -1).flatMap((node, index) => {
      const { passing = 0, ending = 0 } = node.entry ?? {};
      return passing - ending > (path[index + 1]?.entry?.passing ?? 0) ? [index] : [];
    });
  }

  function remember(path: readonly Node[]): void {
    for (const node of path) entryOf(node).passing += 1;
    const last = path.at(-1);
    if (last === undefined) return;
    entryOf(last).ending += 1;
    remembered.push(last);
    if (remembered.length <= memory) return;
    const oldest = remembered.shift();
    if (oldest !== undefined) entryOf(oldest).ending -= 1;
    for (let node = oldest; node?.entry !== undefined; node = node.parent) node.entry.passing -= 1;
  }

  function process(request: CacheRequest): CacheResult {
    if (request.refusal !== undefined) return refused(request.refusal);
    const { at, output = [] } = request;
    const { keys, tokens, total } = piecePositions(request);
    const withOutput = { ...request, blocks: [...request.blocks, ...output] };
    const whole = tree.walk(output.length === 0 ? keys : piecePositions(withOutput).keys);
    const path = whole.slice(0, keys.length);

    let known: number;
    if (mode === 'legacy64') {
      const gone = path.findIndex((node) => !isReadable(node, at));
      known = gone === -1 ? path.length : gone;
    } else {
      known = path.findLastIndex((node) => isReadable(node, at)) + 1;
    }
    const read = Math.floor((tokens[known - 1] ?? 0) / unit) * unit;
    const used = mode === 'legacy64' ? path.slice(0, known) : path.slice(known - 1, known);
    for (const { entry } of used) {
      if (entry?.unit !== undefined) {
        entry.unit.expiresAt = Math.max(entry.unit.expiresAt, at + idleSeconds);
      }
    }

    const end = endOf(request);
    if (mode === 'legacy64') {
      for (const node of path) keep(node, end);
    } else {
      const inside = [
        ...partings(path),
        ...(interval === undefined ? [] : multiples(tokens, interval)),
      ];
      const kept = [...inside.map((index) => path[index]), path.at(-1), whole.at(-1)];
      for (const node of kept) if (node !== undefined) keep(node, end);
      remember(path);
    }
    return readOnly(total, read);
  }

  return { process };
}

function entryOf(node: Node): Entry {
  return (node.entry ??= { passing: 0, ending: 0, unit: undefined });
}

/** For each multiple of `interval` the last position before it, or at it. */
function multiples(tokens: readonly number[], interval: number): number[] {
  return tokens.flatMap((end, index) => {
    const next = tokens[index + 1] ?? end + 1;
    return Math.ceil(end / interval) * interval < next ? [index] : [];
  });
}
