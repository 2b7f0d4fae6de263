import type { WorkCall } from './workload.ts';

/** Whom a scenario's calls are for, and with that their format. */
export type Format = 'anthropic' | 'openai' | 'nvidia';

/** Tells the network which call a request belongs to. */
export const CALL_HEADER = 'x-bench-call';

const JSON_TYPE = { 'content-type': 'application/json' };
const TARGETS: Readonly<
  Record<Format, { url: string; model: string; headers: Record<string, string> }>
> = {
  anthropic: {
    url: 'https://api.anthropic.com/v1/messages',
    model: 'claude-sonnet-4-5',
    headers: { ...JSON_TYPE, 'x-api-key': 'key', 'anthropic-version': '2023-06-01' },
  },
  openai: {
    url: 'https://api.openai.com/v1/chat/completions',
    model: 'gpt-4o-mini',
    headers: { ...JSON_TYPE, authorization: 'Bearer key' },
  },
  nvidia: {
    url: 'https://integrate.api.nvidia.com/v1/chat/completions',
    model: 'meta/llama-3.1-70b-instruct',
    headers: { ...JSON_TYPE, authorization: 'Bearer key' },
  },
};

/** A call as its application sends it: streamed, so that the head of an answer comes before its end. */
export function requestOf(
  call: WorkCall,
  format: Format,
): { readonly url: string; readonly init: RequestInit } {
  const { url, model, headers } = TARGETS[format];
  return {
    url,
    init: {
      method: 'POST',
      headers: {
        ...headers,
        'x-tokenrouter-priority': call.priority,
        [CALL_HEADER]: String(call.number),
      },
      body: JSON.stringify({
        model,
        max_tokens: call.maxTokens,
        temperature: 1,
        stream: true,
        messages: [{ role: 'user', content: textOf(call) }],
      }),
    },
  };
}

/** A prompt that begins with what it really is: its length only hints at it. */
function textOf({ inputTokens, outputTokens, characters }: WorkCall): string {
  return `${inputTokens} ${outputTokens} `.padEnd(characters, 'word ');
}

/** What a prompt says that it is; other texts are a token. */
export function numbersOf(text: string): Pick<WorkCall, 'inputTokens' | 'outputTokens'> {
  const found = /^(\d+) (\d+) /.exec(text.slice(0, 24));
  return { inputTokens: Number(found?.[1] ?? 1), outputTokens: Number(found?.[2] ?? 1) };
}
