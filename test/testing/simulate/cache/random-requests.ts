import * as fc from 'fast-check';
import type {
  CacheRequest,
  CacheTtl,
  SimulatedBlock,
} from '../../../../src/testing/simulate/cache/index.ts';
import { NO_SALTS } from './prompts.ts';

const TIERS = ['tools', 'system', 'messages'] as const;
const SIZES: Readonly<Record<string, number>> = { a: 7, b: 40, c: 130, d: 600, e: 1100 };

export interface Shape {
  /** Lifetimes that marks may have. */
  ttls: readonly CacheTtl[];
  /** Default: 5. */
  maxRequests?: number;
  /** Default: 6. */
  maxBlocks?: number;
  /** Marks of one request, at most. Default: 4. */
  maxMarks?: number;
}

/**
 * Requests in order, made of few different blocks, so that many have a beginning in common; close together and far apart.
 * Marks are legal: an hour never after five minutes.
 */
export function requests(shape: Shape): fc.Arbitrary<CacheRequest[]> {
  const { maxRequests = 5 } = shape;
  const gap = fc.constantFrom(0, 0.4, 1, 3, 200, 299, 300, 1000, 1799, 3599, 4000);
  return fc
    .array(fc.tuple(gap, request(shape)), { minLength: 1, maxLength: maxRequests })
    .map((list) => {
      let at = 0;
      return list.map(([wait, each]) => ({ ...each, at: (at += wait) }));
    });
}

function request({ ttls, maxBlocks = 6, maxMarks = 4 }: Shape): fc.Arbitrary<CacheRequest> {
  const one = fc.record({
    id: fc.constantFrom(...Object.keys(SIZES)),
    tier: fc.nat(2),
    isMarked: fc.boolean(),
    isInput: fc.boolean(),
  });
  return fc
    .record({
      list: fc.array(one, { minLength: 1, maxLength: maxBlocks }),
      longs: fc.nat(maxMarks),
      readableAfter: fc.constantFrom(0, 1, 2.5),
      salt: fc.constantFrom('', '', 'x'),
      isExplicit: fc.boolean(),
    })
    .map(({ list, longs, readableAfter, salt, isExplicit }) => {
      let tier = 0;
      let marks = 0;
      const blocks = list.map(({ id, tier: next, isMarked, isInput }): SimulatedBlock => {
        // Never back to an earlier tier.
        tier = Math.max(tier, next);
        const isSet = isMarked && marks < maxMarks;
        marks += isSet ? 1 : 0;
        return {
          // As from the readers: a block of one tier is never one of another.
          id: `${TIERS[tier]} ${id}`,
          tokens: SIZES[id] ?? 0,
          tier: TIERS[tier] ?? 'messages',
          cacheable: true,
          mark: isSet ? ttls[marks <= longs ? 0 : ttls.length - 1] : undefined,
          ending: tier === 1 ? 'developer' : tier === 2 && isInput ? 'input' : undefined,
        };
      });
      const salts = { ...NO_SALTS, messages: salt };
      return { at: 0, blocks, salts, readableAfter, mode: isExplicit ? 'explicit' : 'implicit' };
    });
}
