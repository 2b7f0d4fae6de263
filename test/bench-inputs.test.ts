/**
 * The measurements' own inputs: a benchmark whose requests are malformed, whose streams lack events or whose clients read
 * half an answer measures nothing.
 */
import { createParser } from 'eventsource-parser';
import { Agent } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BenchClient, ClientOptions } from '../bench/clients/client.ts';
import { CLIENTS, createClient, NULL_CLIENTS } from '../bench/clients/index.ts';
import { withRouter } from '../bench/clients/with-router.ts';
import { goalsOf } from '../bench/goals.ts';
import {
  ANSWER_TOKENS,
  chatAnswer,
  chatStream,
  messagesAnswer,
  messagesStream,
  STREAM_CHUNKS,
  type HttpStream,
} from '../bench/inputs/answers.ts';
import { benchRequest, REQUEST_SIZES } from '../bench/inputs/requests.ts';
import type { CellResult } from '../bench/measure.ts';
import { NullDispatcher } from '../bench/null-dispatcher.ts';
import { planOf } from '../bench/plan.ts';
import { startBenchServer } from '../bench/server.ts';
import { runSlice } from '../bench/slice.ts';
import { pairedDifference, pairedRatio, spread } from '../bench/statistics.ts';

interface Event {
  readonly name: string | undefined;
  readonly data: string;
}

function eventsOf({ frames }: HttpStream): Event[] {
  const events: Event[] = [];
  const parser = createParser({
    onEvent: ({ event, data }) => events.push({ name: event, data }),
    onError: (error) => {
      throw error;
    },
  });
  for (const frame of frames) parser.feed(Buffer.from(frame).toString());
  return events;
}

describe('requests', () => {
  test.each(REQUEST_SIZES)('%i KB: have their size and are conversations', (size) => {
    const { chat, messages } = benchRequest(size);
    for (const body of [chat, messages]) {
      const text = JSON.stringify(body);
      expect(Math.abs(text.length / 1024 / size - 1)).toBeLessThan(0.35);
      expect(JSON.parse(text)).toEqual(body);
    }
    const roles = chat.messages.map(({ role }) => role);
    expect(roles.slice(0, 2)).toEqual(['system', 'user']);
    for (const [index, role] of roles.slice(1).entries()) {
      expect(role).toBe(index % 2 === 0 ? 'user' : 'assistant');
    }
    expect(roles.at(-1)).toBe('user');
    expect(messages.messages).toEqual(chat.messages.slice(1));
  });

  test('grow as their names say, and are the same every time', () => {
    const lengths = REQUEST_SIZES.map((size) => JSON.stringify(benchRequest(size).chat).length);
    expect(lengths).toEqual(lengths.toSorted((a, b) => a - b));
    expect(benchRequest(50)).toEqual(benchRequest(50));
    expect(benchRequest(50).chat.tools).toHaveLength(12);
  });
});

describe('answers', () => {
  test('whole ones parse and report the same tokens', () => {
    const chat = JSON.parse(Buffer.from(chatAnswer().body).toString());
    expect(chat.usage).toMatchObject({
      prompt_tokens: ANSWER_TOKENS.input,
      completion_tokens: ANSWER_TOKENS.output,
      total_tokens: ANSWER_TOKENS.input + ANSWER_TOKENS.output,
    });
    const { usage } = JSON.parse(Buffer.from(messagesAnswer().body).toString());
    expect(usage.input_tokens + usage.cache_read_input_tokens).toBe(ANSWER_TOKENS.input);
    expect(usage.output_tokens).toBe(ANSWER_TOKENS.output);
  });

  test('a chat stream holds its pieces, one in a frame, and one usage chunk where it is asked for', () => {
    const plain = eventsOf(chatStream(false));
    const asked = eventsOf(chatStream(true));
    expect(plain).toHaveLength(STREAM_CHUNKS + 3);
    expect(asked).toHaveLength(STREAM_CHUNKS + 4);
    for (const events of [plain, asked]) {
      expect(events.at(-1)?.data).toBe('[DONE]');
      const chunks = events.slice(0, -1).map(({ data }) => JSON.parse(data));
      const pieces = chunks.filter(({ choices }) => choices[0]?.delta.content);
      expect(pieces).toHaveLength(STREAM_CHUNKS);
      const reports = chunks.filter(({ usage }) => usage !== null);
      expect(reports).toHaveLength(events === asked ? 1 : 0);
    }
    const usageOnly = JSON.parse(asked.at(-2)!.data);
    expect(usageOnly.choices).toEqual([]);
    // Without that chunk both have the same bytes.
    expect(asked.toSpliced(-2, 1)).toEqual(plain);
  });

  test('a message stream holds its pieces between the events that belong around them', () => {
    const names = eventsOf(messagesStream()).map(({ name, data }) => {
      expect(JSON.parse(data).type).toBe(name);
      return name;
    });
    expect(names.filter((name) => name !== 'content_block_delta')).toEqual([
      'message_start',
      'content_block_start',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
    expect(names).toHaveLength(STREAM_CHUNKS + 5);
  });
});

/** Two calls, of which `createClient` and `runSlice` check what they saw; `close` checks the router's records. */
async function callTwice(client: BenchClient): Promise<number[]> {
  const seen = [await client.call(), await client.call()];
  await client.close();
  return seen;
}

describe('every client sees the whole answer', () => {
  let origin = '';
  let stop = (): void => {};
  beforeAll(async () => {
    const started = await startBenchServer();
    origin = started.origin;
    stop = () => void started.server.close();
  });
  afterAll(() => stop());

  for (const mode of ['json', 'burst', 'paced-1']) {
    test.each(CLIENTS)(`${mode}, over sockets: %s`, async (name) => {
      const options: ClientOptions = {
        base: `${origin}/${mode}`,
        isStream: mode !== 'json',
        size: 2,
        dispatcher: undefined,
      };
      const client = await createClient(name, options);
      expect(client.expected).toBeGreaterThan(0);
      expect(await callTwice(client)).toEqual([client.expected, client.expected]);
    });
  }

  for (const mode of ['json', 'turns']) {
    test.each(NULL_CLIENTS)(`${mode}, without sockets: %s`, async (name) => {
      const client = await createClient(name, {
        base: `http://null/${mode}`,
        isStream: mode !== 'json',
        size: 50,
        dispatcher: new NullDispatcher(),
      });
      expect(await callTwice(client)).toEqual([client.expected, client.expected]);
    });
  }

  test('a body of 500 KB arrives whole', async () => {
    const client = await createClient('undici.request', {
      base: `${origin}/json`,
      isStream: false,
      size: 500,
      dispatcher: new Agent(),
    });
    expect(await callTwice(client)).toEqual([client.expected, client.expected]);
  });
});

describe('the measuring itself', () => {
  const slice = { concurrency: 2, cpuMs: 5, maxMs: 20 };

  test('a slice counts calls and CPU time', async () => {
    const client = { call: () => Promise.resolve(1), expected: 1, close: () => Promise.resolve() };
    const { calls, cpuUsPerCall } = await runSlice(client, slice);
    expect(calls).toBeGreaterThan(1);
    expect(cpuUsPerCall).toBeGreaterThan(0);
  });

  test('a slice fails when a call misses a part of its answer', async () => {
    const client = { call: () => Promise.resolve(1), expected: 2, close: () => Promise.resolve() };
    await expect(runSlice(client, slice)).rejects.toThrow(
      'A call saw 1 of its answer, expected 2.',
    );
  });

  test('a router that has no record of a call fails at its close', async () => {
    const client = { call: () => Promise.resolve(1), expected: 1, close: () => Promise.resolve() };
    const options = { base: 'http://null/json', isStream: false, size: 2 } as const;
    const dispatcher = new NullDispatcher();
    const routed = withRouter({ ...options, dispatcher }, () => client);
    expect(await routed.call()).toBe(1);
    await expect(routed.close()).rejects.toThrow('1 calls gave 0 exact records.');
  });

  test('ratios and differences are taken round by round', () => {
    // The machine was twice as slow in the second round, and the third round is an outlier.
    expect(pairedRatio([10, 20, 90], [20, 40, 45]).median).toBe(0.5);
    expect(pairedDifference([10, 20, 90], [5, 15, 45]).median).toBe(5);
    expect(spread([4, 1, 3, 2, 5])).toEqual({ median: 3, low: 2, high: 4 });
    expect(() => pairedRatio([1], [1, 2])).toThrow('cannot be paired');
  });

  test('goals compare the median with the limit', () => {
    const cell = planOf('full').find(({ group, size }) => group === 'whole' && size === 2)!;
    const cpuUs: CellResult['cpuUs'] = new Map([
      ['openai', [100, 200, 300]],
      ['openai + router', [76, 152, 30]],
      ['undici.request', [30, 30, 30]],
      ['router.fetch', [70, 69, 71]],
    ]);
    const goals = goalsOf([{ cell, cpuUs }]);
    expect(goals.map(({ figure, isMet }) => [figure.median, isMet])).toEqual([
      [0.76, false],
      [40, true],
    ]);
  });

  test('a full run measures every size, whole and streamed, alone and 32 at once', () => {
    const cells = planOf('full');
    for (const size of REQUEST_SIZES) {
      for (const concurrency of [1, 32]) {
        for (const group of ['whole', 'stream']) {
          expect(
            cells.some(
              (cell) =>
                cell.group === group && cell.size === size && cell.concurrency === concurrency,
            ),
          ).toBe(true);
        }
      }
    }
    for (const { unitsPerCall, isStream } of cells) {
      expect(unitsPerCall).toBe(isStream ? STREAM_CHUNKS : 1);
    }
  });
});
