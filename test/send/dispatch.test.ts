import type { IncomingMessage, ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRouter, type Router } from '../../src/index.ts';
import { startServer, type TestServer } from '../helpers/server.ts';

/**
 * The dispatch transport against the platform's own fetch, over real HTTP: the same request must arrive, and the same
 * answer must come back.
 */
let server: TestServer;
let other: TestServer;
let router: Router;

const TEXT = JSON.stringify({ text: 'größer 漢字 🙂'.repeat(500) });

beforeAll(async () => {
  other = await startServer(echo);
  server = await startServer(answer);
  router = createRouter();
});

afterAll(async () => {
  await router.close();
  await server[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
});

/** Answers with what it was sent. Headers of the connection and of the platform's own are left out. */
async function echo(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { host, connection, ...headers } = request.headers;
  for (const name of ['sec-fetch-mode', 'accept-language']) delete headers[name];
  const boundary = /boundary=(\S+)/.exec(headers['content-type'] ?? '')?.[1] ?? 'none';
  const body = Buffer.concat(chunks).toString('latin1').replaceAll(boundary, 'BOUNDARY');
  headers['content-type'] &&= headers['content-type'].replace(boundary, 'BOUNDARY');
  response.end(JSON.stringify({ method: request.method, url: request.url, headers, body }));
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url ?? '/';
  const encoders: Record<string, (text: string) => Buffer> = {
    gzip: gzipSync,
    br: brotliCompressSync,
    deflate: deflateSync,
    zstd: zstdCompressSync,
  };
  const encoding = /^\/encoded\/(\w+)$/.exec(path)?.[1];
  const redirect = /^\/redirect\/(\d+)\?to=(.*)$/.exec(path);
  if (encoding !== undefined) {
    response.writeHead(200, { 'content-encoding': encoding, 'content-type': 'application/json' });
    const body = encoders[encoding]?.(TEXT) ?? Buffer.from(TEXT);
    // In pieces, so that decoding goes on between chunks.
    for (let i = 0; i < body.length; i += 97) response.write(body.subarray(i, i + 97));
    response.end();
  } else if (path === '/gzip-twice') {
    response.writeHead(200, { 'content-encoding': 'gzip, br' });
    response.end(brotliCompressSync(gzipSync(TEXT)));
  } else if (path === '/gzip-broken') {
    response.writeHead(200, { 'content-encoding': 'gzip' });
    response.end('this is no gzip');
  } else if (path === '/gzip-cut') {
    response.writeHead(200, { 'content-encoding': 'gzip' });
    response.end(gzipSync(TEXT).subarray(0, -8));
  } else if (redirect !== null) {
    response.writeHead(Number(redirect[1]), { location: decodeURIComponent(redirect[2] ?? '') });
    response.end('moved');
  } else if (path === '/loop') {
    response.writeHead(302, { location: '/loop' }).end();
  } else if (path === '/nowhere') {
    response.writeHead(302, { location: 'http://[bad' }).end();
  } else if (/^\/status\/\d+$/.test(path)) {
    response.writeHead(Number(path.slice(8)), { 'x-a': '1', 'set-cookie': ['a=1', 'b=2'] });
    response.end(path === '/status/204' ? undefined : 'body');
  } else if (path === '/hints') {
    response.writeEarlyHints({ link: '</a>; rel=preload' });
    response.end('after the hints');
  } else if (path === '/reset') {
    request.socket.destroy();
  } else if (path === '/reset-in-body') {
    response.writeHead(200, { 'content-length': '100' });
    response.write('half');
    setImmediate(() => request.socket.destroy());
  } else {
    await echo(request, response);
  }
}

interface Seen {
  readonly [name: string]: unknown;
}

async function see(
  fetch: typeof globalThis.fetch,
  path: string,
  init?: RequestInit,
): Promise<Seen> {
  try {
    const response = await fetch(`${server.origin}${path}`, init);
    const headers = [...response.headers].filter(
      ([name]) =>
        !name.startsWith('x-tokenrouter') && !/^(?:date|connection|keep-alive)$/.test(name),
    );
    const { status, statusText, ok, redirected, url, type } = response;
    const head = { status, statusText, ok, redirected, url, type, headers };
    try {
      return { ...head, body: await response.text() };
    } catch (error) {
      return { ...head, bodyError: described(error) };
    }
  } catch (error) {
    return { error: described(error) };
  }
}

function described(error: unknown): string {
  const { name, message, cause } = error as Error & { cause?: { code?: string } };
  return `${name}: ${message} (${cause?.code ?? 'no code'})`;
}

async function expectSame(path: string, init?: () => RequestInit): Promise<Seen> {
  const mine = await see(router.fetch, path, init?.());
  const theirs = await see(globalThis.fetch, path, init?.());
  expect(mine).toEqual(theirs);
  return mine;
}

describe('requests arrive as with fetch', () => {
  const bodies: Record<string, () => RequestInit> = {
    'no init': () => ({}),
    'a string': () => ({ method: 'POST', body: '{"ü":1}' }),
    'a string with a content type': () => ({
      method: 'post',
      body: '{}',
      headers: { 'Content-Type': 'application/json', Authorization: 'Bearer key' },
    }),
    'header pairs': () => ({
      headers: [
        ['x-a', '1'],
        ['x-a', '2'],
      ],
    }),
    'a Headers object': () => ({ headers: new Headers({ 'x-b': 'ü' }) }),
    bytes: () => ({ method: 'POST', body: new Uint8Array([0, 255, 10]) }),
    'an ArrayBuffer': () => ({ method: 'POST', body: new Uint8Array([1, 2]).buffer }),
    'a Blob': () => ({ method: 'POST', body: new Blob(['blob'], { type: 'text/x' }) }),
    URLSearchParams: () => ({ method: 'POST', body: new URLSearchParams({ a: 'b c' }) }),
    FormData: () => {
      const body = new FormData();
      body.set('model', 'whisper');
      body.set('file', new File(['sound'], 'a.wav', { type: 'audio/wav' }));
      return { method: 'POST', body };
    },
    'a stream': () => ({
      method: 'POST',
      body: new Blob(['streamed']).stream(),
      duplex: 'half',
    }),
    'a GET with a body': () => ({ method: 'GET', body: 'x' }),
    'an own accept-encoding': () => ({ headers: { 'accept-encoding': 'identity' } }),
    'DELETE without body': () => ({ method: 'DELETE' }),
    'an invalid header': () => ({ headers: { 'bad name': 'x' } }),
  };

  test.each(Object.keys(bodies))('%s', async (name) => {
    await expectSame('/echo?q=1', bodies[name]);
  });

  test('a Request object', async () => {
    const make = (): Request =>
      new Request(`${server.origin}/echo`, {
        method: 'POST',
        body: '{"a":1}',
        headers: { 'x-c': '1' },
      });
    const mine: unknown = await (await router.fetch(make())).json();
    expect(mine).toEqual(await (await globalThis.fetch(make())).json());
  });

  test('a URL object, its hash taken off', async () => {
    const url = new URL(`${server.origin}/echo#part`);
    const response = await router.fetch(url);
    expect(response.url).toBe((await globalThis.fetch(url)).url);
  });

  test('the router’s own headers do not leave the process', async () => {
    const response = await router.fetch(`${server.origin}/echo`, {
      headers: { 'x-tokenrouter-tenant': 'acme', 'X-Priority': 'high', 'x-other': 'stays' },
    });
    const { headers } = (await response.json()) as { headers: Record<string, string> };
    expect(headers['x-other']).toBe('stays');
    expect(Object.keys(headers).filter((name) => /tokenrouter|priority/.test(name))).toEqual([]);
  });
});

describe('answers come back as with fetch', () => {
  test.each(['gzip', 'br', 'deflate', 'identity', 'unknown'])('encoded: %s', async (encoding) => {
    const seen = await expectSame(`/encoded/${encoding}`);
    expect(seen['body']).toBe(TEXT);
  });

  test.each([
    '/gzip-twice',
    '/gzip-cut',
    '/hints',
    '/status/200',
    '/status/204',
    '/status/404',
    '/status/529',
  ])('%s', async (path) => {
    await expectSame(path);
  });

  test('encoded: zstd, which the fetch of older Nodes leaves as it is', async () => {
    expect(await see(router.fetch, '/encoded/zstd')).toMatchObject({ body: TEXT });
  });

  test('an encoded body that is broken fails the read', async () => {
    const seen = await see(router.fetch, '/gzip-broken');
    expect(seen['bodyError']).toMatch(/^TypeError: terminated/);
  });

  test('HEAD has no body', async () => {
    await expectSame('/status/200', () => ({ method: 'HEAD' }));
  });

  test.each([301, 302, 303, 307, 308])('a POST after %i', async (status) => {
    await expectSame(`/redirect/${status}?to=${encodeURIComponent('/echo')}`, () => ({
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json', authorization: 'Bearer key' },
    }));
  });

  test('credentials do not follow to another origin', async () => {
    const seen = await expectSame(
      `/redirect/307?to=${encodeURIComponent(`${other.origin}/echo`)}`,
      () => ({
        method: 'POST',
        body: '{}',
        headers: { authorization: 'Bearer key', cookie: 'a=1', 'x-kept': '1' },
      }),
    );
    expect(seen['body']).not.toContain('Bearer');
    expect(seen['body']).toContain('x-kept');
  });

  test.each(['manual', 'error'] as const)('redirect: %s', async (redirect) => {
    await expectSame(`/redirect/302?to=${encodeURIComponent('/echo')}`, () => ({ redirect }));
  });

  test.each(['/loop', '/nowhere'])('a redirect that leads nowhere: %s', async (path) => {
    const seen = await expectSame(path);
    expect(seen['error']).toMatch(/^TypeError: fetch failed/);
  });
});

describe('failures are those of fetch', () => {
  test('a reset before the headers', async () => {
    const seen = await expectSame('/reset');
    expect(seen['error']).toBe('TypeError: fetch failed (UND_ERR_SOCKET)');
  });

  test('a reset in the body', async () => {
    const seen = await expectSame('/reset-in-body');
    expect(seen['bodyError']).toBe('TypeError: terminated (UND_ERR_SOCKET)');
  });

  test('nobody listens', async () => {
    await expect(router.fetch('http://127.0.0.1:1/')).rejects.toMatchObject({
      name: 'TypeError',
      message: 'fetch failed',
    });
  });

  test.each(['not a url', 'http://', '/relative'])('the URL %j', async (url) => {
    await expect(router.fetch(url)).rejects.toBeInstanceOf(TypeError);
  });

  test('abort before the call, before the headers and in the body rejects with the reason', async () => {
    const reason = new Error('my reason');
    const hang = await startServer((request, response) => {
      if (request.url === '/body') response.write('first');
    });
    await using _ = hang;

    await expect(router.fetch(hang.origin, { signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );

    const before = new AbortController();
    hang.server.once('request', () => {
      before.abort(reason);
    });
    await expect(router.fetch(hang.origin, { signal: before.signal })).rejects.toBe(reason);

    const during = new AbortController();
    const response = await router.fetch(`${hang.origin}/body`, { signal: during.signal });
    const reader = response.body!.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('first');
    const read = reader.read();
    during.abort(reason);
    await expect(read).rejects.toBe(reason);
  });

  test('no error shows what may be a key', async () => {
    const secret = 'sk-SECRET';
    const attempts = [
      router.fetch(server.origin, { headers: { authorization: `Bearer ${secret}\nx` } }),
      router.fetch(server.origin, { headers: [['authorization', `Bearer ${secret}\nx`]] }),
      router.fetch(`http://[/?key=${secret}`),
      router.fetch(`http://user:${secret}@localhost/`),
    ];
    for (const attempt of attempts) {
      const error: unknown = await attempt.catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(TypeError);
      expect(inspect(error, { depth: 5 })).not.toContain(secret);
    }
  });

  test('what is not HTTP goes to the platform and is not counted', async () => {
    const before = router.snapshot().calls;
    expect(await (await router.fetch('data:,probe')).text()).toBe('probe');
    expect(router.snapshot().calls).toEqual(before);
  });
});
