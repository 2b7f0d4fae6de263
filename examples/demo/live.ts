/** The same with real providers: two short questions each, the first answered whole, the second streamed. */
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import type { Router } from 'tokenrouter';
import { chatAnswer, messagesAnswer, type Piece } from './answers.ts';
import { heading, paint, print, showAnswer, showMessage } from './screen.ts';

const MODELS = { openai: 'gpt-4.1-nano', anthropic: 'claude-haiku-4-5' };
const QUESTIONS = [
  'Name one prime number between 10 and 20. Answer with the number only.',
  'Why is it prime? Answer in one short sentence.',
];
const MAX_TOKENS = 60;

/** The providers whose key is set. */
export function liveProviders(env: NodeJS.ProcessEnv): Array<'OpenAI' | 'Anthropic'> {
  return [
    ...(env['OPENAI_API_KEY'] ? (['OpenAI'] as const) : []),
    ...(env['ANTHROPIC_API_KEY'] ? (['Anthropic'] as const) : []),
  ];
}

/** Talks to one provider. `false` when it refused or could not be reached. */
export async function holdLive(
  router: Router,
  provider: 'OpenAI' | 'Anthropic',
  signal: AbortSignal,
): Promise<boolean> {
  const ask = provider === 'OpenAI' ? openai(router, signal) : anthropic(router, signal);
  heading(`${provider}, live`);
  const history: Message[] = [];
  try {
    for (const [turn, content] of QUESTIONS.entries()) {
      history.push({ role: 'user', content });
      showMessage('user', content);
      const text = await showAnswer(ask(history, turn > 0));
      signal.throwIfAborted();
      history.push({ role: 'assistant', content: text });
    }
    return true;
  } catch (error) {
    signal.throwIfAborted();
    print();
    print(paint('red', `  ${provider} did not answer: ${reason(error)}`));
    return false;
  }
}

interface Message {
  role: 'user' | 'assistant';
  content: string;
}

type Ask = (messages: Message[], stream: boolean) => AsyncIterable<Piece>;

function openai(router: Router, signal: AbortSignal): Ask {
  const client = new OpenAI({ fetch: router.fetch, maxRetries: 0 });
  const settings = { model: MODELS.openai, max_completion_tokens: MAX_TOKENS };
  return (messages, stream) => chatAnswer(client, { ...settings, messages, stream }, { signal });
}

function anthropic(router: Router, signal: AbortSignal): Ask {
  const client = router.wrap(new Anthropic({ maxRetries: 0 }));
  const settings = { model: MODELS.anthropic, max_tokens: MAX_TOKENS };
  return (messages, stream) =>
    messagesAnswer(client, { ...settings, messages, stream }, { signal });
}

/** Not the provider's own message: it may quote a part of the key. */
function reason(error: unknown): string {
  const status: unknown = error instanceof Error ? Reflect.get(error, 'status') : undefined;
  if (status === 401 || status === 403) return `it refuses the key (${status})`;
  if (status === 404) return 'this key has no access to the model (404)';
  if (status === 429) return 'too many requests, or no credit left (429)';
  if (typeof status === 'number') return `status ${status}`;
  return 'no connection; is this machine online?';
}
