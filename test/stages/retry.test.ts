import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import type { Dispatcher } from 'undici';
import { Agent } from 'undici';
import { describe, expect, test } from 'vitest';
import { builtInAdapters } from '../../adapters/index.ts';
import type { Call } from '../../src/call.ts';
import { createUrlLookup } from '../../src/endpoints.ts';
import { createEntrance } from '../../src/entrance.ts';
import { refuse } from '../../src/http/refusal.ts';
import type { Permit, VerdictKind } from '../../src/limits/types.ts';
import { compose } from '../../src/pipeline.ts';
import { createPriceBook } from '../../src/pricing/price-book.ts';
import { retrySettings, type RetryOptions } from '../../src/retry/settings.ts';
import { createAlarm } from '../../src/schedule/alarm.ts';
import type { Stage } from '../../src/stage.ts';
import { identify } from '../../src/stages/identify.ts';
import { limit } from '../../src/stages/limit.ts';
import { meter } from '../../src/stages/meter/index.ts';
import { retry } from '../../src/stages/retry.ts';
import { send } from '../../src/stages/send/index.ts';
import { createSeededRandom, createVirtualClock } from '../../src/testing/index.ts';
import { createTokenCounter } from '../../src/tokens/token-counter.ts';
import type { CallContext, UsageRecord } from '../../src/types.ts';
import { startServer } from '../helpers/server.ts';

const URL = 'https://api.openai.com/v1/chat/completions';
const BODY = '{"model":"gpt-5","messages":[]}';
const DONE = '{"model":"gpt-5","usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}';

/** What the provider does with one request. */
type Answer = (signal: AbortSignal | undefined) => Response | Promise<Response>;

const answer =
  (
    status: number,
    body: ConstructorParameters<typeof Response>[0] = '{"error":{}}',
    headers: Record<string, string> = {},
  ): Answer =>
  () =>
    new Response(body, { status, headers: { 'content-type': 'application/json', ...headers } });
const done = answer(200, DONE);
const lost: Answer = () => {
  throw new TypeError('fetch failed', { cause: new Error('socket hang up') });
};

interface SetUp {
  /** In order; the last repeats. */
  readonly answers?: readonly Answer[];
  readonly dispatcher?: Dispatcher;
  readonly options?: RetryOptions;
  readonly isPaced?: boolean;
  readonly isLimited?: boolean;
  /** Which turn the router itself refuses, from 1. */
  readonly refused?: number;
  /** When it gives up the attempt under way, in milliseconds. */
  readonly lateMs?: number;
}

/** The stages that have to do with attempts, before a provider that answers as told. */
function setUp({
  answers = [done],
  dispatcher,
  options,
  isPaced = true,
  isLimited = true,
  refused,
  lateMs,
}: SetUp = {}) {
  const clock = createVirtualClock();
  const alarm = createAlarm(clock);
  const lookUp = createUrlLookup(builtInAdapters);
  const records: UsageRecord[] = [];
  const kinds: VerdictKind[] = [];
  const sent: Array<{ at: number; body: unknown; attemptsLeft: number }> = [];
  const cuts = new Set<unknown>();
  const answered: Response[] = [];
  const calls: Call[] = [];
  const counting: Promise<void>[] = [];
  const permit: Permit = {
    begin: () => {},
    progress: () => {},
    end: ({ verdict }) => kinds.push(verdict.kind),
  };
  let turns = 0;
  const turn: Stage = {
    name: 'turn',
    handle: async (call, next) => {
      call.refusal = undefined;
      if (++turns === refused) {
        call.refusal = 'ERR_QUEUE_FULL';
        return refuse('chat.completions', {
          code: 'ERR_QUEUE_FULL',
          status: 503,
          message: 'Full.',
        });
      }
      // Whoever was answered before has been given up by now.
      expect(answered.every(({ body, bodyUsed }) => body === null || bodyUsed)).toBe(true);
      call.permits = isLimited ? permit : undefined;
      sent.push({ at: clock.now(), body: call.body, attemptsLeft: call.attemptsLeft });
      cuts.add(call.cut);
      const answer = next(call);
      void answer.then(
        (response) => answered.push(response),
        () => {},
      );
      return lateMs === undefined ? answer : Promise.race([answer, late(call, lateMs)]);
    },
  };
  const late = (call: Call, ms: number): Promise<Response> =>
    new Promise((resolve) => {
      clock.setTimeout(() => {
        call.refusal = 'ERR_DEADLINE';
        resolve(refuse('chat.completions', { code: 'ERR_DEADLINE', status: 504, message: '' }));
        call.attempts.at(-1)?.cut?.(new Error('Late.'));
      }, ms);
    });
  const fetch = async (_input: unknown, init?: RequestInit): Promise<Response> => {
    init?.signal?.throwIfAborted();
    return answers[Math.min(sent.length, answers.length) - 1]!(init?.signal ?? undefined);
  };
  const random = createSeededRandom();
  const entrance = createEntrance({
    clock,
    random,
    lookUp,
    context: () => undefined,
    fetch,
    hasTransport: true,
    isClosed: () => false,
    pipeline: compose([
      meter({
        clock,
        random,
        active: new Set(),
        prices: createPriceBook(undefined),
        counter: createTokenCounter({ clock }),
        onRecord: (record) => records.push(record),
        onPending: (pending) => counting.push(pending),
      }),
      {
        name: 'watch',
        handle: (call, next) => {
          calls.push(call);
          return next(call);
        },
      },
      identify({ lookUp }),
      retry({
        clock,
        alarm,
        random: () => 0,
        retrySettings: () => retrySettings(options),
        isPaced: () => isPaced,
      }),
      turn,
      limit({ clock }),
      send({
        clock,
        idleTimeoutMs: undefined,
        fetch: dispatcher === undefined ? fetch : undefined,
        dispatcher: () => dispatcher!,
      }),
    ]),
  });
  const ask = (init: RequestInit = {}, context: CallContext = {}, url = URL): Promise<Response> =>
    entrance.boundTo(context).fetch(url, { method: 'POST', body: BODY, ...init });
  const finals = (): UsageRecord[] => records.filter(({ final }) => final);
  return { clock, ask, records, finals, kinds, sent, cuts, calls, counting };
}

/** Runs timers until the promise has settled. */
async function settled<T>(clock: { runAll(): Promise<void> }, promise: Promise<T>): Promise<T> {
  const result = promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  await clock.runAll();
  const outcome = await result;
  if ('error' in outcome) throw outcome.error;
  return outcome.value;
}

const shouldRetry = (response: Response): string | null => response.headers.get('x-should-retry');

describe('what is handed back at once', () => {
  test('an answer', async () => {
    const { ask, sent, finals } = setUp();
    const response = await ask();
    expect(await response.text()).toBe(DONE);
    expect(shouldRetry(response)).toBeNull();
    expect(sent).toEqual([{ at: 0, body: BODY, attemptsLeft: 2 }]);
    expect(finals()).toMatchObject([{ attempt: 1, outcome: 'ok' }]);
  });

  test('a stream, before it has ended', async () => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const { ask } = setUp({ answers: [answer(200, readable)] });
    const response = await ask();
    const text = response.text();
    const writer = writable.getWriter();
    await writer.write(Buffer.from('data: [DONE]\n\n'));
    await writer.close();
    expect(await text).toBe('data: [DONE]\n\n');
  });

  test.each([400, 401, 403, 404, 413, 422])('a plain %i, as it came', async (status) => {
    const body = '{"error":{"message":"No.","type":"invalid_request_error"}}';
    const { ask, sent, clock } = setUp({ answers: [answer(status, body)] });
    const response = await ask();
    expect(response.status).toBe(status);
    expect(await response.text()).toBe(body);
    expect(shouldRetry(response)).toBeNull();
    expect(sent).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  test('what the router itself refuses', async () => {
    const { ask, sent, clock } = setUp({ refused: 1 });
    const response = await ask();
    expect(response.headers.get('x-tokenrouter-error')).toBe('ERR_QUEUE_FULL');
    expect(sent).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  test('what it gives up itself while a request is under way', async () => {
    const { ask, sent, clock } = setUp({ answers: [() => new Promise(() => {})], lateMs: 100 });
    const response = await settled(clock, ask());
    expect(response.headers.get('x-tokenrouter-error')).toBe('ERR_DEADLINE');
    expect(sent).toHaveLength(1);
  });

  test('everything, where one attempt is all', async () => {
    const { ask, sent, calls } = setUp({ answers: [answer(503)], options: { maxAttempts: 1 } });
    const response = await ask();
    expect(response.status).toBe(503);
    expect(shouldRetry(response)).toBeNull();
    expect(sent).toMatchObject([{ attemptsLeft: 0 }]);
    expect(calls[0]?.attempts).toHaveLength(1);
  });

  test('what falls under no limit: nobody says what it means', async () => {
    const { ask, sent, clock } = setUp({ answers: [answer(503)], isLimited: false });
    const response = await ask();
    expect(response.status).toBe(503);
    expect(shouldRetry(response)).toBeNull();
    expect(sent).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});

describe('another attempt', () => {
  test('after a failure, a little later; the host sees only the last', async () => {
    const { clock, ask, sent, cuts, records, finals } = setUp({
      answers: [answer(500), answer(529), done],
    });
    const response = await settled(clock, ask());
    expect(await response.text()).toBe(DONE);
    expect(cuts.size).toBe(1);
    expect(sent).toEqual([
      { at: 0, body: BODY, attemptsLeft: 2 },
      { at: 500, body: BODY, attemptsLeft: 1 },
      { at: 1500, body: BODY, attemptsLeft: 0 },
    ]);
    expect(response.headers.get('x-tokenrouter-attempts')).toBe('3');
    expect(shouldRetry(response)).toBeNull();
    // Refused requests cost nothing and have no record of their own.
    expect(records).toHaveLength(1);
    expect(finals()).toMatchObject([
      { attempt: 3, outcome: 'ok', status: 200, timing: { durationMs: 1500 } },
    ]);
  });

  test('after a refusal for the rate, as soon as the limiter lets it go', async () => {
    const { ask, sent, kinds } = setUp({
      answers: [answer(429, null, { 'retry-after': '30' }), done],
    });
    expect((await ask()).status).toBe(200);
    expect(sent.map(({ at }) => at)).toEqual([0, 0]);
    expect(kinds).toEqual(['rate', 'ok']);
  });

  test('without a limiter that paces, not before the provider said', async () => {
    const { clock, ask, sent } = setUp({
      answers: [answer(429, null, { 'retry-after': '30' }), done],
      isPaced: false,
    });
    expect((await settled(clock, ask())).status).toBe(200);
    expect(sent.map(({ at }) => at)).toEqual([0, 30_000]);
  });

  test('after a network error, which may have cost something and has its own record', async () => {
    const { clock, ask, records, counting } = setUp({ answers: [lost, done] });
    const response = await settled(clock, ask());
    expect(await response.text()).toBe(DONE);
    await Promise.all(counting);
    expect(records).toMatchObject([
      { attempt: 1, final: false, outcome: 'network_error' },
      { attempt: 2, final: true, outcome: 'ok' },
    ]);
  });

  test('by the name of the error that the body tells, whatever the status', async () => {
    const overloaded = '{"error":{"code":"server_is_overloaded","message":"Later."}}';
    const { clock, ask, kinds } = setUp({ answers: [answer(400, overloaded), done] });
    expect((await settled(clock, ask())).status).toBe(200);
    expect(kinds).toEqual(['overload', 'ok']);
  });

  test('where the provider says so, and not where it says no', async () => {
    const yes = setUp({ answers: [answer(400, '{}', { 'x-should-retry': 'true' }), done] });
    expect((await settled(yes.clock, yes.ask())).status).toBe(200);
    const no = setUp({ answers: [answer(503, '{}', { 'x-should-retry': 'false' }), done] });
    const response = await settled(no.clock, no.ask());
    expect(response.status).toBe(503);
    expect(shouldRetry(response)).toBe('false');
  });

  test('with a body that came late', async () => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const { clock, ask, sent } = setUp({ answers: [answer(500), answer(500, readable), done] });
    const response = ask();
    await clock.advance(500 + 1999);
    expect(sent).toHaveLength(2);
    const writer = writable.getWriter();
    await writer.write(Buffer.from('{"error":{}}'));
    await writer.close();
    await clock.advance(1000);
    expect((await response).status).toBe(200);
    expect(sent).toHaveLength(3);
    expect(clock.pending).toBe(0);
  });

  test.each<[string, () => RequestInit['body'] & {}]>([
    ['text', () => BODY],
    ['bytes', () => Buffer.from(BODY)],
    ['nothing', () => null!],
  ])('with the same body: %s', async (_name, body) => {
    await using server = await startServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        seen.push(Buffer.concat(chunks).toString());
        response.writeHead(seen.length < 3 ? 429 : 200, { 'content-type': 'application/json' });
        response.end(seen.length < 3 ? '{"error":{"code":"slow_down"}}' : DONE);
      });
    });
    const seen: string[] = [];
    const agent = new Agent();
    const { ask, finals } = setUp({ dispatcher: agent });
    const response = await ask({ body: body() }, {}, `${server.origin}/v1/chat/completions`);
    expect(await response.text()).toBe(DONE);
    expect(new Set(seen)).toEqual(new Set([body() === null ? '' : BODY]));
    expect(response.headers.get('x-tokenrouter-attempts')).toBe('3');
    expect(finals()).toMatchObject([{ attempt: 3, outcome: 'ok' }]);
    await agent.close();
  });
});

describe('no further attempt', () => {
  test('after the last; then the SDK is not to try either', async () => {
    const body = '{"type":"error","error":{"type":"overloaded_error"}}';
    const { clock, ask, sent, finals } = setUp({ answers: [answer(529, body, { 'x-a': '1' })] });
    const response = await settled(clock, ask());
    expect(response.status).toBe(529);
    expect(await response.text()).toBe(body);
    expect(shouldRetry(response)).toBe('false');
    expect(response.headers.get('x-a')).toBe('1');
    expect(response.headers.get('x-tokenrouter-attempts')).toBe('3');
    expect(sent).toHaveLength(3);
    expect(finals()).toMatchObject([{ attempt: 3, outcome: 'overloaded', status: 529 }]);
  });

  test('over the dispatcher, too: the header is added to what the parser gave', async () => {
    await using server = await startServer((_request, response) => {
      const headers = { 'content-type': 'application/json', 'set-cookie': ['a=1', 'b=2'] };
      response.writeHead(429, { ...headers, 'x-should-retry': 'true' });
      response.end('{"error":{"code":"rate_limit_exceeded"}}');
    });
    const agent = new Agent();
    const { ask } = setUp({ dispatcher: agent });
    const response = await ask({}, {}, `${server.origin}/v1/chat/completions`);
    expect(shouldRetry(response)).toBe('false');
    expect(response.headers.get('X-Should-Retry')).toBe('false');
    expect(new Headers(response.headers).get('x-should-retry')).toBe('false');
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(response.clone().headers.get('x-should-retry')).toBe('false');
    expect(await response.json()).toEqual({ error: { code: 'rate_limit_exceeded' } });
    await agent.close();
  });

  test('after the last network error: it goes out as it came', async () => {
    const error = new TypeError('fetch failed', { cause: new Error('socket hang up') });
    const { clock, ask, records, counting } = setUp({
      answers: [
        () => {
          throw error;
        },
      ],
    });
    await expect(settled(clock, ask())).rejects.toBe(error);
    await Promise.all(counting);
    expect(records.map(({ attempt, final }) => [attempt, final])).toEqual([
      [1, false],
      [2, false],
      [3, true],
    ]);
    expect(clock.pending).toBe(0);
  });

  test('where a quota is used up', async () => {
    const body = '{"error":{"code":"insufficient_quota","type":"insufficient_quota"}}';
    const { ask, sent, kinds } = setUp({ answers: [answer(429, body)] });
    const response = await ask();
    expect(shouldRetry(response)).toBe('false');
    expect(await response.text()).toBe(body);
    expect(sent).toHaveLength(1);
    expect(kinds).toEqual(['spent']);
  });

  test('where the provider asks for more time than the call may take', async () => {
    const answers = [answer(503, null, { 'retry-after': '20' })];
    const late = setUp({ answers, options: { maxElapsedMs: 10_000 } });
    expect(shouldRetry(await late.ask())).toBe('false');
    const dead = setUp({ answers });
    expect(shouldRetry(await dead.ask({}, { deadlineMs: 5000 }))).toBe('false');
    expect([...late.sent, ...dead.sent]).toHaveLength(2);
  });

  test('where the router refuses it', async () => {
    const { clock, ask, sent } = setUp({ answers: [answer(500)], refused: 2 });
    const response = await settled(clock, ask());
    expect(response.headers.get('x-tokenrouter-error')).toBe('ERR_QUEUE_FULL');
    expect(sent).toHaveLength(1);
  });

  test('of a body that can be read once', async () => {
    const { ask, sent } = setUp({ answers: [answer(500)] });
    const body = new Blob([BODY]).stream();
    const response = await ask({ body, duplex: 'half' });
    expect(response.status).toBe(500);
    // The SDK may be able to make it anew.
    expect(shouldRetry(response)).toBeNull();
    expect(sent).toHaveLength(1);
  });

  test('where the refusal’s body does not end: the host gets it as it comes', async () => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const { clock, ask, sent } = setUp({ answers: [answer(500, readable), done] });
    const asked = ask();
    await clock.advance(2000);
    const response = await asked;
    expect(response.status).toBe(500);
    expect(shouldRetry(response)).toBeNull();
    const text = response.text();
    const writer = writable.getWriter();
    await writer.write(Buffer.from('late'));
    await writer.close();
    expect(await text).toBe('late');
    expect(sent).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});

describe('when the host gives up', () => {
  test('while the next attempt is waited for: at once, without a trace', async () => {
    const { clock, ask, sent, finals } = setUp({ answers: [answer(500), done] });
    const controller = new AbortController();
    const asked = ask({ signal: controller.signal });
    await clock.advance(300);
    expect(clock.pending).toBe(1);
    const reason = new Error('Enough.');
    controller.abort(reason);
    await expect(asked).rejects.toBe(reason);
    expect(clock.pending).toBe(0);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    expect(sent).toHaveLength(1);
    expect(finals()).toHaveLength(1);
  });

  test('while the refusal’s body is awaited: as before the headers', async () => {
    const { ask, clock, sent, finals } = setUp({
      answers: [
        (signal) =>
          new Response(
            new ReadableStream({
              start(controller) {
                signal?.addEventListener('abort', () => {
                  controller.error(signal.reason);
                });
              },
            }),
            { status: 500 },
          ),
      ],
    });
    const controller = new AbortController();
    const asked = ask({ signal: controller.signal });
    await clock.advance(100);
    const reason = new Error('Enough.');
    controller.abort(reason);
    await expect(asked).rejects.toBe(reason);
    expect(clock.pending).toBe(0);
    expect(sent).toHaveLength(1);
    expect(finals()).toHaveLength(1);
  });

  test('no abort is kept in mind after the wait', async () => {
    const { clock, ask } = setUp({ answers: [answer(500), done] });
    const { signal } = new AbortController();
    const response = await settled(clock, ask({ signal }));
    await response.text();
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});

test('a router that closes ends the wait at once', async () => {
  const { clock, ask, calls, sent, finals } = setUp({ answers: [answer(500), done] });
  const asked = ask();
  await clock.advance(300);
  const before = clock.pending;
  calls[0]!.cut(new Error('Closed.'));
  await expect(asked).rejects.toMatchObject({ cause: { message: 'Closed.' } });
  expect([before, clock.pending]).toEqual([1, 0]);
  expect(sent).toHaveLength(1);
  expect(finals()).toHaveLength(1);
});

test('whatever the provider does: one answer, one final record, no timer left', async () => {
  const kind = fc.constantFrom('done', 'rate', 'busy', 'broken', 'lost', 'wrong', 'spent');
  const byKind: Readonly<Record<string, Answer>> = {
    done,
    rate: answer(429),
    busy: answer(529, null, { 'retry-after': '3' }),
    broken: answer(500),
    lost,
    wrong: answer(400),
    spent: answer(402),
  };
  await fc.assert(
    fc.asyncProperty(
      fc.array(kind, { minLength: 8, maxLength: 8 }),
      fc.integer({ min: 2, max: 6 }),
      fc.boolean(),
      async (plan, maxAttempts, isPaced) => {
        const { clock, ask, sent, records, counting, kinds } = setUp({
          answers: plan.map((each) => byKind[each]!),
          options: { maxAttempts },
          isPaced,
        });
        const mayHelp = (each: string): boolean =>
          ['rate', 'busy', 'broken', 'lost'].includes(each);
        const stop = plan.findIndex((each) => !mayHelp(each));
        const wanted = Math.min(maxAttempts, stop < 0 ? plan.length : stop + 1);
        const last = plan[wanted - 1]!;
        const response = await settled(clock, ask()).catch((error: unknown) => {
          expect(error).toMatchObject({ message: 'fetch failed' });
        });
        await response?.text();
        await Promise.all(counting);
        expect(sent).toHaveLength(wanted);
        expect(kinds).toHaveLength(wanted);
        expect(clock.pending).toBe(0);
        expect(response === undefined).toBe(last === 'lost');
        const isOver = last !== 'done' && last !== 'wrong';
        if (response !== undefined) {
          expect(shouldRetry(response)).toBe(isOver ? 'false' : null);
          expect(response.headers.get('x-tokenrouter-attempts')).toBe(String(wanted));
        }
        expect(records.filter(({ final }) => final)).toMatchObject([{ attempt: wanted }]);
        const unanswered = plan.slice(0, wanted - 1).filter((each) => each === 'lost');
        expect(records).toHaveLength(1 + unanswered.length);
      },
    ),
    { numRuns: 60 },
  );
});
