import type { TokenUsage } from '../types.ts';

/** Service tiers under which every provider bills its list price. `on_demand` is Groq's and Gemini's word for it. */
const STANDARD: ReadonlySet<string> = new Set([
  '',
  'auto',
  'default',
  'on_demand',
  'standard',
  'standard_only',
]);

/** Names of what besides the model decided the rates of a call, to look up among the price list's `services`. */
export function serviceTerms(
  provider: string,
  serviceTier: string | undefined,
  usage: TokenUsage,
): readonly string[] {
  const tier = serviceTier?.toLowerCase() ?? '';
  const terms = STANDARD.has(tier) ? NONE : [tier];
  if (provider !== 'anthropic' || !isRecord(usage.raw)) return terms;
  // Anthropic reports both in `usage` (pricing and fast mode pages, 2026-08-22).
  const geo = usage.raw['inference_geo'] === 'us' ? ['inference_geo:us'] : NONE;
  const speed = usage.raw['speed'] === 'fast' ? ['speed:fast'] : NONE;
  return geo === NONE && speed === NONE ? terms : [...terms, ...geo, ...speed];
}

const NONE: readonly string[] = [];

/**
 * Whether the provider reports something that is billed otherwise than by the list: searches, tools, or audio and images among
 * the tokens. The cost then holds the text price of the tokens alone.
 */
export function hasOtherCharges({ raw }: TokenUsage): boolean {
  if (!isRecord(raw)) return false;
  return (
    // Anthropic: $10 for 1,000 searches.
    isPositive(member(raw['server_tool_use'], 'web_search_requests')) ||
    // OpenRouter runs its own tools at prices of their own.
    isPositive(member(raw['server_tool_use_details'], 'tool_calls_executed')) ||
    // OpenAI and those who follow it.
    isPositive(member(raw['prompt_tokens_details'], 'audio_tokens')) ||
    isPositive(member(raw['completion_tokens_details'], 'audio_tokens')) ||
    isPositive(member(raw['input_tokens_details'], 'audio_tokens')) ||
    isPositive(member(raw['output_tokens_details'], 'audio_tokens')) ||
    // Gemini: images cost as much as text when read, but not when written.
    hasModality(raw['promptTokensDetails'], ['AUDIO']) ||
    hasModality(raw['candidatesTokensDetails'], ['AUDIO', 'IMAGE', 'VIDEO'])
  );
}

function hasModality(details: unknown, modalities: readonly string[]): boolean {
  return (
    Array.isArray(details) &&
    details.some((detail) => modalities.some((name) => member(detail, 'modality') === name))
  );
}

function member(value: unknown, key: string): unknown {
  return isRecord(value) ? value[key] : undefined;
}

function isPositive(value: unknown): boolean {
  return typeof value === 'number' && value > 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
