import { execFileSync } from 'node:child_process';
import { getEventListeners } from 'node:events';
import { gzipSync } from 'node:zlib';
import Anthropic from '@anthropic-ai/sdk';
import * as fc from 'fast-check';
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import {
  createVirtualClock,
  fixtureBytes,
  fixtureResponse,
  FixtureMissError,
  readFixtures,
  replayFetch,
} from '../../src/testing/index.ts';
import type { Chunks, Fault, Fixture, FixtureResponse } from '../../src/testing/index.ts';

const URL_OF_CHAT = 'https://api.test/v1/chat/completions';
const recordings = readFixtures(new URL('../fixtures/interactions', import.meta.url));

function fixture(body: unknown, answer: string, response: Partial<FixtureResponse> = {}): Fixture {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return {
    id: answer.slice(0, 8),
    request: { method: 'POST', url: URL_OF_CHAT, headers: {}, body: text },
    response: { status: 200, headers: {}, body: answer, ...response },
  };
}
const post = (body: unknown, init: RequestInit = {}): RequestInit => ({
  method: 'POST',
  body: typeof body === 'string' ? body : JSON.stringify(body),
  ...init,
});
async function chunksOf(response: Response): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body ?? []) chunks.push(chunk);
  return chunks;
}
async function missOf(call: Promise<unknown>): Promise<string> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(FixtureMissError);
  return (error as Error).message;
}

describe('bodies', () => {
  const ways: fc.Arbitrary<Chunks> = fc.oneof(
    fc.constantFrom<Chunks>('recorded', 'whole', 'event'),
    fc.integer({ min: 1, max: 300 }),
    fc.array(fc.integer({ min: 0, max: 50 })).map(
      (lengths): Chunks =>
        () =>
          lengths,
    ),
    fc.constant<Chunks>((bytes, random) => Array.from(bytes, () => Math.floor(random() * 9))),
  );

  test('any cutting gives the same bytes, and no empty chunk', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 400 }),
        fc.array(fc.nat(60)),
        ways,
        async (bytes, recorded, chunks) => {
          const one = fixture({}, Buffer.from(bytes).toString('base64'), {
            body_encoding: 'base64',
            chunks: recorded,
          });
          const received = await chunksOf(await fixtureResponse(one, { chunks }));
          expect(Buffer.concat(received).equals(bytes)).toBe(true);
          expect(received.every((chunk) => chunk.length > 0)).toBe(true);
        },
      ),
    );
  });

  test('recorded streams keep their bytes under any cutting', async () => {
    const streams = recordings.filter(
      ({ stream, response }) => stream === true && response !== null,
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...streams), ways, async (recording, chunks) => {
        const received = await chunksOf(await fixtureResponse(recording, { chunks }));
        expect(Buffer.concat(received).equals(fixtureBytes(recording.response!))).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  test('chunks come as recorded, as events, or by size', async () => {
    const body = 'data: 1\n\n: note\r\n\r\ndata: 2\r\rdata: 3\n\r\ndata: 4';
    const lengths = async (chunks: Chunks, recorded?: number[]): Promise<number[]> => {
      const response = await fixtureResponse(fixture({}, body, { chunks: recorded }), { chunks });
      return (await chunksOf(response)).map(({ length }) => length);
    };
    expect(await lengths('recorded', [3, 0, 5, 37])).toEqual([3, 5, body.length - 8]);
    expect(await lengths('recorded')).toEqual([body.length]);
    expect(await lengths('whole', [3, 5])).toEqual([body.length]);
    expect(await lengths('event', [3, 5])).toEqual([9, 10, 9, 10, 7]);
    expect(await lengths(20)).toEqual([20, 20, 5]);
    expect(await lengths(() => [1, 2])).toEqual([1, 2, body.length - 3]);
    await expect(lengths(0)).rejects.toThrow(RangeError);
  });

  test('nothing is made ahead of the reader', async () => {
    const clock = createVirtualClock();
    const slow = fixture({}, 'abcd', { chunks: [1, 1, 1, 1], timesMs: [10, 20, 30, 40] });
    const response = await fixtureResponse(slow, { timing: 'recorded', clock });
    await clock.advance(5);
    expect(clock.pending).toBe(0);
    const reader = response.body!.getReader();
    const first = reader.read();
    await clock.advance(0);
    expect(clock.pending).toBe(1);
    await clock.advance(5);
    expect((await first).value).toEqual(new TextEncoder().encode('a'));
    expect(clock.pending).toBe(0);
  });

  test.each([204, 205, 304])('status %i has no body', async (status) => {
    const response = await fixtureResponse(fixture({}, '', { status }));
    expect([response.status, response.body]).toEqual([status, null]);
  });

  test('a HEAD request has no body', async () => {
    const head: Fixture = {
      ...fixture({}, 'never'),
      request: { method: 'HEAD', url: URL_OF_CHAT, headers: {}, body: null },
    };
    expect((await replayFetch([head])(URL_OF_CHAT, { method: 'HEAD' })).body).toBeNull();
  });

  test('a body that is still compressed is decompressed as fetch does it; another is passed as it is', async () => {
    const packed = gzipSync('plain text').toString('base64');
    const response = { headers: { 'content-encoding': 'gzip' }, body_encoding: 'base64' } as const;
    const decoded = await fixtureResponse(fixture({}, packed, { ...response, encoded: true }));
    expect([await decoded.text(), decoded.headers.get('content-encoding')]).toEqual([
      'plain text',
      'gzip',
    ]);
    const kept = await fixtureResponse(fixture({}, packed, response));
    expect(Buffer.from(await kept.arrayBuffer()).toString('base64')).toBe(packed);
    const odd = fixture({}, 'x', { headers: { 'content-encoding': 'odd' }, encoded: true });
    await expect(fixtureResponse(odd)).rejects.toThrow(/expected an encoding of gzip/);
  });

  test('byte readers work, also at the end of the body', async () => {
    const response = await fixtureResponse(fixture({}, 'abc'));
    const reader = response.body!.getReader({ mode: 'byob' });
    const read = await reader.read(new Uint8Array(8));
    expect(Buffer.from(read.value!).toString()).toBe('abc');
    expect((await reader.read(new Uint8Array(8))).done).toBe(true);
  });
});

describe('matching', () => {
  test('key order, white space and the spelling of numbers do not matter; meaning does', async () => {
    const replay = replayFetch([
      fixture('{"model":"m","n":9007199254740993}', 'exact'),
      fixture('{"model":"m","n":1}', 'small'),
    ]);
    const answer = async (body: string): Promise<string> =>
      (await replay(URL_OF_CHAT, post(body))).text();
    expect(await answer('{ "n": 1.0, "model": "m" }')).toBe('small');
    expect(await answer('{"n":9007199254740993,"model":"m"}')).toBe('exact');
    await expect(answer('{"n":9007199254740992,"model":"m"}')).rejects.toThrow(/differs in n\./);
    await expect(answer('{"n":1,"n":1,"model":"m"}')).rejects.toThrow(/differs in n\./);
  });

  test('what a router adds does not matter, and an equal recording comes first', async () => {
    const body = { model: 'm', stream: true };
    const asked = { ...body, stream_options: { include_usage: true } };
    const one = replayFetch([fixture(body, 'plain')]);
    expect(await (await one(URL_OF_CHAT, post(asked))).text()).toBe('plain');
    const both = replayFetch([fixture(body, 'plain'), fixture(asked, 'asked')]);
    expect(await (await both(URL_OF_CHAT, post(asked))).text()).toBe('asked');
    expect(await (await both(URL_OF_CHAT, post(body))).text()).toBe('plain');
    const strict = replayFetch([fixture(body, 'plain')], { ignore: [] });
    expect(await missOf(strict(URL_OF_CHAT, post(asked)))).toContain(
      'stream_options.include_usage',
    );
    const custom = replayFetch([fixture({ m: [{ id: 1, x: 2 }] }, 'ok')], { ignore: ['m.*.id'] });
    expect((await custom(URL_OF_CHAT, post({ m: [{ id: 5, x: 2 }] }))).status).toBe(200);
  });

  test('the query counts in any order, without its keys', async () => {
    const recorded = fixture({}, 'ok');
    recorded.request!.url = `${URL_OF_CHAT}?alt=sse&key=REDACTED&v=1`;
    const replay = replayFetch([recorded]);
    expect((await replay(`${URL_OF_CHAT}?v=1&key=live-key-123&alt=sse`, post({}))).status).toBe(
      200,
    );
    expect(await missOf(replay(`${URL_OF_CHAT}?v=2&alt=sse`, post({})))).toMatch(
      /differs in the query\./,
    );
  });

  test('the host counts unless it is ignored', async () => {
    const elsewhere = URL_OF_CHAT.replace('api.test', 'other.test');
    const replay = replayFetch([fixture({}, 'ok')]);
    expect(await missOf(replay(elsewhere, post({})))).toMatch(/the host \(see ignoreHost\)/);
    const anywhere = replayFetch([fixture({}, 'ok')], { ignoreHost: true });
    expect((await anywhere(elsewhere, post({}))).url).toBe(elsewhere);
  });

  test('recordings of the same request come in order, then the last again or an error', async () => {
    const two = [
      fixture({ a: 1 }, 'first'),
      fixture({ b: 1 }, 'other'),
      fixture({ a: 1 }, 'second'),
    ];
    const again = replayFetch(two);
    const once = replayFetch(two, { repeat: 'error' });
    const answers: string[] = [];
    for (let i = 0; i < 3; i++)
      answers.push(await (await again(URL_OF_CHAT, post({ a: 1 }))).text());
    expect(answers).toEqual(['first', 'second', 'second']);
    expect(again.unused.map(({ id }) => id)).toEqual(['other']);
    await once(URL_OF_CHAT, post({ a: 1 }));
    await once(URL_OF_CHAT, post({ a: 1 }));
    expect(await missOf(once(URL_OF_CHAT, post({ a: 1 })))).toMatch(/recorded 2 times/);
  });

  test('multipart bodies match whatever their boundary is', async () => {
    const form = (): FormData => {
      const data = new FormData();
      data.set('model', 'whisper');
      data.set('file', new Blob([new Uint8Array([0, 255, 128])]), 'a.wav');
      return data;
    };
    const recorded = new Request(URL_OF_CHAT, { method: 'POST', body: form() });
    const audio = fixture('', 'text');
    audio.request = {
      method: 'POST',
      url: URL_OF_CHAT,
      headers: Object.fromEntries(recorded.headers),
      body: Buffer.from(await recorded.arrayBuffer()).toString('base64'),
      body_encoding: 'base64',
    };
    const replay = replayFetch([audio]);
    expect(await (await replay(URL_OF_CHAT, { method: 'POST', body: form() })).text()).toBe('text');
    const changed = form();
    changed.set('model', 'other');
    expect(await missOf(replay(URL_OF_CHAT, { method: 'POST', body: changed }))).toMatch(
      /not JSON in both/,
    );
  });

  test('a miss counts the fixtures of the path and names members, never what they hold', async () => {
    const secret = 'sk-0123456789abcdef';
    const replay = replayFetch([
      fixture({ model: 'm', messages: [{ content: 'private recorded' }], temperature: 0 }, 'a'),
      fixture({ model: 'n' }, 'b'),
    ]);
    const body = {
      model: 'm',
      messages: [{ content: 'private asked' }],
      [secret]: 1,
      'private name': 1,
      temperature: 0,
    };
    const message = await missOf(replay(`${URL_OF_CHAT}?key=${secret}`, post(body)));
    expect(message).toBe(
      'no fixture for POST /v1/chat/completions: 2 of its method and path, the nearest differs in messages.0, ' +
        'REDACTED, (a name withheld). Record it, or list body members to ignore in "ignore"',
    );
    expect(await missOf(replay(`https://api.test/v1/${secret}`, post(body)))).toBe(
      'no fixture for POST /v1/REDACTED: none of 2 fixtures has this method and path',
    );
    expect(replay.calls.map((call) => call.fixture)).toEqual([undefined, undefined]);
  });

  test('every way of calling fetch is understood', async () => {
    const replay = replayFetch([fixture({ a: 1 }, 'ok')]);
    const text = '{"a":1}';
    const stream = new Blob([text]).stream();
    await replay(new URL(URL_OF_CHAT), post(text));
    await replay(new Request(URL_OF_CHAT, post(text)));
    await replay(new Request(URL_OF_CHAT, post('{}')), { body: Buffer.from(text) });
    await replay(URL_OF_CHAT, { method: 'post', body: stream, duplex: 'half' });
    expect(replay.calls.map(({ method, url, body }) => [method, url, body])).toEqual(
      Array.from({ length: 4 }, () => ['POST', URL_OF_CHAT, text]),
    );
    expect((await replay('data:,hello')).url).toBe('data:,hello');
    expect(replay.calls).toHaveLength(4);
    await expect(replay('/relative')).rejects.toThrow(TypeError);
  });
});

describe('time', () => {
  const timed = fixture({}, 'abcdef', {
    chunks: [2, 2, 2],
    timesMs: [57, 118, 300],
    headersMs: 40,
  });

  async function arrivals(options: { speed?: number; chunks?: Chunks }): Promise<number[]> {
    const clock = createVirtualClock();
    const seen: number[] = [];
    const run = async (): Promise<void> => {
      const response = await fixtureResponse(timed, { timing: 'recorded', clock, ...options });
      seen.push(clock.now());
      for await (const _chunk of response.body ?? []) seen.push(clock.now());
    };
    const done = run();
    await clock.advance(1000);
    await done;
    return seen;
  }

  test('headers and chunks come when they came, faster with speed, and with the last byte of other cuts', async () => {
    expect(await arrivals({})).toEqual([40, 57, 118, 300]);
    expect(await arrivals({ speed: 2 })).toEqual([20, 28.5, 59, 150]);
    expect(await arrivals({ chunks: 3 })).toEqual([40, 118, 300]);
  });

  test('a speed of nothing is refused', async () => {
    await expect(fixtureResponse(timed, { speed: 0 })).rejects.toThrow(RangeError);
  });

  test('in real time a pending answer keeps the process alive, as a socket does', () => {
    const code = `
      import { fixtureResponse } from ${JSON.stringify(new URL('../../src/testing/index.ts', import.meta.url).href)};
      const response = await fixtureResponse(${JSON.stringify(timed)}, { timing: 'recorded', speed: 20 });
      console.log(await response.text());
    `;
    const output = execFileSync(process.execPath, ['--input-type=module', '--eval', code], {
      encoding: 'utf8',
    });
    expect(output).toBe('abcdef\n');
  });
});

describe('abort', () => {
  const timed = fixture({}, 'abcd', { chunks: [2, 2], timesMs: [20, 30], headersMs: 10 });
  const start = (
    init: RequestInit = {},
  ): { clock: ReturnType<typeof createVirtualClock>; call: Promise<Response> } => {
    const clock = createVirtualClock();
    return {
      clock,
      call: replayFetch([timed], { timing: 'recorded', clock })(URL_OF_CHAT, post({}, init)),
    };
  };

  test('before the call and before the headers', async () => {
    const reason = new Error('mine');
    await expect(start({ signal: AbortSignal.abort(reason) }).call).rejects.toBe(reason);
    const controller = new AbortController();
    const { clock, call } = start({ signal: controller.signal });
    const outcome = expect(call).rejects.toMatchObject({ name: 'AbortError' });
    await clock.advance(5);
    controller.abort();
    await outcome;
    expect(clock.pending).toBe(0);
  });

  test.each(['init', 'Request'])('in the body, by the signal of %s', async (place) => {
    const reason = new Error('mine');
    const controller = new AbortController();
    const { signal } = controller;
    const clock = createVirtualClock();
    const replay = replayFetch([timed], { timing: 'recorded', clock });
    const call =
      place === 'init'
        ? replay(URL_OF_CHAT, post({}, { signal }))
        : replay(new Request(URL_OF_CHAT, post({}, { signal })));
    await clock.advance(10);
    const reader = (await call).body!.getReader();
    const first = reader.read();
    await clock.advance(10);
    expect((await first).value).toHaveLength(2);
    const second = expect(reader.read()).rejects.toBe(reason);
    await clock.advance(5);
    expect(clock.pending).toBe(1);
    controller.abort(reason);
    await second;
    expect(clock.pending).toBe(0);
  });

  test('after the end, and after a cancel, it changes nothing', async () => {
    const controller = new AbortController();
    const replay = replayFetch([timed]);
    const response = await replay(URL_OF_CHAT, post({}, { signal: controller.signal }));
    expect(await response.text()).toBe('abcd');
    const cancelled = await replay(URL_OF_CHAT, post({}, { signal: controller.signal }));
    await cancelled.body?.cancel();
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    controller.abort();
    await expect(cancelled.body!.getReader().closed).resolves.toBeUndefined();
  });
});

describe('faults', () => {
  const abc = fixture({}, 'abcdef', { chunks: [2, 2, 2] });

  async function read(
    fault: Fault,
    signal?: AbortSignal,
  ): Promise<{ text: string; error: unknown }> {
    let text = '';
    try {
      const response = await fixtureResponse(abc, { fault, signal });
      for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString();
      return { text, error: undefined };
    } catch (error) {
      return { text, error };
    }
  }

  test('reset breaks the body with the error of fetch', async () => {
    const { text, error } = await read({ kind: 'reset', afterBytes: 3 });
    expect(text).toBe('abc');
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({ message: 'terminated', cause: { code: 'ECONNRESET' } });
    const other = await read({ kind: 'reset', afterBytes: 0, code: 'UND_ERR_SOCKET' });
    expect(other).toMatchObject({ text: '', error: { cause: { code: 'UND_ERR_SOCKET' } } });
    expect((await read({ kind: 'reset', afterBytes: 99 })).text).toBe('abcdef');
  });

  test('reset before the headers fails the call', async () => {
    const { error } = await read({ kind: 'reset' });
    expect(error).toMatchObject({ message: 'fetch failed', cause: { code: 'ECONNRESET' } });
  });

  test('close ends the body as if it were whole', async () => {
    expect(await read({ kind: 'close', afterBytes: 4 })).toEqual({
      text: 'abcd',
      error: undefined,
    });
  });

  test.each([undefined, 3])(
    'stall after %s bytes lasts until the caller gives up',
    async (afterBytes) => {
      const controller = new AbortController();
      const outcome = read({ kind: 'stall', afterBytes }, controller.signal);
      const settled = await Promise.race([outcome, createVirtualClock().advance(0)]);
      expect(settled).toBeUndefined();
      controller.abort(new Error('gave up'));
      const { text, error } = await outcome;
      expect([text, (error as Error).message]).toEqual([
        'abc'.slice(0, afterBytes ?? 0),
        'gave up',
      ]);
    },
  );

  test('the option decides per answer, before the fixture', async () => {
    const cut: Fixture = { ...abc, fault: { kind: 'close', afterBytes: 1 } };
    expect(await (await fixtureResponse(cut)).text()).toBe('a');
    const replay = replayFetch([fixture({ n: 1 }, 'one'), fixture({ n: 2 }, 'two')], {
      fault: ({ id }) => (id === 'two' ? { kind: 'close', afterBytes: 1 } : undefined),
    });
    const texts = [1, 2].map(async (n) => (await replay(URL_OF_CHAT, post({ n }))).text());
    expect(await Promise.all(texts)).toEqual(['one', 't']);
  });
});

describe('SDKs', () => {
  const named = (id: string): Fixture => {
    const found = recordings.find((recording) => recording.id === id);
    if (found?.request == null) throw new Error(`${id} is no recording with a request`);
    return found;
  };
  const bodyOf = <T>(recording: Fixture): T => JSON.parse(recording.request?.body ?? '') as T;

  test('the OpenAI client reads a streamed conversation, cut in odd places', async () => {
    const turns = [
      '4f217b4919049a67',
      'd24c1e8fd5da981e',
      '74e4d71b3525e294',
      '7fdd813cec52c100',
    ].map(named);
    const replay = replayFetch(turns, { chunks: 11, ignoreHost: true, repeat: 'error' });
    const client = new OpenAI({
      apiKey: 'none',
      baseURL: turns[0]!.request!.url.replace('/chat/completions', ''),
      fetch: replay,
      maxRetries: 0,
    });
    for (const turn of turns) {
      const stream = client.chat.completions.stream(
        bodyOf<OpenAI.ChatCompletionCreateParamsStreaming>(turn),
      );
      expect((await stream.finalMessage()).role).toBe('assistant');
    }
    expect(replay.unused).toEqual([]);
  });

  test('the Anthropic client reads tool calls', async () => {
    const turns = ['4b9cdf8f9f1a14f8', '71a9cb1e64439c5f'].map(named);
    const client = new Anthropic({
      apiKey: 'none',
      fetch: replayFetch(turns, { chunks: 7 }),
      maxRetries: 0,
    });
    const stops: Array<string | null> = [];
    for (const turn of turns) {
      const path = new URL(turn.request!.url);
      const stream = client.messages.stream(bodyOf<Anthropic.MessageStreamParams>(turn), {
        path: `${path.pathname}${path.search}`,
      });
      stops.push((await stream.finalMessage()).stop_reason);
    }
    expect(stops).toEqual(['tool_use', 'end_turn']);
  });
});
