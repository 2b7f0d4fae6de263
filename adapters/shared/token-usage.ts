import type { TokenUsage } from '../../src/types.ts';

/**
 * Counts as a provider reports them: anything, since they come straight from its JSON. Missing and `null` mean
 * not reported. Input is given either as `input` (cached tokens inside) or as `uncached` (cached tokens beside).
 */
export interface ReportedTokens {
  input?: unknown;
  uncached?: unknown;
  cacheRead?: unknown;
  /** Written tokens of every lifetime. */
  cacheWrite?: unknown;
  /** The part of `cacheWrite` that lives one hour. */
  cacheWrite1h?: unknown;
  output?: unknown;
  /** The part of `output` spent on reasoning. */
  reasoning?: unknown;
  /** Set when the provider's numbers do not add up in a way that the parts above do not show. */
  contradiction?: boolean;
}

/** No answer has a trillion tokens; below it sums stay exact integers. */
const MAX_TOKENS = 1e12;

/** A plausible token count, else `undefined`. */
export function tokenCount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_TOKENS
    ? value + 0
    : undefined;
}

/** The first plausible count of several places where a provider may report the same thing. */
export function firstCount(...values: unknown[]): number | undefined {
  for (const value of values) {
    const count = tokenCount(value);
    if (count !== undefined) return count;
  }
  return undefined;
}

/** A sum where unknown counts as nothing; `undefined` when every part is unknown. */
export function sumCounts(...values: unknown[]): number | undefined {
  let sum: number | undefined;
  for (const value of values) {
    const count = tokenCount(value);
    if (count !== undefined) sum = (sum ?? 0) + count;
  }
  return sum;
}

/**
 * Disjoint buckets from what a provider reports. Parts larger than their whole are cut to it (cache reads
 * first, since they were served first), and such usage is graded `partial`: OpenRouter in front of Gemini was
 * seen to report 2,161 cached and 2,161 written of 2,168 prompt tokens (recorded 2026).
 */
export function tokenUsage(raw: unknown, reported: ReportedTokens): TokenUsage {
  let odd = reported.contradiction === true;
  const read = (value: unknown): number | undefined => {
    const count = tokenCount(value);
    if (count === undefined && value !== undefined && value !== null) odd = true;
    return count;
  };
  const within = (part: number | undefined, whole: number | undefined): number | undefined => {
    if (part === undefined || whole === undefined || part <= whole) return part;
    odd = true;
    return whole;
  };

  let total = read(reported.input);
  let uncached = read(reported.uncached);
  let cacheRead = read(reported.cacheRead);
  const oneHour = read(reported.cacheWrite1h);
  let written = read(reported.cacheWrite) ?? oneHour;
  if (total !== undefined) {
    cacheRead = within(cacheRead, total);
    written = within(written, total - (cacheRead ?? 0));
    uncached = total - (cacheRead ?? 0) - (written ?? 0);
  } else if (uncached !== undefined) {
    total = uncached + (cacheRead ?? 0) + (written ?? 0);
  }
  const cacheWrite1h = within(oneHour, written);
  const output = read(reported.output);
  const reasoning = within(read(reported.reasoning), output);

  const inputTokens = {
    total,
    uncached,
    cacheRead,
    cacheWrite: written === undefined ? undefined : written - (cacheWrite1h ?? 0),
    cacheWrite1h,
  };
  const known = [...Object.values(inputTokens), output, reasoning].some((n) => n !== undefined);
  return {
    inputTokens,
    outputTokens: { total: output, reasoning },
    grade: known ? gradeOf(total, output, odd) : 'none',
    raw,
  };
}

function gradeOf(
  input: number | undefined,
  output: number | undefined,
  odd: boolean,
): TokenUsage['grade'] {
  return input === undefined || output === undefined || odd ? 'partial' : 'exact';
}
