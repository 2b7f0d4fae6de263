import type { TokenUsage } from '../types.ts';
import { promptOverhead } from './prompt-overhead.ts';
import { promptText } from './prompt-text.ts';
import type { TokenCounter } from './token-counter.ts';

export interface EstimateUsageOptions {
  counter: TokenCounter;
  /** What the provider did report. */
  reported: TokenUsage;
  /** The request's JSON text; without it the input stays unknown. */
  requestBody: string | undefined;
  model?: string | undefined;
  /** Text, reasoning and tool arguments of the answer, as far as they were seen. */
  outputText: string;
  /** Share of the answer's bytes that `outputText` covers, above 0 up to 1. */
  outputShare: number;
}

/** Parsed in one go, which must not take long; the input of a longer body, mostly images or files, stays unknown. */
const MAX_PARSED_CHARS = 4 * 1024 * 1024;

/**
 * Fills in what the provider left unknown. Reported numbers are kept. Caches that are not reported are taken for
 * unused, so all estimated input is `uncached`.
 *
 * Grade: unchanged when nothing was missing, `partial` beside reported numbers, else `estimated`; `none` when there
 * was nothing to count either.
 */
export async function estimateUsage(options: EstimateUsageOptions): Promise<TokenUsage> {
  const { reported } = options;
  const inputTokens = await fillInput(options);
  const outputTokens = await fillOutput(options);
  const isFilled =
    inputTokens.total !== reported.inputTokens.total ||
    outputTokens.total !== reported.outputTokens.total;
  const grade = isFilled ? (isReported(reported) ? 'partial' : 'estimated') : reported.grade;
  return { ...reported, inputTokens, outputTokens, grade };
}

async function fillInput(options: EstimateUsageOptions): Promise<TokenUsage['inputTokens']> {
  const input = options.reported.inputTokens;
  const cached = sum(input.cacheRead, input.cacheWrite, input.cacheWrite1h);
  let total = input.total;
  if (total === undefined && input.uncached !== undefined) total = input.uncached + cached;
  if (total === undefined) {
    const counted = await countInput(options);
    if (counted === undefined) return input;
    total = Math.max(counted, cached);
  }
  return { ...input, total, uncached: input.uncached ?? Math.max(total - cached, 0) };
}

async function fillOutput(options: EstimateUsageOptions): Promise<TokenUsage['outputTokens']> {
  const output = options.reported.outputTokens;
  const { outputText, outputShare, counter, model } = options;
  if (output.total !== undefined || !(outputShare > 0)) return output;
  const seen = await counter.count(outputText, model);
  const counted = Math.round(seen / Math.min(outputShare, 1));
  return { ...output, total: Math.max(counted, output.reasoning ?? 0) };
}

async function countInput(options: EstimateUsageOptions): Promise<number | undefined> {
  const { requestBody, counter, model } = options;
  if (requestBody === undefined || requestBody.length > MAX_PARSED_CHARS) return undefined;
  const body = parseJson(requestBody);
  if (body === undefined) return undefined;
  const prompt = promptText(body);
  return (await counter.count(prompt.text, model)) + promptOverhead(prompt, model);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isReported(usage: TokenUsage): boolean {
  return [...Object.values(usage.inputTokens), ...Object.values(usage.outputTokens)].some(
    (tokens) => tokens !== undefined,
  );
}

function sum(...parts: Array<number | undefined>): number {
  return parts.reduce<number>((total, part) => total + (part ?? 0), 0);
}
