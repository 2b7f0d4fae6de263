import { hash } from 'node:crypto';
import type { Call } from '../call.ts';

/**
 * Everything that can change the answer to a call, or whose it is, as it was when the call came: a middleware may send another
 * request with the same call. The key takes two hashes, so it is made when somebody asks for it.
 */
export class Question {
  readonly #call: Pick<Call, 'method' | 'url' | 'headers' | 'context'>;
  readonly #body: string | Uint8Array;
  readonly #means: string;
  #key: string | undefined;

  constructor({ method, url, headers, context }: Call, body: string | Uint8Array, means: string) {
    this.#call = { method, url, headers, context };
    this.#body = body;
    this.#means = means;
    // The host may write to its bytes.
    if (typeof body !== 'string') void this.key;
  }

  /** Bytes of the body: questions that differ in it have different keys. */
  get length(): number {
    return Buffer.byteLength(this.#body);
  }

  /** Equal keys mean one answer does for all. It is a SHA-256, so nothing of prompt or credentials is kept. */
  get key(): string {
    return (this.#key ??= this.#makeKey());
  }

  #makeKey(): string {
    const { method, url, headers, context } = this.#call;
    const { tenant, deadlineMs } = context;
    return digest(
      part(method) +
        part(url) +
        part(tenant === undefined ? '' : `=${tenant}`) +
        // A deadline ends the request for all: those who share it must want the same.
        part(deadlineMs === undefined ? '' : String(deadlineMs)) +
        part(this.#means) +
        part(telling(headers)) +
        // By itself: a long one is not copied, and gives the same as text and as bytes.
        digest(this.#body),
    );
  }
}

/** `undefined` for bodies that can be read only once. */
export type QuestionOf = (call: Call) => Question | undefined;

/**
 * Headers that say nothing about what is asked: who the client is, how it counts and traces its calls, and what concerns one
 * connection. Those of the OpenAI and Anthropic SDKs' own (`x-stainless-…`) belong to them: a retry counts up in one of them.
 */
const NOISE: ReadonlySet<string> = new Set([
  'accept-encoding',
  'baggage',
  'connection',
  'content-length',
  'traceparent',
  'tracestate',
  'user-agent',
  'x-client-request-id',
  'x-request-id',
]);
const NOISE_PREFIX = 'x-stainless-';

/** Members of `fetch`'s second argument that are in the key by themselves, or mean nothing for the answer. */
const KNOWN_INIT: ReadonlySet<string> = new Set([
  'body',
  'duplex',
  'headers',
  'method',
  'redirect',
  'signal',
]);

export function createQuestions(): QuestionOf {
  const numbers = new WeakMap<object, number>();
  let last = 0;

  /** The same for the same object. */
  const numberOf = (object: object): number => {
    let number = numbers.get(object);
    if (number === undefined) numbers.set(object, (number = ++last));
    return number;
  };

  /** What the request is sent with: a client's own `fetch`, a dispatcher, what else a transport is told. */
  function means({ transport, init, redirect }: Call): string {
    let text = part(redirect) + (transport === undefined ? '' : `f${numberOf(transport)}`);
    if (init === undefined) return text;
    for (const name of Object.keys(init)) {
      if (KNOWN_INIT.has(name)) continue;
      const value: unknown = Reflect.get(init, name);
      if (value == null) continue;
      text += part(name);
      text +=
        typeof value === 'object' || typeof value === 'function'
          ? `o${numberOf(value)}`
          : // oxlint-disable-next-line typescript/no-base-to-string -- objects were handled above
            part(String(value));
    }
    return text;
  }

  return function questionOf(call) {
    const { body } = call;
    if (typeof body !== 'string' && !(body instanceof Uint8Array)) return undefined;
    return new Question(call, body, means(call));
  };
}

/** Headers that can change the answer, whatever their order; those of one name in theirs. */
function telling(headers: readonly string[]): string {
  const names: string[] = [];
  const values: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!.toLowerCase();
    if (NOISE.has(name) || name.startsWith(NOISE_PREFIX)) continue;
    let place = names.length;
    while (place > 0 && names[place - 1]! > name) {
      names[place] = names[place - 1]!;
      values[place] = values[place - 1]!;
      place--;
    }
    names[place] = name;
    values[place] = headers[i + 1]!;
  }
  let text = '';
  for (let i = 0; i < names.length; i++) text += part(names[i]!) + part(values[i]!);
  return text;
}

function digest(data: string | Uint8Array): string {
  return hash('sha256', data, 'base64url');
}

/** With its length in front no two lists of parts are the same text. */
function part(text: string): string {
  return `${text.length}:${text}`;
}
