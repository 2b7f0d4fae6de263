import { request, type Dispatcher } from 'undici';
import { chatAnswer, chatStream } from '../inputs/answers.ts';
import { benchRequest } from '../inputs/requests.ts';
import {
  openaiBase,
  TOTAL_TOKENS,
  type BenchClient,
  type ClientOptions,
  type Fetch,
} from './client.ts';

/** The least a client can do: a dispatch whose handler counts bytes. */
export function bareClient(options: ClientOptions, dispatcher: Dispatcher): BenchClient {
  const { url, body, headers } = prepared(options);
  const { origin, pathname } = new URL(url);
  return {
    expected: options.isStream ? STREAM_BYTES : ANSWER_BYTES,
    call: () =>
      new Promise((resolve, reject) => {
        let length = 0;
        dispatcher.dispatch(
          { origin, path: pathname, method: 'POST', headers, body },
          {
            onRequestStart() {},
            onResponseStart() {},
            onResponseData(_controller, chunk) {
              length += chunk.length;
            },
            onResponseEnd() {
              resolve(length);
            },
            onResponseError(_controller, error) {
              reject(error);
            },
          },
        );
      }),
    close: () => dispatcher.close(),
  };
}

export function requestClient(options: ClientOptions, dispatcher: Dispatcher): BenchClient {
  const { url, body, headers } = prepared(options);
  return {
    expected: options.isStream ? STREAM_BYTES : TOTAL_TOKENS,
    async call() {
      const answer = await request(url, { method: 'POST', headers, body, dispatcher });
      return options.isStream ? byteLength(answer.body) : totalOf(await answer.body.json());
    },
    close: () => dispatcher.close(),
  };
}

export function fetchClient(options: ClientOptions, fetch: Fetch): BenchClient {
  const { url, body, headers } = prepared(options);
  return {
    expected: options.isStream ? STREAM_BYTES : TOTAL_TOKENS,
    async call() {
      const response = await fetch(url, { method: 'POST', headers, body });
      return options.isStream ? byteLength(response.body!) : totalOf(await response.json());
    },
    close: () => Promise.resolve(),
  };
}

interface Prepared {
  readonly url: string;
  readonly headers: Record<string, string>;
  /** Serialised once: these clients are measured without `JSON.stringify`. */
  readonly body: string;
}

function prepared(options: ClientOptions): Prepared {
  return {
    url: `${openaiBase(options)}/chat/completions`,
    headers: { 'content-type': 'application/json', authorization: 'Bearer none' },
    body: JSON.stringify({ ...benchRequest(options.size).chat, stream: options.isStream }),
  };
}

const ANSWER_BYTES = chatAnswer().body.length;
const STREAM_BYTES = chatStream(false).frames.reduce((sum, frame) => sum + frame.length, 0);

function totalOf(answer: unknown): number {
  return (answer as { usage: { total_tokens: number } }).usage.total_tokens;
}

async function byteLength(body: AsyncIterable<Uint8Array>): Promise<number> {
  let length = 0;
  for await (const chunk of body) length += chunk.length;
  return length;
}
