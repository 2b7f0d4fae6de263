/** Four routers under one limit: together they keep to it in any window, and hardly less is sent than it allows. */
import { describe, expect, test } from 'vitest';
import { memoryStore } from '../../../adapters/stores/memory.ts';
import { createRouter, type LimitRule } from '../../../src/index.ts';
import { createSeededRandom, createVirtualClock } from '../../../src/testing/index.ts';

const WINDOW_MS = 60_000;
const MINUTES = 5;

interface Sent {
  readonly at: number;
  readonly tokens: number;
}

interface Load {
  readonly rule: LimitRule;
  /** Output tokens of an answer, from and to; requests allow the most of it. */
  readonly output: readonly [number, number];
  /** Milliseconds that an answer takes, from and to. */
  readonly takes: readonly [number, number];
  /** Calls that each router has under way or waiting at any time. */
  readonly callers: number;
  readonly routers?: number;
}

async function saturate({ rule, output, takes, callers, routers = 4 }: Load): Promise<Sent[]> {
  const clock = createVirtualClock();
  const random = createSeededRandom(3);
  const between = ([low, high]: readonly [number, number]): number => low + (high - low) * random();
  const store = memoryStore({ clock });
  const sent: Sent[] = [];
  const fetch = async (_url: unknown, init?: RequestInit): Promise<Response> => {
    const input = Math.round(String(init?.body).length / 4);
    const written = Math.round(between(output));
    sent.push({ at: clock.now(), tokens: input + written });
    await new Promise<void>((resolve) => clock.setTimeout(resolve, between(takes)));
    const usage = {
      prompt_tokens: input,
      completion_tokens: written,
      total_tokens: input + written,
    };
    return Response.json({ model: 'm', choices: [{ finish_reason: 'stop' }], usage });
  };
  const all = Array.from({ length: routers }, (_, i) =>
    createRouter({
      clock,
      random: createSeededRandom(i),
      fetch,
      store,
      limits: [{ ...rule, adaptive: false }],
    }),
  );
  const ends = MINUTES * WINDOW_MS;
  for (const router of all) {
    for (let i = 0; i < callers; i++) {
      void (async () => {
        while (clock.now() < ends) {
          const response = await router.fetch(
            'https://integrate.api.nvidia.com/v1/chat/completions',
            {
              method: 'POST',
              headers: { authorization: 'Bearer k' },
              body: JSON.stringify({
                model: 'm',
                max_tokens: output[1],
                messages: [{ role: 'user', content: 'x'.repeat(between([40, 200])) }],
              }),
            },
          );
          await response.text();
        }
      })();
    }
  }
  await clock.advance(ends - 1);
  return sent;
}

/** The most that was sent in any window, and the sum from the second window on, both as shares of the limit. */
function sharesOf(sent: readonly Sent[], limit: number, of: (one: Sent) => number) {
  let most = 0;
  let inWindow = 0;
  let first = 0;
  for (const one of sent) {
    inWindow += of(one);
    while (sent[first]!.at <= one.at - WINDOW_MS) inWindow -= of(sent[first++]!);
    most = Math.max(most, inWindow);
  }
  const later = sent.filter(({ at }) => at >= WINDOW_MS);
  const sum = later.reduce((total, one) => total + of(one), 0);
  return { most: most / limit, used: sum / (limit * (MINUTES - 1)) };
}

describe('four routers with one store', () => {
  const RULE: LimitRule = { requestsPerMinute: 600, tokensPerMinute: 100_000 };

  test.each<[string, Partial<Load>]>([
    ['short calls', { takes: [200, 2000] }],
    ['long calls', { takes: [5000, 20_000], callers: 100 }],
  ])('share 600 requests a minute: %s', async (_, load) => {
    const sent = await saturate({
      rule: RULE,
      output: [20, 60],
      takes: [200, 2000],
      callers: 30,
      ...load,
    });
    const { most, used } = sharesOf(sent, 600, () => 1);
    expect(most).toBeLessThanOrEqual(1.02);
    expect(used).toBeGreaterThan(0.97);
  });

  test.each<[string, Partial<Load>]>([
    ['answers of one size', { output: [880, 900] }],
    ['answers of many sizes', { output: [100, 900] }],
    ['long calls', { output: [500, 700], takes: [5000, 20_000], callers: 60 }],
  ])('share 100,000 tokens a minute: %s', async (_, load) => {
    const sent = await saturate({
      rule: RULE,
      output: [0, 0],
      takes: [200, 2000],
      callers: 30,
      ...load,
    });
    const { most, used } = sharesOf(sent, 100_000, ({ tokens }) => tokens);
    expect(most).toBeLessThanOrEqual(1.02);
    expect(used).toBeGreaterThan(0.97);
  });

  test('share requests under way', async () => {
    const sent = await saturate({
      rule: { concurrency: 20 },
      output: [0, 0],
      takes: [1000, 1000],
      callers: 30,
    });
    // Each takes a second: what is sent in less than that is under way together.
    let most = 0;
    for (const { at } of sent) {
      most = Math.max(most, sent.filter((other) => other.at > at - 1000 && other.at <= at).length);
    }
    expect(most).toBeLessThanOrEqual(20);
    expect(sent.length).toBeGreaterThan(0.5 * 20 * 60 * MINUTES);
  });
});
