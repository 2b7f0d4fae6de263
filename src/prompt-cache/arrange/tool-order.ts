import { LRUCache } from 'lru-cache';
import { createKnownSets } from './known-sets.ts';
import { createKnownTools, type KnownTool } from './known-tools.ts';
import { ownText, textBytes } from './own-text.ts';
import { toolName } from './tool-facts.ts';

/**
 * `stable`: the order in which a set of tools was first seen. `sort`: by name. `keep`: as the host sent them.
 * In `stable` and `sort` a tool that differs from an earlier one in nothing but the order of its keys is sent as that
 * earlier text, the order of `properties` included.
 */
export type ToolOrderMode = 'stable' | 'sort' | 'keep';

export interface ToolOrderOptions {
  readonly mode: ToolOrderMode;
  /** Bound of everything that is remembered, in bytes; what was not needed for longest is forgotten. Default 4 MiB. */
  readonly maxBytes?: number | undefined;
}

export interface ArrangedTools {
  /** The texts to send, in the order to send them; the very array that was given when nothing changes. */
  readonly texts: readonly string[];
  /** `order[i]` is the index, in the given list, of the tool that is sent at place `i`; absent when no tool moves. */
  readonly order: readonly number[] | undefined;
}

export interface ToolOrder {
  /**
   * `tools`: the canonical JSON text of each tool, as the host ordered them. `scope`: a short string; requests that could
   * never share a prefix (another provider, account or model) have different ones and know nothing of each other.
   * Never throws: what is not JSON is a tool that equals only itself.
   */
  arrange(tools: readonly string[], scope: string): ArrangedTools;
  /** Forgets everything. */
  clear(): void;
}

/**
 * Sends the same tools always as the same text, since tools stand in front of everything that a provider caches. What is
 * sent depends on nothing but the mode and on what was seen in this scope.
 *
 * - A set is told by its names, with their number: an updated tool takes the place of the one it replaces, and a tool that
 *   is listed twice stays twice. Tools without a name (hosted ones) are told by their whole text.
 * - `stable`, a set seen before: its first order. A new set of which every tool stood in one known set: the order they have
 *   there (the smallest such set; of equals the first seen). Otherwise, a new set that has a whole known set in it: those
 *   first, in their order, then the new tools as given (the largest such set; of equals the first seen). So a set that
 *   grows keeps its prefix. Every other set, disjoint or overlapping: as given.
 * - `sort`: by name in UTF-16 code units, equal names by text; tools without a name first.
 * - A list in which a tool carries a cache mark of the host is not reordered in any mode: the host chose what stands in
 *   front of the mark. `defer_loading` is no reason to keep an order: such tools are not part of the prefix.
 *
 * A list that came last costs one comparison of each text: 1 us for 30 tools of 1 KB, 5 us where they are fresh slices of a
 * body. In another order it costs 25 us, with keys in another order 130 us. The first list of a scope goes out as given
 * and is read when a second one comes, which most agents never send: 15 us and then 40 us.
 */
export function createToolOrder({ mode, maxBytes = 4 * 1024 * 1024 }: ToolOrderOptions): ToolOrder {
  const share = Math.max(1, Math.floor(maxBytes / 5));
  const tools = createKnownTools(2 * share);
  const sets = createKnownSets(share);
  /** The list that came last, for each number of tools and of characters. */
  const lists = new LRUCache<string, KnownList>({
    maxSize: share,
    sizeCalculation: ({ given }, key) => sizeOf(given, key),
  });
  /** The first list of each scope as long as it is the only one; an empty one behind that. */
  const firsts = new LRUCache<string, readonly string[]>({
    max: MAX_SCOPES,
    maxSize: share,
    sizeCalculation: sizeOf,
  });

  function orderOf(known: readonly KnownTool[], scope: string): readonly number[] | undefined {
    if (known.some((tool) => tool.isMarked)) return undefined;
    const order = mode === 'sort' ? byName(known) : sets.order(known, scope);
    return order.every((from, to) => from === to) ? undefined : order;
  }

  /** What to send of a list, unless it is the list; it is known from now on. */
  function read(given: readonly string[], scope: string): ArrangedTools | undefined {
    const known = given.map((text) => tools.recall(text, scope));
    const order = orderOf(known, scope);
    const sent = order?.flatMap((index) => known[index] ?? []) ?? known;
    const texts = sent.map(({ text }) => text);
    const arranged = equalTexts(texts, given) ? undefined : { texts, order };
    const owned = given.map((text, i) => (text === known[i]?.text ? known[i].text : ownText(text)));
    lists.set(listKey(given, scope), { given: owned, arranged });
    return arranged;
  }

  /** Whether the list is the first of its scope, and may wait to be read. */
  function isFirst(given: readonly string[], scope: string): boolean {
    if (mode !== 'stable' || firsts.has(scope) || !haveOwnNames(given)) return false;
    const owned = given.map(ownText);
    firsts.set(scope, owned);
    if (firsts.peek(scope) !== owned) return false;
    lists.set(listKey(given, scope), { given: owned, arranged: undefined });
    return true;
  }

  return {
    arrange(given, scope) {
      const same: ArrangedTools = { texts: given, order: undefined };
      if (mode === 'keep') return same;
      const last = lists.get(listKey(given, scope));
      if (last !== undefined && equalTexts(last.given, given)) return last.arranged ?? same;
      if (isFirst(given, scope)) return same;
      const first = firsts.get(scope) ?? [];
      if (first.length > 0) read(first, scope);
      firsts.set(scope, []);
      return read(given, scope) ?? same;
    },
    clear() {
      tools.clear();
      sets.clear();
      lists.clear();
      firsts.clear();
    },
  };
}

interface KnownList {
  readonly given: readonly string[];
  /** Absent where nothing changes. */
  readonly arranged: ArrangedTools | undefined;
}

/** Memory of one text of a list beside its characters. */
const TEXT_BYTES = 100;

/** Scopes of which it is known that they had a list. */
const MAX_SCOPES = 1024;

function sizeOf(texts: readonly string[], key: string): number {
  return texts.reduce(
    (sum, text) => sum + textBytes(text) + TEXT_BYTES,
    2 * key.length + TEXT_BYTES,
  );
}

/** Of tools with one name each, none can be another one with its keys in another order. */
function haveOwnNames(texts: readonly string[]): boolean {
  return new Set(texts.map(toolName)).size === texts.length;
}

/** The same for every order of the same texts, and far cheaper than the texts themselves. */
function listKey(texts: readonly string[], scope: string): string {
  let length = 0;
  for (const text of texts) length += text.length;
  return `${texts.length} ${length} ${scope}`;
}

/** Comparing characters is a tenth of the price of looking a fresh string up, which hashes it first. */
function equalTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, index) => text === b[index]);
}

function byName(tools: readonly KnownTool[]): number[] {
  return [...tools.entries()]
    .sort(([i, a], [j, b]) => compare(a.name, b.name) || compare(a.text, b.text) || i - j)
    .map(([index]) => index);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
