import type { TokenUsage, UsageRecord } from '../types.ts';
import { picoDollars } from '../util/usd.ts';

/** An exact sum of money, or of what is known of it. */
export class Money {
  #pico: bigint | null = null;

  /** `false` for an amount that is not known. */
  add(usd: string | null | undefined): boolean {
    const pico = picoDollars(usd);
    if (pico === undefined) return false;
    this.#pico = (this.#pico ?? 0n) + pico;
    return true;
  }

  merge(other: Money): void {
    if (other.#pico !== null) this.#pico = (this.#pico ?? 0n) + other.#pico;
  }

  /** In pico-dollars (10^-12); `null` while nothing is known. */
  get pico(): bigint | null {
    return this.#pico;
  }
}

/** A sum of counts, or of those that are known. */
export class Count {
  #value: number | null = null;

  add(value: number | undefined): void {
    if (value !== undefined) this.#value = (this.#value ?? 0) + value;
  }

  merge(other: Count): void {
    if (other.#value !== null) this.#value = (this.#value ?? 0) + other.#value;
  }

  /** `null` while nothing is known. */
  get value(): number | null {
    return this.#value;
  }
}

/** All tokens of an input, the sum of its parts where the whole is not said; `undefined` when nothing is. */
export function inputTokens({ usage: { inputTokens: input } }: UsageRecord): number | undefined {
  return known(input.total) ?? sum([input.uncached, input.cacheRead, ...writes(input)]);
}

/** Tokens written to the prompt cache, for whatever lifetime. */
export function writtenTokens({ usage: { inputTokens: input } }: UsageRecord): number | undefined {
  return sum(writes(input));
}

function writes(input: TokenUsage['inputTokens']): ReadonlyArray<number | undefined> {
  return [input.cacheWrite, input.cacheWrite1h];
}

/** Of what is known; `undefined` when nothing is. */
function sum(values: ReadonlyArray<number | undefined>): number | undefined {
  const all = values.map(known).filter((value) => value !== undefined);
  return all.length === 0 ? undefined : all.reduce((a, b) => a + b);
}

/** What is stored may be older or newer than this release. */
export function known(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 ? value : undefined;
}

/** The larger first; what is not known last. */
export function descending<T extends number | bigint>(a: T | null, b: T | null): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return a < b ? 1 : a > b ? -1 : 0;
}
