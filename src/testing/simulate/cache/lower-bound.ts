import { leastCost } from './least-cost.ts';
import type { Access, BoundRules } from './least-cost.ts';
import { blockPositions } from './positions.ts';
import { readableFrom } from './timing.ts';
import type { CacheRequest } from './types.ts';

export interface BoundOptions {
  /**
   * When an entry can be read: `after-first-byte` of the answer to the request that writes it, or `at-once`, as if every request
   * had waited for those that write what it reads. Default: `after-first-byte`.
   */
  readable?: 'after-first-byte' | 'at-once';
  /**
   * Where several lifetimes are sold: whether a request that reads a prefix and goes on may change the prefix's lifetime at no
   * charge, by writing what comes after it with another one, as the rules of mixed lifetimes have it. With it the bound holds
   * for every way to mark; without, a prefix is paid for the longest lifetime that it ever has, and mixing lifetimes can cost
   * less than that. Default: no.
   */
  lifts?: boolean;
}

/** A prefix without its own beginning: what it has more than `parent`. */
interface Node {
  readonly parent: Node | undefined;
  readonly tokens: number;
  readonly next: Map<string, Node>;
  readonly accesses: Access[];
  cost: number | undefined;
}

/**
 * The least that these requests can cost, in tokens at the plain input price, whoever decides what is marked: every block of
 * every prefix is decided on alone, with all that will come in sight. Blocks up to the shortest prefix that is kept count as
 * one. For caches that charge for writes.
 */
export function lowerBound(
  requests: readonly CacheRequest[],
  rules: BoundRules,
  { readable = 'after-first-byte', lifts = false }: BoundOptions = {},
): number {
  const root = new Map<string, Node>();
  const nodes: Node[] = [];
  let cost = 0;

  for (const request of requests.toSorted((a, b) => a.at - b.at)) {
    const { keys, tokens, total } = blockPositions(request);
    const start = tokens.findIndex((end) => end >= rules.minTokens);
    if (start === -1) {
      cost += total;
      continue;
    }
    const at = {
      at: request.at,
      readableAt: readable === 'at-once' ? request.at : readableFrom(request),
    };
    const inside: Access = { ...at, lifts };
    const last: Access = { ...at, lifts: false };
    let parent: Node | undefined;
    for (let index = start; index < keys.length; index += 1) {
      const key = index === start ? keys.slice(0, start + 1).join('\n') : (keys[index] ?? '');
      const siblings: Map<string, Node> = parent?.next ?? root;
      let node: Node | undefined = siblings.get(key);
      if (node === undefined) {
        const before = parent === undefined ? 0 : (tokens[index - 1] ?? 0);
        node = {
          parent,
          tokens: (tokens[index] ?? 0) - before,
          next: new Map(),
          accesses: [],
          cost: undefined,
        };
        siblings.set(key, node);
        nodes.push(node);
      }
      node.accesses.push(index === keys.length - 1 ? last : inside);
      parent = node;
    }
  }

  for (const node of nodes) {
    node.cost = sameAsParent(node) ?? leastCost(node.accesses, rules);
    cost += node.cost * node.tokens;
  }
  return cost;
}

/**
 * The cost of the parent where it was sent at the very same times: the blocks of one turn are. A parent comes before its
 * children, so its cost is known.
 */
function sameAsParent({ parent, accesses }: Node): number | undefined {
  if (parent?.accesses.length !== accesses.length) return undefined;
  const differs = accesses.some(({ lifts }, index) => lifts !== parent.accesses[index]?.lifts);
  return differs ? undefined : parent.cost;
}
