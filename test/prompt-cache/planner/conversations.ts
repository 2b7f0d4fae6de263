/** Requests as an agent sends them, and what they cost at best. */
import { expect } from 'vitest';
import { piece, sum, total, turn, type Piece, type Played, type Sent } from './play.ts';

/** Tools and system prompt of 7000 tokens. */
export const HEAD: readonly Piece[] = [
  piece('tools', 'tools', 4000),
  piece('system', 'system', 3000),
];

export interface Conversation {
  name?: string;
  head?: readonly Piece[];
  startsAt?: number;
  /** Seconds before each turn but the first. */
  pauses: readonly number[];
  /** Blocks of turn `i`. */
  sizes?: (i: number) => readonly number[];
}

/** Its requests; each goes on from the one before. */
export function conversation({
  name = 'c',
  head = HEAD,
  startsAt = 0,
  pauses,
  sizes = () => [60, 500],
}: Conversation): Sent[] {
  let at = startsAt;
  let blocks = head;
  return [0, ...pauses].map((pause, i) => {
    at += pause;
    blocks = [...blocks, ...turn(`${name}${i}`, sizes(i))];
    return { at, blocks };
  });
}

export const costOf = (played: readonly Played[]): number => sum(played.map(({ cost }) => cost));
export const uncached = (requests: readonly Sent[]): number => sum(requests.map(total));
export const times = <T>(count: number, of: T): T[] => Array.from({ length: count }, () => of);

/** Cost of an append-only conversation of which each part is written once and read from then on. */
export function leastCost(requests: readonly Sent[], write = 1.25, read = 0.1): number {
  let before = 0;
  return sum(
    requests.map((sent, i) => {
      const all = total(sent);
      const more = all - before;
      const cost = before * read + more * (i === requests.length - 1 ? 1 : write);
      before = all;
      return cost;
    }),
  );
}

export function expectNoSurprise(played: readonly Played[]): void {
  expect(played.map(({ draft }) => draft.expectedRead)).toEqual(
    played.map(({ result }) => result.read),
  );
}
