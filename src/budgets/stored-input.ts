import type { Call } from '../call.ts';
import { BACKSLASH } from '../util/json-scan.ts';

/**
 * Members that stand for input which the body does not hold: earlier answers and conversations (OpenAI's Responses API), searches
 * (its chat completions), containers and servers of tools (Anthropic's Messages API), caches (Gemini's generateContent).
 * References of 2026-11-21.
 */
const MEMBERS = [
  'previous_response_id',
  'conversation',
  'web_search_options',
  'container',
  'mcp_servers',
  'cachedContent',
  'cached_content',
] as const;

/** The same deeper inside: files, and tools of the provider's own that search. */
const INSIDE =
  /"(?:file_id|file_url|vector_store_ids|fileUri|file_uri|googleSearch|google_search|urlContext|url_context)"\s*:|"type"\s*:\s*"(?:web_search|file_search|web_fetch|mcp)\w*"/g;
/** In OpenAI's Responses API an object with an id is a prompt that is stored there. */
const STORED_PROMPT = /"prompt"\s*:\s*\{\s*"id"/;

/** Whether a request names input that its body does not show. What merely looks so is taken for it. */
export function namesStoredInput({ json, endpoint }: Call): boolean {
  if (json === undefined || endpoint.api === 'embeddings') return false;
  if (MEMBERS.some((name) => json.has(name))) return true;
  const { text } = json;
  // What stands in a string is escaped, and so none.
  for (const { index } of text.matchAll(INSIDE)) {
    if (text.charCodeAt(index - 1) !== BACKSLASH) return true;
  }
  return endpoint.api === 'responses' && STORED_PROMPT.test(text);
}
