import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** What tells one tool from another. */
export interface ToolKey {
  readonly id: number;
  readonly key: string;
}

export interface KnownSets {
  /** The indexes of the tools in the order to send them; the set is known in this order from now on. */
  order(tools: readonly ToolKey[], scope: string): readonly number[];
  clear(): void;
}

/** The order of each set of tools; `createToolOrder` says the rule. */
export function createKnownSets(maxBytes: number): KnownSets {
  const known = new LRUCache<string, KnownSet>({
    max: MAX_SETS,
    maxSize: maxBytes,
    sizeCalculation: ({ tools }) =>
      tools.reduce((sum, { key }) => sum + 2 * key.length + TOOL_BYTES, SET_BYTES),
  });
  let lastSerial = 0;

  return {
    order(tools, scope) {
      const digest = setDigest(tools, scope);
      const same = known.get(digest);
      if (same !== undefined) return align(tools, same.tools);

      const counts = countKeys(tools);
      const near = nearest(known.values(), { scope, size: tools.length, counts });
      const order = near === undefined ? [...tools.keys()] : align(tools, near.tools);
      known.set(digest, {
        scope,
        serial: ++lastSerial,
        size: tools.length,
        tools: order.flatMap((index) => tools[index] ?? []).map(({ id, key }) => ({ id, key })),
        counts,
      });
      return order;
    },
    clear() {
      known.clear();
    },
  };
}

interface ToolSet {
  readonly scope: string;
  readonly size: number;
  readonly counts: ReadonlyMap<string, number>;
}

interface KnownSet extends ToolSet {
  /** Counts up in the order of first sight. */
  readonly serial: number;
  /** In their order. */
  readonly tools: readonly ToolKey[];
}

/** A new set is compared with all known ones: 10 to 20 us for this many. */
const MAX_SETS = 256;
/** Memory of one tool of a set beside its key, and of a set beside its tools. */
const TOOL_BYTES = 100;
const SET_BYTES = 300;

function setDigest(tools: readonly ToolKey[], scope: string): string {
  const keys = tools.map(({ key }) => key).sort();
  return hash('sha256', JSON.stringify([scope, keys]), 'base64url');
}

function countKeys(tools: readonly ToolKey[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { key } of tools) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

/** The smallest known set that has all of the new one in it; else the largest that is wholly in the new one. */
function nearest(known: Iterable<KnownSet>, set: ToolSet): KnownSet | undefined {
  const around: KnownSet[] = [];
  const inside: KnownSet[] = [];
  for (const other of known) {
    if (other.scope !== set.scope) continue;
    if (other.size > set.size && contains(other, set)) around.push(other);
    else if (other.size < set.size && contains(set, other)) inside.push(other);
  }
  around.sort((a, b) => a.size - b.size || a.serial - b.serial);
  inside.sort((a, b) => b.size - a.size || a.serial - b.serial);
  return around[0] ?? inside[0];
}

function contains(outer: ToolSet, inner: ToolSet): boolean {
  for (const [key, count] of inner.counts) {
    if ((outer.counts.get(key) ?? 0) < count) return false;
  }
  return true;
}

/**
 * The tools in the order of a known list: each at the place of the very same tool, else at a place with its key, else
 * behind all of them in the order given.
 */
function align(tools: readonly ToolKey[], list: readonly ToolKey[]): number[] {
  const byId = new Map<number, number[]>();
  const byKey = new Map<string, number[]>();
  for (const [place, { id, key }] of [...list.entries()].reverse()) {
    push(byId, id, place);
    push(byKey, key, place);
  }
  const places = tools.map(({ id }) => byId.get(id)?.pop());
  const taken = new Set(places);
  for (const [index, { key }] of tools.entries()) {
    if (places[index] !== undefined) continue;
    const left = byKey.get(key);
    let place = left?.pop();
    while (place !== undefined && taken.has(place)) place = left?.pop();
    places[index] = place ?? list.length + index;
  }
  return [...tools.keys()].sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0));
}

function push<Key>(lists: Map<Key, number[]>, key: Key, value: number): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
