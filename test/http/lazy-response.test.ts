import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ByteQueue } from '../../src/http/byte-queue.ts';
import { LazyHeaders } from '../../src/http/lazy-headers.ts';
import { LazyResponse } from '../../src/http/lazy-response.ts';

const HEADERS = { 'content-type': 'application/json', 'x-one': '1', 'set-cookie': ['a=1', 'b=2'] };

const HEAD = {
  status: 201,
  statusText: 'Created',
  headers: new LazyHeaders(HEADERS),
  url: 'http://host/path',
  redirected: false,
  type: 'basic' as const,
};

function queueOf(...chunks: readonly string[]): ByteQueue {
  const queue = new ByteQueue({ pause() {}, resume() {}, cancel() {} });
  for (const chunk of chunks) queue.push(Buffer.from(chunk));
  queue.end();
  return queue;
}

function lazy(...chunks: readonly string[]): LazyResponse {
  return new LazyResponse(HEAD, chunks.length === 0 ? null : queueOf(...chunks));
}

function real(...chunks: readonly string[]): Response {
  const headers = new Headers({ 'content-type': 'application/json', 'x-one': '1' });
  headers.append('set-cookie', 'a=1');
  headers.append('set-cookie', 'b=2');
  const body = chunks.length === 0 ? null : new Blob([...chunks]).stream();
  return new Response(body, { status: 201, statusText: 'Created', headers });
}

/** What a use of a response shows, or how it fails. */
async function outcome(response: Response, use: (response: Response) => unknown): Promise<unknown> {
  try {
    return { value: await use(response), used: response.bodyUsed };
  } catch (error) {
    return { failed: (error as Error).constructor.name, used: response.bodyUsed };
  }
}

const uses: Record<string, (response: Response) => unknown> = {
  'instanceof, status and the like': (r) => [
    r instanceof Response,
    r.status,
    r.statusText,
    r.ok,
    r.bodyUsed,
    Object.prototype.toString.call(r),
  ],
  text: (r) => r.text(),
  json: (r) => r.json(),
  arrayBuffer: async (r) => [...new Uint8Array(await r.arrayBuffer())],
  bytes: async (r) => [...(await r.bytes())],
  blob: async (r) => {
    const blob = await r.blob();
    return [blob.type, await blob.text()];
  },
  'formData of JSON fails': (r) => r.formData(),
  'the body, chunk by chunk': async (r) => {
    const parts: Uint8Array[] = [];
    for await (const chunk of r.body ?? []) parts.push(chunk);
    return Buffer.concat(parts).toString();
  },
  'chunks are plain Uint8Arrays': async (r) => {
    const names = new Set<string>();
    for await (const chunk of r.body ?? []) names.add(chunk.constructor.name);
    return [...names];
  },
  'a reader': async (r) => {
    const reader = r.body?.getReader();
    return new TextDecoder().decode((await reader?.read())?.value?.slice(0, 1));
  },
  'a reader, read to the end': async (r) => {
    const reader = r.body?.getReader();
    const parts: Uint8Array[] = [];
    for (let read = await reader?.read(); read?.done === false; read = await reader?.read()) {
      parts.push(read.value);
    }
    await reader?.closed;
    return [Buffer.concat(parts).toString(), r.body?.locked];
  },
  'a reader that is released': async (r) => {
    const reader = r.body?.getReader();
    reader?.releaseLock();
    const again = await reader?.read().catch((error: Error) => error.constructor.name);
    const closed = await reader?.closed.catch((error: Error) => error.constructor.name);
    const next = await r.body?.getReader().read();
    return [again, closed, next?.done, r.body?.locked];
  },
  'a reader asked again before it has answered': async (r) => {
    const reader = r.body?.getReader();
    const reads = await Promise.all([reader?.read(), reader?.read(), reader?.read()]);
    return reads.at(-1)?.done;
  },
  'text under way keeps the body to itself': async (r) => {
    const text = r.text();
    const cancelled = await r.body?.cancel().catch((error: Error) => error.constructor.name);
    return [cancelled, await text];
  },
  'a chunk is memory of its own': async (r) => {
    for await (const chunk of r.body ?? []) return chunk.buffer.byteLength === chunk.byteLength;
    return 'none';
  },
  'a reader that cancels': async (r) => {
    const reader = r.body?.getReader();
    await reader?.cancel('enough');
    return [(await reader?.read())?.done, await reader?.closed];
  },
  'two readers': (r) => [r.body?.getReader(), r.body?.getReader()],
  'a byob reader': async (r) => {
    const reader = r.body?.getReader({ mode: 'byob' });
    const read = await reader?.read(new Uint8Array(1));
    return [...(read?.value ?? [])];
  },
  'text twice': async (r) => {
    await r.text();
    return r.text();
  },
  'text of a locked body': (r) => {
    r.body?.getReader();
    return r.text();
  },
  'iteration of a locked body': async (r) => {
    r.body?.getReader();
    for await (const chunk of r.body ?? []) return chunk;
    return 'empty';
  },
  'the body is locked after text': async (r) => {
    const body = r.body;
    await r.text();
    return body?.locked;
  },
  'clone, both read': async (r) => {
    const copy = r.clone();
    return [await r.text(), await copy.text(), copy.status, copy.headers.get('x-one')];
  },
  'clone of a clone': async (r) => [await r.clone().clone().text(), await r.text()],
  'clone after use': async (r) => {
    await r.text();
    // Whether a body that never was counts as used differs between Nodes.
    return r.body === null ? null : r.clone();
  },
  'clone keeps a way to json': async (r) => [await r.clone().json(), await r.json()],
  'cancel, then text': async (r) => {
    await r.body?.cancel();
    return r.text();
  },
  tee: async (r) => {
    if (r.body === null) return null;
    const [one, two] = r.body.tee();
    return [await new Response(one).text(), await new Response(two).text()];
  },
  'a response made of it': async (r) => {
    const copy = new Response(r.body, r);
    return [copy.status, [...copy.headers], await copy.text()];
  },
};

describe.each([
  ['a JSON body', ['{"a":', '"ü"}']],
  ['a body that is no JSON', ['<html>']],
  ['a body with a byte order mark', ['\ufeff{"a":1}']],
  ['an empty body', ['']],
  ['no body', []],
])('%s is read as the platform reads it', (_name, chunks) => {
  test.each(Object.keys(uses))('%s', async (name) => {
    expect(await outcome(lazy(...chunks), uses[name]!)).toEqual(
      await outcome(real(...chunks), uses[name]!),
    );
  });
});

test('url, type and redirected are the transport’s', () => {
  const { url, type, redirected } = lazy('x').clone();
  expect({ url, type, redirected }).toEqual({
    url: 'http://host/path',
    type: 'basic',
    redirected: false,
  });
});

test('a read under way ends with the lock; its chunk goes to the next reader', async () => {
  const queue = new ByteQueue({ pause() {}, resume() {}, cancel() {} });
  const body = new LazyResponse(HEAD, queue).body;
  const reader = body!.getReader();
  const read = reader.read();
  reader.releaseLock();
  await expect(read).rejects.toBeInstanceOf(TypeError);
  queue.push(Buffer.from('late'));
  expect(Buffer.from((await body!.getReader().read()).value ?? []).toString()).toBe('late');
});

test('a body read twice says what to do', async () => {
  const response = lazy('x');
  await response.text();
  await expect(response.text()).rejects.toMatchObject({ cause: { code: 'ERR_BODY' } });
});

test('inspect shows what the platform shows', () => {
  expect(inspect(lazy('x'))).toContain("status: 201,\n  statusText: 'Created'");
});

describe('LazyHeaders equal the platform’s', () => {
  const mine = new LazyHeaders(HEADERS);
  const theirs = real().headers;

  test('reading', () => {
    expect(mine instanceof Headers).toBe(true);
    for (const name of ['content-type', 'Content-Type', 'set-cookie', 'missing']) {
      expect(mine.get(name)).toBe(theirs.get(name));
      expect(mine.has(name)).toBe(theirs.has(name));
    }
    expect(mine.getSetCookie()).toEqual(theirs.getSetCookie());
  });

  test('iterating and copying', () => {
    expect([...mine]).toEqual([...theirs]);
    expect([...mine.keys()]).toEqual([...theirs.keys()]);
    expect([...mine.values()]).toEqual([...theirs.values()]);
    expect([...new Headers(mine)]).toEqual([...theirs]);
    const seen: string[] = [];
    // oxlint-disable-next-line unicorn/no-array-for-each -- the method under test
    mine.forEach((value, key) => seen.push(`${key}=${value}`));
    expect(seen).toEqual([...theirs].map(([key, value]) => `${key}=${value}`));
  });

  test('writing is refused, as with the headers of a fetch response', () => {
    expect(() => mine.set()).toThrow(TypeError);
    expect(() => mine.append()).toThrow(/immutable/);
    expect(() => mine.delete()).toThrow(/new Headers/);
  });
});
