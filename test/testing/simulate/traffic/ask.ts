import type { SimulatedProvider, VirtualClock } from '../../../../src/testing/index.ts';

export const URLS = {
  anthropic: 'https://api.anthropic.com/v1/messages',
  openai: 'https://api.openai.com/v1/chat/completions',
  deepseek: 'https://api.deepseek.com/chat/completions',
  gemini: 'https://generativelanguage.googleapis.com/v1beta/models/gemini-3:generateContent',
} as const;

export type Provider = keyof typeof URLS;

export interface Question {
  text?: string;
  model?: string;
  maxTokens?: number;
  stream?: boolean;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** Sends one request to a provider as its format has it. */
export function ask(
  simulated: SimulatedProvider,
  provider: Provider,
  { text = 'Hello', model = 'a-model', maxTokens, stream, headers = {}, signal }: Question = {},
): Promise<Response> {
  const limited = maxTokens !== undefined;
  const body =
    provider === 'gemini'
      ? {
          contents: [{ role: 'user', parts: [{ text }] }],
          ...(limited && { generationConfig: { maxOutputTokens: maxTokens } }),
        }
      : {
          model,
          messages: [{ role: 'user', content: text }],
          ...(limited && { max_tokens: maxTokens }),
          ...(stream === true && { stream }),
        };
  return simulated(URLS[provider], {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
    ...(signal && { signal }),
  });
}

/** Does something at its time. */
export function at<T>(clock: VirtualClock, ms: number, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve) => {
    clock.setTimeout(() => resolve(work()), ms - clock.now());
  });
}

/** Headers about limits and time, without those of every answer. */
export function limitHeaders({ headers }: Response): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => /ratelimit|retry|^date$/.test(name)));
}
