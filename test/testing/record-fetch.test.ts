import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import {
  createVirtualClock,
  fixtureBytes,
  fixtureFormat,
  fixtureSchema,
  readFixtures,
  recordFetch,
  replayFetch,
} from '../../src/testing/index.ts';
import type { Fixture, RecordOptions } from '../../src/testing/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'tokenrouter-record-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const CHAT = 'https://api.test/v1/chat/completions';
type Fetch = NonNullable<RecordOptions['fetch']>;

/** Lets everything that waits for promises only run. */
const settle = (): Promise<void> => createVirtualClock().advance(0);

function answering(chunks: readonly Uint8Array[], init: ResponseInit = {}): Fetch {
  return () => {
    const left = [...chunks];
    const body = new ReadableStream({
      pull(controller) {
        const chunk = left.shift();
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      },
    });
    return Promise.resolve(new Response(body, init));
  };
}

/** Records calls through `fetch` and gives the fixtures so far. */
function recorder(
  fetch: Fetch,
  options: Partial<RecordOptions> = {},
): { record: Fetch; fixtures: Fixture[] } {
  const fixtures: Fixture[] = [];
  const record = recordFetch({ fetch, onFixture: (fixture) => fixtures.push(fixture), ...options });
  return { record, fixtures };
}

async function chunksOf(response: Response): Promise<string[]> {
  const chunks: string[] = [];
  for await (const chunk of response.body ?? []) chunks.push(Buffer.from(chunk).toString('hex'));
  return chunks;
}

describe('what passes', () => {
  test('record, write, read and replay give the same bytes in the same chunks', async () => {
    const chunk = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 30 }),
      fc.constant(new TextEncoder().encode('\ufeffmarked')),
      fc.string({ minLength: 1, unit: 'grapheme' }).map((text) => new TextEncoder().encode(text)),
    );
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(chunk), fc.jsonValue(), async (chunks, body) => {
        const path = join(folder, 'round', `${run++}.jsonl`);
        const record = recordFetch({ fetch: answering(chunks), path });
        const init = { method: 'POST', body: JSON.stringify(body) };
        const live = await chunksOf(await record(CHAT, init));
        await settle();
        const replayed = await chunksOf(await replayFetch(path)(CHAT, init));
        expect(live).toEqual(chunks.map((bytes) => Buffer.from(bytes).toString('hex')));
        expect(replayed).toEqual(live);
      }),
      { numRuns: 60 },
    );
  });

  test('a real server: status, headers, url and body reach the caller and the file', async () => {
    const server = createServer((request, response) => {
      response.writeHead(201, 'Made', { 'content-type': 'text/plain', 'x-request-id': 'r1' });
      request.pipe(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/echo?a=1`;
    const path = join(folder, 'real.jsonl');
    const response = await recordFetch({ path })(url, { method: 'POST', body: 'Grüße' });
    expect([response.status, response.statusText, response.url]).toEqual([201, 'Made', url]);
    expect(await response.text()).toBe('Grüße');
    await settle();
    server.close();
    const [fixture] = readFixtures(path);
    expect(fixture).toMatchObject({
      format: fixtureFormat,
      request: {
        method: 'POST',
        url,
        body: 'Grüße',
        headers: { 'content-type': 'text/plain;charset=UTF-8' },
      },
      response: { status: 201, headers: { 'x-request-id': 'r1' }, body: 'Grüße', chunks: [7] },
    });
    for (const name of ['content-length', 'transfer-encoding', 'connection', 'keep-alive']) {
      expect(fixture?.response?.headers).not.toHaveProperty(name);
    }
  });

  test('a chunk is passed on at once, and none is asked for ahead of the reader', async () => {
    let pulled = 0;
    const source: Fetch = () =>
      Promise.resolve(
        new Response(
          new ReadableStream(
            {
              pull(controller) {
                pulled++;
                controller.enqueue(new Uint8Array([pulled]));
              },
            },
            { highWaterMark: 0 },
          ),
        ),
      );
    const reader = (await recorder(source).record(CHAT)).body!.getReader();
    await settle();
    expect(pulled).toBe(0);
    expect([...(await reader.read()).value!]).toEqual([1]);
    await settle();
    expect(pulled).toBe(1);
    expect([...(await reader.read()).value!]).toEqual([2]);
    await reader.cancel();
  });

  test('times are those of the clock, and replay keeps them', async () => {
    const clock = createVirtualClock();
    const wait = (ms: number): Promise<void> =>
      new Promise((resolve) => clock.setTimeout(resolve, ms));
    const slow: Fetch = async () => {
      await wait(40);
      async function* body(): AsyncGenerator<Uint8Array> {
        for (const ms of [17, 61, 182]) {
          await wait(ms);
          yield new Uint8Array([ms]);
        }
      }
      return new Response(ReadableStream.from(body()));
    };
    const { record, fixtures } = recorder(slow, { clock });
    const done = record(CHAT).then(chunksOf);
    await clock.advance(1000);
    await done;
    expect(fixtures[0]?.response).toMatchObject({
      headersMs: 40,
      timesMs: [57, 118, 300],
      chunks: [1, 1, 1],
    });
    const again = recorder(replayFetch(fixtures, { timing: 'recorded', clock }), { clock });
    const replayed = again.record(CHAT).then(chunksOf);
    await clock.advance(1000);
    await replayed;
    expect(again.fixtures).toEqual(fixtures);
  });

  test('every way of calling fetch is recorded, and sent as it was', async () => {
    const texts: string[] = [];
    const source: Fetch = async (input, init) => {
      texts.push(await new Request(input, { ...init, duplex: 'half' }).text());
      return new Response('ok');
    };
    const { record, fixtures } = recorder(source);
    async function* parts(): AsyncGenerator<Uint8Array> {
      yield new TextEncoder().encode('{"a"');
      yield new TextEncoder().encode(':1}');
    }
    const text = '{"a":1}';
    const calls: Array<Parameters<Fetch>> = [
      [new URL(CHAT), { method: 'POST', body: text }],
      [new Request(CHAT, { method: 'POST', body: text })],
      [CHAT, { method: 'POST', body: Buffer.from(text) }],
      [CHAT, { method: 'POST', body: new Blob([text]).stream(), duplex: 'half' }],
      [CHAT, { method: 'POST', body: ReadableStream.from(parts()), duplex: 'half' }],
      [new Request(CHAT, { method: 'POST', body: '{}' }), { body: text }],
    ];
    for (const call of calls) await (await record(...call)).text();
    await settle();
    const expected = calls.map(() => text);
    expect(texts).toEqual(expected);
    expect(fixtures.map(({ request }) => request?.body)).toEqual(expected);
    expect(await (await recorder(fetch).record('data:,hello')).text()).toBe('hello');
  });

  test('an answer without a body is recorded', async () => {
    const { record, fixtures } = recorder(() =>
      Promise.resolve(new Response(null, { status: 204 })),
    );
    expect((await record(CHAT)).body).toBeNull();
    await settle();
    expect(fixtures[0]?.response).toMatchObject({ status: 204, body: '' });
    expect((await replayFetch(fixtures)(CHAT)).status).toBe(204);
  });
});

describe('exchanges that fail', () => {
  const broken = (): TypeError =>
    new TypeError('fetch failed', {
      cause: Object.assign(new Error('private host'), { code: 'ENOTFOUND' }),
    });

  async function replayError(
    fixtures: Fixture[],
    read: (response: Response) => Promise<unknown>,
  ): Promise<unknown> {
    try {
      return await read(await replayFetch(fixtures)(CHAT));
    } catch (error) {
      return error;
    }
  }

  test('before the headers', async () => {
    const { record, fixtures } = recorder(() => Promise.reject(broken()));
    await expect(record(CHAT)).rejects.toThrow('fetch failed');
    await settle();
    expect(fixtures[0]).toMatchObject({
      response: null,
      fault: { kind: 'reset', code: 'ENOTFOUND' },
    });
    expect(JSON.stringify(fixtures)).not.toContain('private');
    expect(fixtureSchema.safeParse(fixtures[0]).success).toBe(true);
    const error = await replayError(fixtures, (response) => response.text());
    expect(error).toMatchObject({ message: 'fetch failed', cause: { code: 'ENOTFOUND' } });
  });

  test('in the body', async () => {
    const body = new ReadableStream({
      start: (controller) => {
        controller.enqueue(new TextEncoder().encode('half'));
      },
      pull: (controller) => {
        controller.error(broken());
      },
    });
    const { record, fixtures } = recorder(() => Promise.resolve(new Response(body)));
    const response = await record(CHAT);
    await expect(response.text()).rejects.toThrow('fetch failed');
    await settle();
    expect(fixtures[0]).toMatchObject({
      response: { body: 'half', chunks: [4] },
      fault: { kind: 'reset', code: 'ENOTFOUND', afterBytes: 4 },
    });
    expect(await replayError(fixtures, (each) => each.text())).toMatchObject({
      message: 'terminated',
    });
  });

  test('by a cancel and by the signal, in the body and before', async () => {
    const chunks = ['one', 'two'].map((text) => new TextEncoder().encode(text));
    const { record, fixtures } = recorder(answering(chunks));
    const reader = (await record(CHAT)).body!.getReader();
    await reader.read();
    await reader.cancel();
    await settle();
    expect(fixtures[0]).toMatchObject({
      response: { body: 'one' },
      fault: { kind: 'aborted', afterBytes: 3 },
    });

    const controller = new AbortController();
    const stalled = recorder(replayFetch(fixtures));
    const response = await stalled.record(CHAT, { signal: controller.signal });
    const text = expect(response.text()).rejects.toMatchObject({ name: 'AbortError' });
    await settle();
    controller.abort();
    await text;
    await expect(stalled.record(CHAT, { signal: controller.signal })).rejects.toMatchObject({
      name: 'AbortError',
    });
    await settle();
    expect(stalled.fixtures[0]).toMatchObject({
      response: { body: 'one' },
      fault: { kind: 'aborted', afterBytes: 3 },
    });
    expect(stalled.fixtures[1]).toMatchObject({ response: null, fault: { kind: 'aborted' } });
  });
});

describe('what cannot be recorded is a warning, and the call goes on', () => {
  async function warningsOf(run: () => Promise<void>): Promise<string[]> {
    const warnings: string[] = [];
    const listen = (warning: Error): void => void warnings.push(warning.message);
    process.on('warning', listen);
    await run();
    await settle();
    process.off('warning', listen);
    return warnings;
  }

  test('a body beyond the bound', async () => {
    const { record, fixtures } = recorder(answering([new Uint8Array(6), new Uint8Array(6)]), {
      maxBodyBytes: 10,
    });
    const warnings = await warningsOf(async () => {
      expect((await (await record(CHAT)).arrayBuffer()).byteLength).toBe(12);
    });
    expect(warnings).toEqual([
      'an exchange was not recorded: a body has 12 bytes, and maxBodyBytes is 10',
    ]);
    expect(fixtures).toEqual([]);
  });

  test('a redactor that throws: nothing is written, and its message is not shown', async () => {
    const path = join(folder, 'never.jsonl');
    const redact = [
      (): string => {
        throw new RangeError('private words');
      },
    ];
    const record = recordFetch({ fetch: answering([new Uint8Array([65])]), path, redact });
    const warnings = await warningsOf(async () => {
      expect(await (await record(CHAT)).text()).toBe('A');
    });
    expect(warnings).toEqual(['an exchange was not recorded: RangeError']);
    expect(existsSync(path)).toBe(false);
  });

  test('a file that cannot be written', async () => {
    const record = recordFetch({ fetch: answering([new Uint8Array([65])]), path: folder });
    const warnings = await warningsOf(async () => {
      expect(await (await record(CHAT)).text()).toBe('A');
    });
    expect(warnings).toEqual(['an exchange was not recorded: Error']);
  });

  test('somewhere to record to is needed', () => {
    expect(() => recordFetch({})).toThrow(/expected path or onFixture/);
  });
});

test('exchanges are appended to the file, one line each, equal ones with equal ids', async () => {
  const path = join(folder, 'deep', 'er', 'many.jsonl');
  const record = recordFetch({ fetch: answering([new Uint8Array([65, 10])]), path });
  for (const body of ['a', 'b', 'a']) {
    await (await record(CHAT, { method: 'POST', body })).text();
    await settle();
  }
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  expect(lines).toHaveLength(3);
  const [one, other, same] = readFixtures(path);
  expect([one?.id, one?.id === other?.id]).toEqual([same?.id, false]);
  expect(Buffer.from(fixtureBytes(one!.response!)).toString()).toBe('A\n');
});
