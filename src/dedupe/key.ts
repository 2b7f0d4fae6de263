import { hash } from 'node:crypto';
import type { Call } from '../call.ts';

/**
 * A name for everything that can change the answer to a call, or whose it is: equal names mean one answer does for all. It is
 * a SHA-256, so nothing of prompt or credentials is kept. `undefined` for bodies that can be read only once.
 */
export type KeyOf = (call: Call) => string | undefined;

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

export function createKeys(): KeyOf {
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

  return function keyOf(call) {
    const { method, url, headers, body, context } = call;
    const { tenant, deadlineMs } = context;
    if (typeof body !== 'string' && !(body instanceof Uint8Array)) return undefined;
    return digest(
      part(method) +
        part(url) +
        part(tenant === undefined ? '' : `=${tenant}`) +
        // A deadline ends the request for all: those who share it must want the same.
        part(deadlineMs === undefined ? '' : String(deadlineMs)) +
        part(means(call)) +
        part(telling(headers)) +
        // By itself: a long one is not copied, and gives the same as text and as bytes.
        digest(body),
    );
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
