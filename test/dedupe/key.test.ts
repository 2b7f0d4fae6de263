import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Call } from '../../src/call.ts';
import { createQuestions } from '../../src/dedupe/key.ts';
import { callOf, type Asked } from './calls.ts';
import { chat, CHAT_URL } from './provider.ts';

const questionOf = createQuestions();
const keyOf = (call: Call): string | undefined => questionOf(call)?.key;

async function key(asked: Asked): Promise<string> {
  const made = keyOf(await callOf({ init: chat('Hi'), ...asked }));
  if (made === undefined) throw new Error('expected a key');
  return made;
}

const withHeaders = (headers: Record<string, string>, drop = ''): RequestInit => {
  const init = chat('Hi');
  const all = new Headers(init.headers);
  if (drop !== '') all.delete(drop);
  return { ...init, headers: { ...Object.fromEntries(all), ...headers } };
};

const otherFetch: typeof globalThis.fetch = () => Promise.reject(new Error('not called'));

describe('what must differ differs', () => {
  test.each<[string, Asked]>([
    ['the body', { init: chat('Ho') }],
    ['a parameter', { init: chat('Hi', { max_tokens: 1 }) }],
    ['streamed or not', { init: chat('Hi', { stream: true }) }],
    ['the host', { url: 'https://api.deepseek.com/v1/chat/completions' }],
    ['the query', { url: `${CHAT_URL}?key=2` }],
    ['the key', { init: withHeaders({ authorization: 'Bearer other' }) }],
    ['no key', { init: withHeaders({}, 'authorization') }],
    ['another kind of key', { init: withHeaders({ 'x-api-key': 'key' }, 'authorization') }],
    ['the organization', { init: withHeaders({ 'openai-organization': 'o' }) }],
    ['a beta', { init: withHeaders({ 'anthropic-beta': 'b' }) }],
    ['the idempotency key', { init: withHeaders({ 'idempotency-key': 'k' }) }],
    ['a cookie', { init: withHeaders({ cookie: 'c=1' }) }],
    ['the wish for a fresh answer', { init: withHeaders({ 'cache-control': 'no-cache' }) }],
    ['the tenant', { context: { tenant: 'a' } }],
    ['an empty tenant', { context: { tenant: '' } }],
    ['the deadline', { context: { deadlineMs: 1000 } }],
    ['redirects', { init: { ...chat('Hi'), redirect: 'manual' } }],
    ['a fetch below', { transport: otherFetch }],
    ['a dispatcher', { init: Object.assign(chat('Hi'), { dispatcher: {} }) }],
    ['what a transport is told', { init: Object.assign(chat('Hi'), { region: 'eu' }) }],
  ])('%s', async (_name, asked) => {
    expect(await key(asked)).not.toBe(await key({}));
  });

  test('header names and values do not run into each other', async () => {
    const one = await key({ init: withHeaders({ a: '1', b: '2' }) });
    expect(await key({ init: withHeaders({ a: '11:b1:2' }) })).not.toBe(one);
    expect(await key({ init: withHeaders({ a: '1', b: '2', c: '' }) })).not.toBe(one);
    expect(await key({ context: { tenant: 'a' } })).not.toBe(
      await key({ context: { tenant: 'b' } }),
    );
  });

  test('two of the same name in their order', async () => {
    const call = await callOf({ init: chat('Hi') });
    const [a, b] = [
      [...call.headers, 'x-a', '1', 'x-a', '2'],
      [...call.headers, 'x-a', '2', 'x-a', '1'],
    ];
    call.headers = a;
    const first = keyOf(call);
    call.headers = b;
    expect(keyOf(call)).not.toBe(first);
  });

  test('any two different lists of headers', async () => {
    const call = await callOf({ init: chat('Hi') });
    const name = fc.constantFrom('a', 'b', 'ab', '1:a', '3:1:a');
    const value = fc.constantFrom('', '1', '1:', '1:a', '1:b', '0:', 'a1:b');
    const list = fc.uniqueArray(fc.tuple(name, value), { selector: ([n]) => n, maxLength: 4 });
    fc.assert(
      fc.property(list, list, (one, other) => {
        const sorted = (pairs: typeof one): string =>
          JSON.stringify(pairs.map((pair) => JSON.stringify(pair)).sort());
        call.headers = one.flat();
        const first = keyOf(call);
        call.headers = other.flat();
        expect(keyOf(call) === first).toBe(sorted(one) === sorted(other));
      }),
    );
  });
});

describe('what must not differ does not', () => {
  test.each<[string, Asked]>([
    ['the user agent', { init: withHeaders({ 'User-Agent': 'x' }) }],
    ['a retry’s count', { init: withHeaders({ 'X-Stainless-Retry-Count': '2' }) }],
    ['the SDK’s runtime', { init: withHeaders({ 'x-stainless-runtime-version': 'v24' }) }],
    ['traces', { init: withHeaders({ traceparent: 'a', tracestate: 'b', baggage: 'c' }) }],
    ['request ids', { init: withHeaders({ 'x-request-id': '1', 'x-client-request-id': '2' }) }],
    ['the connection', { init: withHeaders({ connection: 'close', 'accept-encoding': 'br' }) }],
    ['the length', { init: withHeaders({ 'content-length': '1' }) }],
    [
      'the case of header names',
      { init: withHeaders({ Authorization: 'Bearer key' }, 'authorization') },
    ],
    ['a signal', { init: { ...chat('Hi'), signal: new AbortController().signal } }],
    ['the priority', { context: { priority: 'urgent' } }],
    ['user, session and tags', { context: { user: 'u', session: 's', tags: { a: 'b' } } }],
    ['nothing said of a transport', { init: Object.assign(chat('Hi'), { region: undefined }) }],
  ])('%s', async (_name, asked) => {
    expect(await key(asked)).toBe(await key({}));
  });

  test('the order of headers', async () => {
    const one = await key({ init: withHeaders({ b: '2', a: '1' }) });
    expect(await key({ init: withHeaders({ a: '1', b: '2' }) })).toBe(one);
  });

  test('the same body as text and as bytes', async () => {
    const init = chat('Grüße');
    const body = new TextEncoder().encode(String(init.body));
    expect(await key({ init: { ...init, body } })).toBe(await key({ init }));
  });

  test('the same transport, dispatcher and options', async () => {
    const dispatcher = {};
    const asked = (): Asked => ({
      transport: otherFetch,
      init: Object.assign(chat('Hi'), { dispatcher, region: 'eu' }),
    });
    expect(await key(asked())).toBe(await key(asked()));
  });

  test('the order of JSON keys and white space, once the body is canonical', async () => {
    const init = chat('Hi');
    const body: Record<string, unknown> = JSON.parse(String(init.body));
    const reversed = Object.fromEntries(Object.entries(body).toReversed());
    const other = { ...init, body: JSON.stringify(reversed, undefined, 2) };
    expect(await key({ init: other, promptCache: 'auto' })).toBe(
      await key({ promptCache: 'auto' }),
    );
    expect(await key({ init: other })).not.toBe(await key({}));
    // In observe mode each goes out as it came, so each is a request of its own.
    expect(await key({ init: other, promptCache: 'observe' })).not.toBe(
      await key({ promptCache: 'observe' }),
    );
  });
});

test('it is a hash, and says nothing', async () => {
  expect(await key({})).toMatch(/^[\w-]{43}$/);
});

test('what can be read only once has none', async () => {
  const call = await callOf({ init: chat('Hi') });
  call.body = new Blob(['{}']);
  expect(keyOf(call)).toBeUndefined();
});
