import { LRUCache } from 'lru-cache';
import type { Candidate } from './decide.ts';
import type { Sighting } from './reuse.ts';

/** How soon a prefix is expected back. */
export type Expectation = Pick<Candidate, 'odds' | 'later' | 'grows'>;

/** A prefix that the provider keeps, as far as it can be known from here. */
export interface Entry {
  lifetimeMs: number;
  /** When the first request that writes it went out. */
  readonly writtenAt: number;
  /** How many requests write it and have not failed. */
  writers: number;
  /** `Infinity` while the request that writes it has no answer yet. */
  readableAt: number;
  expiresAt: number;
}

/** One prefix that was seen. */
export interface Node {
  lastSeen: number;
  /** Milliseconds between the last few requests that had this prefix, or between the turns of its conversation. */
  gaps: readonly number[];
  /** How often it was seen; for the end of a request, how many turns its conversation has had. */
  count: number;
  /** It was the end of a request. */
  isEnd: boolean;
  sighting: Sighting | undefined;
  entry: Entry | undefined;
  /** What was expected of it when it was last worked out. */
  outlook?: { readonly expected: Expectation; readonly at: number; readonly count: number };
}

/** More gaps say more of the past than of the present. */
const MAX_GAPS = 12;

export function withGap(gaps: readonly number[], gap: number): readonly number[] {
  return gaps.length < MAX_GAPS ? [...gaps, gap] : [...gaps.slice(1), gap];
}

/** Everything that was seen, by hash; the least recently seen goes first. */
export type Nodes = LRUCache<string, Node>;

/** A node takes about 400 bytes, its key included. */
export function createNodes(max: number): Nodes {
  return new LRUCache({ max });
}

/** Whether it can be read now, or will be when whoever writes it has been waited for. */
export function isReadable(node: Node | undefined, now: number, waits = false): boolean {
  const entry = node?.entry;
  return entry !== undefined && (waits || entry.readableAt <= now) && now < entry.expiresAt;
}
