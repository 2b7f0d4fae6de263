import type { TokenUsage } from '../types.ts';
import type { Rates } from './rates.ts';

/** Amounts in pico-dollars (1 USD = 1e12), exact. Absent: not known. */
export interface CostParts {
  readonly input?: bigint | undefined;
  readonly cacheRead?: bigint | undefined;
  /** Writes of every lifetime. */
  readonly cacheWrite?: bigint | undefined;
  /** Reasoning included. */
  readonly output?: bigint | undefined;
  /** Sum of the parts; absent when a part that is billed is not known. */
  readonly total?: bigint | undefined;
  /** What cache reads saved against plain input, less what writes cost above it. Absent without reads and writes. */
  readonly saved?: bigint | undefined;
  /** A bucket without a price of its own was priced as its nearest kin, or the buckets contradict their total. */
  readonly approximate: boolean;
}

/**
 * Prices each bucket on its own, so costs of disjoint usages add up.
 *
 * - Plain input is `uncached`, else what is left of `total`. With neither, the total cost is unknown.
 * - Tokens of `total` that are in no bucket are priced as plain input, approximately.
 * - A cache bucket that is not reported bills nothing: its tokens are in another bucket, or the provider has none.
 * - Reads and writes without a price of their own cost as much as plain input (1-hour writes as any write), approximately.
 * - Output is needed unless the model bills none (embeddings); output that has no price leaves the total unknown.
 */
export function cost(usage: TokenUsage, rates: Rates): CostParts {
  const { inputTokens, outputTokens } = usage;
  const read = count(inputTokens.cacheRead);
  const write = count(inputTokens.cacheWrite);
  const write1h = count(inputTokens.cacheWrite1h);
  const cached = (read ?? 0) + (write ?? 0) + (write1h ?? 0);
  const plain = plainInput(count(inputTokens.uncached), count(inputTokens.total), cached);

  const readRate = rates.cacheRead ?? rates.input;
  const writeRate = rates.cacheWrite ?? rates.input;
  const write1hRate = rates.cacheWrite1h ?? writeRate;

  const input = plain.tokens === undefined ? undefined : amount(plain.tokens, rates.input);
  const cacheRead = read === undefined ? undefined : amount(read, readRate);
  const cacheWrite =
    write === undefined && write1h === undefined
      ? undefined
      : amount(write ?? 0, writeRate) + amount(write1h ?? 0, write1hRate);
  const output = outputAmount(count(outputTokens.total), rates.output);

  return {
    input,
    cacheRead,
    cacheWrite,
    output: output ?? undefined,
    total:
      input === undefined || output === undefined
        ? undefined
        : input + (cacheRead ?? 0n) + (cacheWrite ?? 0n) + (output ?? 0n),
    saved:
      cached === 0
        ? undefined
        : amount(cached, rates.input) - (cacheRead ?? 0n) - (cacheWrite ?? 0n),
    approximate:
      plain.contradicts ||
      ((read ?? 0) > 0 && rates.cacheRead === undefined) ||
      ((write ?? 0) > 0 && rates.cacheWrite === undefined) ||
      ((write1h ?? 0) > 0 && rates.cacheWrite1h === undefined),
  };
}

/** All input tokens of a request, by which providers choose the long-context price. */
export function totalInput({ inputTokens }: TokenUsage): number {
  const parts =
    (count(inputTokens.uncached) ?? 0) +
    (count(inputTokens.cacheRead) ?? 0) +
    (count(inputTokens.cacheWrite) ?? 0) +
    (count(inputTokens.cacheWrite1h) ?? 0);
  return Math.max(count(inputTokens.total) ?? 0, parts);
}

function plainInput(
  uncached: number | undefined,
  total: number | undefined,
  cached: number,
): { tokens: number | undefined; contradicts: boolean } {
  if (total === undefined) return { tokens: uncached, contradicts: false };
  const left = total - cached;
  if (uncached === undefined) return { tokens: Math.max(left, 0), contradicts: left < 0 };
  return { tokens: Math.max(left, uncached), contradicts: left !== uncached };
}

/** `null`: nothing is billed. `undefined`: not known. */
function outputAmount(
  tokens: number | undefined,
  rate: number | undefined,
): bigint | null | undefined {
  if (rate === undefined) return tokens === undefined || tokens === 0 ? null : undefined;
  return tokens === undefined ? undefined : amount(tokens, rate);
}

/** Products pass 2^53 from about ten million tokens on; measured, bigint costs no more than checked numbers. */
function amount(tokens: number, rate: number): bigint {
  return BigInt(tokens) * BigInt(rate);
}

/** Anything but a whole, non-negative number is as good as not reported. */
function count(tokens: number | undefined): number | undefined {
  return tokens !== undefined && Number.isSafeInteger(tokens) && tokens >= 0 ? tokens : undefined;
}
