import type { CachePrompt, CacheRequest, CacheTier } from './types.ts';

/** What a prompt is made of, step by step, for a walk through a tree of prefixes. */
export interface Positions {
  readonly keys: readonly string[];
  /** Per key, the tokens of the prefix that ends with it. */
  readonly tokens: readonly number[];
  readonly total: number;
}

const TIERS: readonly CacheTier[] = ['tools', 'system', 'messages'];

/** One key per block. A salt counts from the first block of its tier on, or of a later tier where its own is empty. */
export function blockPositions(request: CacheRequest, extra = ''): Positions {
  return positions(request, extra, ({ id, tokens }) => [{ id, tokens }]);
}

/** One key per piece, for caches that find prefixes token by token. */
export function piecePositions(request: CacheRequest, extra = ''): Positions {
  return positions(request, extra, (block) => block.pieces ?? [block]);
}

function positions(
  request: CacheRequest,
  extra: string,
  steps: (
    block: CachePrompt['blocks'][number],
  ) => readonly { readonly id: string; readonly tokens: number }[],
): Positions {
  const { scope = '', model = '', salts } = request;
  const keys: string[] = [];
  const tokens: number[] = [];
  let total = 0;
  let entered = 0;
  let salt = JSON.stringify([scope, model, extra]);
  for (const block of request.blocks) {
    for (; entered <= TIERS.indexOf(block.tier); entered += 1) {
      const tier = TIERS[entered];
      if (tier !== undefined && salts[tier] !== '') salt += `\n${tier} ${salts[tier]}`;
    }
    for (const step of steps(block)) {
      keys.push(salt === '' ? step.id : `${salt}\n${step.id}`);
      salt = '';
      total += step.tokens;
      tokens.push(total);
    }
  }
  return { keys, tokens, total };
}
