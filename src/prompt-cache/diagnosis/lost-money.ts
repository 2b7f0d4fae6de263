import type { Cost, TokenUsage } from '../../types.ts';
import type { CacheRules } from '../types.ts';

/**
 * What it cost, in pico-dollars, that `lostTokens` were not read: what was paid for them less what reading them costs. A
 * prefix stands before everything else, so what was written is counted as lost first. `undefined` when the price is not
 * known.
 */
export function lostPico(
  lostTokens: number,
  { inputTokens }: TokenUsage,
  cost: Cost,
  rules: CacheRules,
): bigint | undefined {
  const wrote = whole((inputTokens.cacheWrite ?? 0) + (inputTokens.cacheWrite1h ?? 0));
  const uncached = whole(inputTokens.uncached ?? 0);
  const read = whole(inputTokens.cacheRead ?? 0);
  const writeUsd = pico(cost.cacheWriteUsd);
  const inputUsd = pico(cost.inputUsd);
  const readUsd = pico(cost.cacheReadUsd);

  const lost = whole(lostTokens);
  const asWrites = lost < wrote ? lost : wrote;
  const asInput = lost - asWrites < uncached ? lost - asWrites : uncached;
  if ((asWrites > 0n && writeUsd === undefined) || (asInput > 0n && inputUsd === undefined)) {
    return undefined;
  }
  const paid = share(writeUsd ?? 0n, asWrites, wrote) + share(inputUsd ?? 0n, asInput, uncached);

  const tokens = asWrites + asInput;
  if (read > 0n && readUsd !== undefined) return atLeastZero(paid - share(readUsd, tokens, read));
  // Nothing was read, so no price of it is on the bill; its relation to the plain one is known.
  const plain =
    uncached > 0n && inputUsd !== undefined
      ? share(inputUsd, tokens, uncached)
      : scaled(share(writeUsd ?? 0n, tokens, wrote), 1 / (rules.lifetimes[0]?.write ?? 1));
  return atLeastZero(paid - scaled(plain, rules.read));
}

/** `amount` was for `all` tokens; this is for `some`. */
function share(amount: bigint, some: bigint, all: bigint): bigint {
  return all === 0n ? 0n : (amount * some) / all;
}

function scaled(amount: bigint, factor: number): bigint {
  return (amount * BigInt(Math.round(factor * MILLION))) / BigInt(MILLION);
}

function whole(tokens: number): bigint {
  return Number.isFinite(tokens) && tokens > 0 ? BigInt(Math.round(tokens)) : 0n;
}

function atLeastZero(amount: bigint): bigint {
  return amount < 0n ? 0n : amount;
}

/** A decimal in dollars in whole pico-dollars, as `usd` prints it. */
function pico(amount: string | undefined): bigint | undefined {
  const [, units, fraction = ''] = /^(\d+)(?:\.(\d{1,12}))?$/.exec(amount ?? '') ?? [];
  return units === undefined ? undefined : BigInt(units + fraction.padEnd(12, '0'));
}

const MILLION = 1_000_000;
