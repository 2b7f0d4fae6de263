import type { TokenUsage } from '../../types.ts';
import type { Answer } from './answer.ts';

/** A JSON object of unknown content. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Tokens of one answer in the disjoint buckets of a usage record. A bucket that the provider does not report is absent. */
export type SimulatedUsage = Pick<TokenUsage, 'inputTokens' | 'outputTokens'>;

/** Everything that an answer is made of. */
export interface Reply {
  /** How many requests were answered before: what ids are made of. */
  readonly number: number;
  readonly model: string;
  /** Milliseconds since the epoch. */
  readonly wallMs: number;
  readonly body: JsonObject;
  readonly answer: Answer;
  readonly usage: SimulatedUsage;
}

/** Why a request is not answered, in the provider's terms. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
  /** The member that is wrong, as a path. */
  readonly param?: string;
  /** OpenAI's error code. */
  readonly code?: string;
}

/** What a URL of a provider stands for. */
export interface SimulatedEndpoint {
  /** The model, where the URL names it. */
  readonly model?: string;
  /** Content type of its streams. */
  readonly streamType: string;
  /** Whether this request is answered by a stream. */
  isStream(body: JsonObject): boolean;
  /** Whether this request is answered with nothing, whatever there is to say. */
  isSilent?(body: JsonObject): boolean;
  /** What the provider finds wrong with a body, before it looks at its prompt cache. */
  check(body: JsonObject): Refusal | undefined;
  /** A whole answer, as JSON. */
  whole(reply: Reply): unknown;
  /** A stream, chunk by chunk as its text. */
  chunks(reply: Reply): readonly string[];
}

/** How a provider speaks over HTTP. */
export interface Dialect {
  endpoint(url: URL): SimulatedEndpoint | undefined;
  /** An error's body. `requestId` as in the headers. */
  error(refusal: Refusal, requestId: string): unknown;
  /** Headers of every answer beside its content type. */
  headers(requestId: string): Readonly<Record<string, string>>;
  /** Content type of whole answers and errors. */
  readonly jsonType: string;
  /** What its ids of requests look like. */
  requestId(number: number): string;
}

/** An id that is the same in every run: `idOf('msg_', 3)` is `msg_sim00000003`. */
export function idOf(prefix: string, ...numbers: readonly number[]): string {
  return `${prefix}sim${numbers.map((number) => String(number).padStart(8, '0')).join('')}`;
}

/** A server-sent event. */
export function sse(data: unknown, name?: string): string {
  const event = name === undefined ? '' : `event: ${name}\n`;
  return `${event}data: ${JSON.stringify(data)}\n\n`;
}

/** Seconds since the epoch, as OpenAI's formats have them. */
export function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
