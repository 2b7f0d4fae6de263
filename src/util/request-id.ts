import type { HeaderLookup } from '../types.ts';

/**
 * Response headers that carry a provider's id of the request, most telling first. Sources: the providers' error
 * documentation and recorded answers, 2026-11.
 */
const REQUEST_ID_HEADERS: readonly string[] = [
  'request-id', // Anthropic
  'x-generation-id', // OpenRouter
  'apim-request-id', // Azure; its x-request-id is another hop's
  'x-amzn-requestid', // Bedrock
  'x-ds-trace-id', // DeepSeek
  'mistral-correlation-id',
  'nvcf-reqid', // NVIDIA
  'x-request-id', // OpenAI, Groq, xAI and most others
];

/** The provider's id of a request, from the headers of its answer. */
export function requestIdOf(lookup: HeaderLookup): string | undefined {
  for (const name of REQUEST_ID_HEADERS) {
    const value = lookup(name);
    if (value !== undefined && value !== '') return value;
  }
  return undefined;
}
