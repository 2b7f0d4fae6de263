/** What limiters are measured on: a benchmark of malformed calls, of a wrong oracle or of a clock that lies measures nothing. */
import { describe, expect, test } from 'vitest';
import { createDraw } from '../../bench/limiter/draw.ts';
import { createFixedBucket } from '../../bench/limiter/fixed-bucket.ts';
import { latencyOf } from '../../bench/limiter/latency.ts';
import { createLink } from '../../bench/limiter/link.ts';
import { playOracle } from '../../bench/limiter/oracle.ts';
import { play } from '../../bench/limiter/play.ts';
import { createProcessClock } from '../../bench/limiter/process-clock.ts';
import { createProvider } from '../../bench/limiter/provider.ts';
import { numbersOf, requestOf } from '../../bench/limiter/requests.ts';
import type { Scenario } from '../../bench/limiter/scenario.ts';
import { HERDS, scenarioNamed, SCENARIOS } from '../../bench/limiter/scenarios/index.ts';
import { sdkRetries } from '../../bench/limiter/sdk-retries.ts';
import { createSendRecorder, type Send } from '../../bench/limiter/send-log.ts';
import { SENDERS } from '../../bench/limiter/senders.ts';
import { amountOf, PRIORITIES, requestsPerMinute, workload } from '../../bench/limiter/workload.ts';
import { createVirtualClock, type VirtualClock } from '../../src/testing/index.ts';

const ALL = [...SCENARIOS, ...HERDS];

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

describe('draws', () => {
  test('are the same for a seed and purpose, and others for others', () => {
    const first = (seed: number, purpose: string): number[] => {
      const { random } = createDraw(seed, purpose);
      return [random(), random(), random()];
    };
    expect(first(1, 'sizes')).toEqual(first(1, 'sizes'));
    const others = [first(1, 'sizes'), first(2, 'sizes'), first(1, 'arrivals'), first(3, 'sizes')];
    expect(new Set(others.flat()).size).toBe(12);
  });

  test('have the distributions that they are named after', () => {
    const draw = createDraw(1, 'test');
    const many = (next: () => number): number[] => Array.from({ length: 20_000 }, next);
    expect(mean(many(() => draw.exponential(5)))).toBeCloseTo(5, 0);
    expect(mean(many(() => draw.uniform(2, 4)))).toBeCloseTo(3, 1);
    const picks = many(() => draw.pick([1, 0, 3]));
    expect(mean(picks.map((index) => (index === 2 ? 1 : 0)))).toBeCloseTo(0.75, 1);
    expect(picks).not.toContain(1);
    const median = many(() => draw.logNormal(100, 1)).toSorted((a, b) => a - b)[10_000] ?? 0;
    expect(median).toBeGreaterThan(95);
    expect(median).toBeLessThan(105);
  });
});

describe('workloads', () => {
  test('have names of their own', () => {
    expect(new Set(ALL.map(({ name }) => name)).size).toBe(ALL.length);
  });

  test.each(ALL)('$name: the same for a seed, another for another, in order', (scenario) => {
    const calls = workload(scenario, 1);
    expect(workload(scenario, 1)).toEqual(calls);
    expect(workload(scenario, 2)).not.toEqual(calls);
    expect(calls.map(({ number }) => number)).toEqual([...calls.keys()]);
    const times = calls.map(({ arrivedAt }) => arrivedAt);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(Math.max(...times)).toBeLessThan(scenario.minutes * 60_000);
    const { processes = 1 } = scenario;
    expect(new Set(calls.map(({ process }) => process)).size).toBe(processes);
  });

  test.each(SCENARIOS)('$name: offers what it says', (scenario) => {
    const { load, minutes, provider } = scenario;
    const calls = workload(scenario, 1);
    const steady = calls.length - (load.backlog ?? 0) - inBatches(scenario);
    const offered = steady / (requestsPerMinute(scenario) * minutes);
    expect(offered).toBeGreaterThan(load.share * 0.9);
    expect(offered).toBeLessThan(load.share * 1.1);
    for (const priority of PRIORITIES) {
      expect(calls.some((call) => call.priority === priority)).toBe(true);
    }
    // What can never be admitted would hold up everything behind it.
    for (const { unit, limit } of provider.limits ?? []) {
      const counted = unit === 'tokens' ? 'chargedTokens' : unit;
      expect(Math.max(...calls.map((call) => amountOf(call, counted)))).toBeLessThan(limit);
    }
  });

  function inBatches(scenario: Scenario): number {
    const { batches } = scenario.load;
    if (batches === undefined) return 0;
    const count = Math.ceil((scenario.minutes - 0.5) / batches.everyMinutes);
    return count * Math.round(requestsPerMinute(scenario) * batches.quotaMinutes);
  }

  test('prompts say what they are, and are about as long', () => {
    const calls = workload(scenarioNamed('headers, input tokens'), 1);
    const lengths = calls.map((call) => {
      const { init } = requestOf(call, 'anthropic');
      const body = JSON.parse(String(init.body)) as { messages: [{ content: string }] };
      const text = body.messages[0].content;
      expect(numbersOf(text)).toEqual({
        inputTokens: call.inputTokens,
        outputTokens: call.outputTokens,
      });
      return text.length / 4.4 / call.inputTokens;
    });
    expect(mean(lengths)).toBeCloseTo(1, 1);
    expect(Math.max(...lengths)).toBeLessThan(1.5);
  });
});

describe('the oracle', () => {
  /** What the provider answers when exactly this is sent. */
  async function statuses(scenario: Scenario, sends: readonly Send[]): Promise<number[]> {
    const clock = createVirtualClock({ maxTimers: Infinity });
    // Answers end a millisecond sooner, so that none ends and begins at the same time.
    const latency = { ...latencyOf(scenario), headMs: latencyOf(scenario).headMs - 1, jitter: 0 };
    const provider = createProvider({ ...scenario, latency }, clock, 1);
    const seen: number[] = [];
    for (const { call, sentAt } of sends) {
      const { url, init } = requestOf(call, scenario.format);
      clock.setTimeout(() => {
        void provider(url, init).then(({ status }) => seen.push(status));
      }, sentAt);
    }
    await clock.advance((scenario.minutes + 2) * 60_000);
    return seen;
  }

  // Who is answered under overload is chance.
  const certain = SCENARIOS.filter(({ provider }) => provider.overload === undefined);
  test.each(certain)('$name: is never refused', async (scenario) => {
    const hasStep = scenario.provider.limits?.some(({ schedule }) => schedule !== undefined);
    const short = { ...scenario, minutes: hasStep === true ? 14 : 8 };
    const { sends } = playOracle(short, workload(short, 1), 1);
    const seen = await statuses(short, sends);
    expect(seen.length).toBe(sends.length);
    expect(seen.filter((status) => status !== 200)).toEqual([]);
  });

  test('takes all that a saturated limit gives', () => {
    const scenario = scenarioNamed('hidden, bucket');
    const { sends } = playOracle(scenario, workload(scenario, 1), 1);
    const [limit] = scenario.provider.limits ?? [];
    const most = (limit?.limit ?? 0) * scenario.minutes + (limit?.burst ?? 0);
    expect(sends.length).toBeGreaterThanOrEqual(most - 1);
    expect(sends.length).toBeLessThanOrEqual(most + 1);
  });

  test('serves the urgent first', () => {
    const scenario = scenarioNamed('hidden, bucket');
    const { outcomes } = playOracle(scenario, workload(scenario, 1), 1);
    const waits = (priority: string): number =>
      mean(
        outcomes
          .filter(({ call }) => call.priority === priority)
          .map(({ call, sentAt = scenario.minutes * 60_000 }) => sentAt - call.arrivedAt),
      );
    expect(waits('urgent')).toBeLessThan(waits('high'));
    expect(waits('high')).toBeLessThan(waits('normal'));
    expect(waits('normal')).toBeLessThan(waits('low'));
  });
});

describe('process clocks', () => {
  const faults = [
    { kind: 'wall jump', at: 1000, byMs: 3_600_000 },
    { kind: 'pause', from: 5000, to: 9000 },
  ] as const;

  test('keep timers as Node does', async () => {
    const clock = createVirtualClock();
    const own = createProcessClock(clock, () => 0.5);
    const fired: number[] = [];
    for (const ms of [0, 0.2, 10.9]) own.setTimeout(() => fired.push(clock.now()), ms);
    own.clearTimeout(own.setTimeout(() => fired.push(-1), 5));
    await clock.advance(100);
    expect(fired).toEqual([1.5, 1.5, 10.5]);
    expect(own.timers).toMatchObject({ set: 4, mostPending: 4 });
  });

  test('jump and stand still', async () => {
    const clock = createVirtualClock({ startAt: 0 });
    const own = createProcessClock(clock, () => 0, faults);
    const fired: number[] = [];
    own.setTimeout(() => fired.push(own.now()), 4999);
    own.setTimeout(() => fired.push(own.now()), 6000);
    const cleared = own.setTimeout(() => fired.push(-1), 8000);
    clock.setTimeout(() => {
      own.whenRunning(() => fired.push(own.now()));
    }, 7000);
    expect(own.wallNow()).toBe(0);
    await clock.advance(8500);
    own.clearTimeout(cleared);
    await clock.advance(1500);
    expect(fired).toEqual([4999, 9000, 9000]);
    expect(own.now()).toBe(10_000);
    expect(own.wallNow()).toBe(3_610_000);
  });
});

describe('links', () => {
  function linked(
    clock: VirtualClock,
    provider: typeof globalThis.fetch,
    options: { timeoutMs?: number; pause?: { from: number; to: number } } = {},
  ): { send: () => Promise<Response>; statuses: () => Array<number | undefined> } {
    const calls = workload(HERDS[0]!, 1);
    const recorder = createSendRecorder(calls);
    const faults =
      options.pause === undefined ? [] : [{ kind: 'pause', ...options.pause } as const];
    const fetch = createLink({
      provider,
      calls,
      recorder,
      clock,
      process: createProcessClock(clock, () => 0, faults),
      draw: createDraw(1, 'link'),
      timeoutMs: options.timeoutMs ?? 1000,
      mayPause: options.pause !== undefined,
    });
    const { url, init } = requestOf(calls[0]!, 'openai');
    return {
      send: () => fetch(url, init),
      statuses: () => recorder.sends.map(({ status }) => status),
    };
  }

  test('take their time and record what comes back', async () => {
    const clock = createVirtualClock();
    const link = linked(clock, async () => new Response('no', { status: 429 }));
    const answer = link.send();
    await clock.advance(15);
    expect(link.statuses()).toEqual([undefined]);
    await clock.advance(40);
    expect((await answer).status).toBe(429);
    expect(link.statuses()).toEqual([429]);
    expect(clock.pending).toBe(0);
  });

  test('give up when no head comes, as undici does', async () => {
    const clock = createVirtualClock();
    const hanging: typeof globalThis.fetch = (_url, init) =>
      new Promise((_, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
      });
    const link = linked(clock, hanging);
    const answer = link.send();
    const failure = expect(answer).rejects.toMatchObject({
      cause: { code: 'UND_ERR_HEADERS_TIMEOUT' },
    });
    await clock.advance(1000);
    await failure;
    expect(link.statuses()).toEqual([0]);
  });

  test('deliver nothing to a process that stands still', async () => {
    const clock = createVirtualClock();
    const provider = async (): Promise<Response> => {
      const body = new ReadableStream({
        async start(controller) {
          await new Promise<void>((resolve) => clock.setTimeout(resolve, 500));
          controller.enqueue(new TextEncoder().encode('late'));
          controller.close();
        },
      });
      return new Response(body);
    };
    const link = linked(clock, provider, { pause: { from: 300, to: 2000 } });
    const readAt: number[] = [];
    const read = link.send().then(async (response) => {
      const reader = response.body!.getReader();
      for (let isOver = false; !isOver; readAt.push(clock.now())) {
        isOver = (await reader.read()).done;
      }
    });
    await clock.advance(1999);
    expect(readAt).toEqual([]);
    await clock.advance(1);
    await read;
    expect(readAt).toEqual([2000, 2000]);
  });
});

describe('senders of the bench itself', () => {
  /** When a call is tried, where the first answers are these. */
  async function triedAt(retries: number, answers: readonly Response[]): Promise<number[]> {
    const clock = createVirtualClock();
    const times: number[] = [];
    const left = [...answers];
    const transport = async (): Promise<Response> => {
      times.push(clock.now());
      return left.shift() ?? new Response('ok');
    };
    const fetch = sdkRetries({ transport, clock, random: () => 0, retries });
    void fetch('https://api.example.com/');
    await clock.advance(600_000);
    return times;
  }
  const refusal = (headers: Record<string, string> = {}, status = 429): Response =>
    new Response('no', { status, headers });

  test('retry as the SDKs do', async () => {
    expect(await triedAt(2, [])).toEqual([0]);
    expect(await triedAt(2, [refusal({}, 400)])).toEqual([0]);
    const always = Array.from({ length: 9 }, () => refusal({}, 503));
    expect(await triedAt(2, always)).toEqual([0, 500, 1500]);
    expect(await triedAt(8, always)).toEqual([
      0, 500, 1500, 3500, 7500, 15500, 23500, 31500, 39500,
    ]);
    expect(await triedAt(2, [refusal({ 'retry-after': '3' })])).toEqual([0, 3000]);
    expect(await triedAt(2, [refusal({ 'retry-after-ms': '120', 'retry-after': '3' })])).toEqual([
      0, 120,
    ]);
    expect(await triedAt(2, [refusal({ 'retry-after': '90' })])).toEqual([0, 500]);
    const date = new Date(Date.UTC(2026, 0, 1, 0, 0, 7)).toUTCString();
    expect(await triedAt(2, [refusal({ 'retry-after': date })])).toEqual([0, 7000]);
  });

  test('keep to their bucket, the urgent first', async () => {
    const clock = createVirtualClock();
    const bucket = createFixedBucket({
      clock,
      limits: [{ unit: 'requests', limit: 60, burst: 2 }],
      processes: 1,
      usualOutputTokens: 1,
    });
    const calls = workload(HERDS[0]!, 1).slice(0, 4);
    const priorities = ['low', 'low', 'low', 'urgent'] as const;
    const admitted: Array<[string, number]> = [];
    for (const [index, call] of calls.entries()) {
      const priority = priorities[index] ?? 'low';
      void bucket.admit({ ...call, priority }).then(() => admitted.push([priority, clock.now()]));
    }
    await clock.advance(10_000);
    expect(admitted).toEqual([
      ['low', 0],
      ['low', 0],
      ['urgent', 1000],
      ['low', 2000],
    ]);
  });
});

describe('playing', () => {
  const herd = HERDS[0]!;
  const calls = workload(herd, 1);

  test.each(SENDERS)(
    '%s: the same in every run, and every send is accounted for',
    async (sender) => {
      const first = await play(herd, sender, calls, 1);
      expect(await play(herd, sender, calls, 1)).toEqual(first);
      const { sends, outcomes } = first;
      const served = outcomes.filter(({ doneAt }) => doneAt !== undefined);
      expect(served.length).toBeGreaterThan(0);
      expect(sends.filter(({ status }) => status === 200).length).toBe(served.length);
      expect(sends.every(({ status }) => status === 200 || status === 429)).toBe(true);
      for (const { sentAt, doneAt, failedAt } of outcomes) {
        expect(sentAt === undefined).toBe(doneAt === undefined);
        expect(doneAt !== undefined && failedAt !== undefined).toBe(false);
      }
    },
  );

  test('without a router most of a herd is given up', async () => {
    const { outcomes } = await play(herd, 'SDK, 2 retries', calls, 1);
    expect(outcomes.filter(({ failedAt }) => failedAt !== undefined).length).toBe(45);
  });
});
