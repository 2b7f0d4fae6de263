/** A provider that a test answers for by hand: each request waits until it is told what to do. */

export const CHAT_URL = 'https://api.openai.com/v1/chat/completions';
export const JSON_HEADERS = { 'content-type': 'application/json' };

/** A request of which the caller expects the same answer each time. */
export function chat(
  content: string,
  { stream = false, ...more }: { stream?: boolean; [key: string]: unknown } = {},
): RequestInit {
  return {
    method: 'POST',
    headers: { ...JSON_HEADERS, authorization: 'Bearer key' },
    body: JSON.stringify({
      model: 'gpt-4o-mini',
      temperature: 0,
      messages: [{ role: 'user', content }],
      ...(stream ? { stream: true, stream_options: { include_usage: true } } : {}),
      ...more,
    }),
  };
}

const USAGE = { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 };

export function chatAnswer(content = 'Hello.'): string {
  return JSON.stringify({
    id: 'chatcmpl-1',
    model: 'gpt-4o-mini-2024-07-18',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: USAGE,
  });
}

export function frame(content: string): string {
  return `data: ${JSON.stringify({ model: 'gpt-4o-mini-2024-07-18', choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`;
}

export const LAST_FRAMES: string =
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}\n\n` +
  `data: ${JSON.stringify({ choices: [], usage: USAGE })}\n\n` +
  'data: [DONE]\n\n';

/** What one answered chat of this kind costs: 1000 input tokens at $0.15 and 100 output tokens at $0.60 a million. */
export const CHAT_USD = '0.00021';

/** What the next read gives, as text. */
export async function textOf(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const { value } = await reader.read();
  return value === undefined ? '' : Buffer.from(value).toString();
}

/** One request as it reached the provider. */
export class Upstream {
  readonly init: RequestInit;
  readonly url: string;
  readonly response: Promise<Response>;
  isAborted = false;
  /** The body was cancelled. */
  isCancelled = false;
  /** How often the consumer asked for more than was there. */
  pulls = 0;
  #resolve!: (response: Response) => void;
  #reject!: (error: unknown) => void;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  readonly #onAbort = (): void => {
    this.isAborted = true;
    const reason: unknown = this.signal?.reason;
    this.#reject(reason);
    this.#close((controller) => {
      controller.error(reason);
    });
  };

  constructor(url: string, init: RequestInit) {
    this.url = url;
    this.init = init;
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.signal?.addEventListener('abort', this.#onAbort);
  }

  get signal(): AbortSignal | undefined {
    return this.init.signal ?? undefined;
  }

  get body(): string {
    return String(this.init.body);
  }

  /** Whether nobody waits for it any more. */
  get isOver(): boolean {
    return this.isAborted || this.isCancelled;
  }

  head(status = 200, headers: Record<string, string> = JSON_HEADERS): void {
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => {
          this.pulls++;
        },
        cancel: () => {
          this.isCancelled = true;
          this.#release();
        },
      },
      { highWaterMark: 0 },
    );
    this.#resolve(new Response(body, { status, headers: { 'x-request-id': 'req-1', ...headers } }));
  }

  push(bytes: string | Uint8Array): void {
    if (this.isOver) return;
    this.#controller?.enqueue(typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
  }

  end(): void {
    this.#close((controller) => {
      controller.close();
    });
  }

  fail(error: unknown): void {
    this.#reject(error);
    this.#close((controller) => {
      controller.error(error);
    });
  }

  /** A whole answer at once. */
  answer(text: string = chatAnswer(), status = 200): void {
    this.head(status);
    this.push(text);
    this.end();
  }

  #close(how: (controller: ReadableStreamDefaultController<Uint8Array>) => void): void {
    const controller = this.#controller;
    this.#controller = undefined;
    this.#release();
    if (controller !== undefined && !this.isCancelled) how(controller);
  }

  #release(): void {
    this.signal?.removeEventListener('abort', this.#onAbort);
  }
}

export interface Provider {
  readonly fetch: typeof globalThis.fetch;
  readonly requests: readonly Upstream[];
  /** The only request so far. */
  readonly only: Upstream;
}

export function createProvider(): Provider {
  const requests: Upstream[] = [];
  return {
    fetch: (input, init = {}) => {
      const request = new Upstream(String(input), init);
      requests.push(request);
      request.response.catch(() => {});
      return request.response;
    },
    requests,
    get only() {
      const [first, ...others] = requests;
      if (first === undefined || others.length > 0) {
        throw new Error(`expected one request upstream, got ${requests.length}`);
      }
      return first;
    },
  };
}
