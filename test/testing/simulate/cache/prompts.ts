import { expect } from 'vitest';
import type {
  CacheRequest,
  CacheResult,
  CacheSimulator,
  SimulatedBlock,
} from '../../../../src/testing/simulate/cache/index.ts';

export const NO_SALTS: CacheRequest['salts'] = { tools: '', system: '', messages: '' };

/** A block by its id, which decides all but its size. */
export function block(
  id: string,
  tokens: number,
  more: Partial<SimulatedBlock> = {},
): SimulatedBlock {
  return { id, tokens, tier: 'messages', cacheable: true, ...more };
}

/** Blocks `b1` to `b<count>` of 200 tokens each, with marks on those numbered. */
export function numbered(count: number, ...marked: number[]): SimulatedBlock[] {
  return Array.from({ length: count }, (_, index) =>
    block(`b${index + 1}`, 200, { mark: marked.includes(index + 1) ? '5m' : undefined }),
  );
}

export function request(
  at: number,
  blocks: readonly SimulatedBlock[],
  more: Partial<CacheRequest> = {},
): CacheRequest {
  return { at, blocks, salts: NO_SALTS, ...more };
}

/** Processes requests one after the other. Tokens are in one bucket each, whatever comes. */
export function run(cache: CacheSimulator, requests: readonly CacheRequest[]): CacheResult[] {
  return requests.map((each) => {
    const result = cache.process(each);
    assertSums(result);
    return result;
  });
}

function assertSums(result: CacheResult): void {
  const { total, read, write5m, write1h, write, uncached } = result;
  const buckets = [read, write5m, write1h, write, uncached];
  expect(buckets.every((tokens) => Number.isInteger(tokens) && tokens >= 0)).toBe(true);
  expect(buckets.reduce((sum, tokens) => sum + tokens, 0)).toBe(total);
}

/** A result in short: `r2000 w1000 u0`, all writes in one. */
export function brief({ read, write5m, write1h, write, uncached, refusal }: CacheResult): string {
  return refusal === undefined ? `r${read} w${write5m + write1h + write} u${uncached}` : '400';
}

/** With lifetimes: `r2000 h0 m400 u50`, an hour and five minutes. */
export function briefTtl({ read, write5m, write1h, uncached, refusal }: CacheResult): string {
  return refusal === undefined ? `r${read} h${write1h} m${write5m} u${uncached}` : '400';
}
