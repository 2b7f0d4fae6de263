/** One prefix: all keys from the root to here. */
export interface PrefixNode<Entry> {
  readonly parent: PrefixNode<Entry> | undefined;
  readonly key: string;
  /** What the cache keeps for this prefix; it may have expired. */
  entry: Entry | undefined;
  /** Number of the last walk that came by; never more than its parent's. */
  seen: number;
  /** Most prefixes go on in one way only: a map for each would be most of the memory. */
  child: PrefixNode<Entry> | undefined;
  others: Map<string, PrefixNode<Entry>> | undefined;
}

export interface PrefixTree<Entry> {
  /** The prefixes of a sequence, shortest first. Those not seen before are added. */
  walk(keys: readonly string[]): PrefixNode<Entry>[];
  readonly size: number;
}

/**
 * Prefixes as a tree: a step costs one look-up, whatever was said before. It forgets the prefixes seen longest ago when it has
 * more than `maxNodes`; a walk itself always fits.
 */
export function createPrefixTree<Entry>(maxNodes: number): PrefixTree<Entry> {
  const root = node<Entry>(undefined, '');
  let size = 0;
  let walks = 0;

  function step(parent: PrefixNode<Entry>, key: string): PrefixNode<Entry> {
    const known = parent.child?.key === key ? parent.child : parent.others?.get(key);
    if (known !== undefined) return known;
    const added = node(parent, key);
    size += 1;
    if (parent.child === undefined) parent.child = added;
    else (parent.others ??= new Map()).set(key, added);
    return added;
  }

  /** Down to half, so that the work is spread over as many additions. */
  function forget(): void {
    const stamps = [...all(root)].map(({ seen }) => seen).sort((a, b) => b - a);
    const oldestKept = (stamps[Math.floor(maxNodes / 2)] ?? 0) + 1;
    for (const parent of [root, ...all(root)]) {
      if (parent !== root && parent.seen < oldestKept && parent.seen !== walks) continue;
      const kept = childrenOf(parent).filter(({ seen }) => seen >= oldestKept || seen === walks);
      const [first, ...rest] = kept;
      parent.child = first;
      parent.others =
        rest.length === 0 ? undefined : new Map(rest.map((child) => [child.key, child]));
    }
    size = [...all(root)].length;
  }

  return {
    walk(keys) {
      walks += 1;
      let parent = root;
      const path = keys.map((key) => {
        parent = step(parent, key);
        parent.seen = walks;
        return parent;
      });
      if (size > maxNodes) forget();
      return path;
    },
    get size() {
      return size;
    },
  };
}

function node<Entry>(parent: PrefixNode<Entry> | undefined, key: string): PrefixNode<Entry> {
  return { parent, key, entry: undefined, seen: 0, child: undefined, others: undefined };
}

function childrenOf<Entry>({ child, others }: PrefixNode<Entry>): PrefixNode<Entry>[] {
  return child === undefined ? [] : [child, ...(others?.values() ?? [])];
}

function* all<Entry>(root: PrefixNode<Entry>): Generator<PrefixNode<Entry>> {
  const waiting = childrenOf(root);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    yield next;
    for (const child of childrenOf(next)) waiting.push(child);
  }
}
