import type { Dispatcher } from 'undici';
import { ANSWER_TOKENS } from '../inputs/answers.ts';
import type { RequestSize } from '../inputs/requests.ts';

export interface ClientOptions {
  /** Where the provider is, and how it answers: `http://127.0.0.1:4000/json`. */
  readonly base: string;
  readonly isStream: boolean;
  readonly size: RequestSize;
  /** In place of connections. */
  readonly dispatcher: Dispatcher | undefined;
}

/** One client with one request. */
export interface BenchClient {
  /** Makes the call, reads the whole answer and says what it saw of it. */
  call(): Promise<number>;
  /** What `call` must have seen: tokens of a whole answer; pieces of text, or bytes, of a stream. */
  readonly expected: number;
  close(): Promise<void>;
}

export type Fetch = typeof globalThis.fetch;

export const TOTAL_TOKENS: number = ANSWER_TOKENS.input + ANSWER_TOKENS.output;

export function openaiBase({ base }: ClientOptions): string {
  return `${base}/openai/v1`;
}

export function anthropicBase({ base }: ClientOptions): string {
  return `${base}/anthropic`;
}
