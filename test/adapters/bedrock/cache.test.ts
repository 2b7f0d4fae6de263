import { describe, expect, test } from 'vitest';
import { bedrockCaching, converseCaching } from '../../../adapters/bedrock/cache.ts';
import { bedrock } from '../../../adapters/bedrock/index.ts';
import { createRouter } from '../../../src/index.ts';
import { createVirtualClock } from '../../../src/testing/index.ts';

test.each([
  ['anthropic.claude-sonnet-4-6', 2048, ['5m']],
  ['anthropic.claude-opus-4-7', 4096, ['5m']],
  ['us.anthropic.claude-sonnet-4-5-20250929-v1:0', 1024, ['5m', '1h']],
  ['global.anthropic.claude-opus-4-5-20251101-v1:0', 4096, ['5m', '1h']],
  ['anthropic.claude-opus-4-1-20250805-v1:0', 1024, ['5m']],
  ['anthropic.claude-3-7-sonnet-20250219-v1:0', 1024, ['5m']],
])('%s is kept from %d tokens on, for %j', (model, minTokens, ttls) => {
  const rules = bedrockCaching.rules(model);
  expect(rules).toMatchObject({ writes: 'marks', minTokens, maxMarks: 4 });
  expect(rules?.lifetimes.map(({ ttl }) => ttl)).toEqual(ttls);
});

test.each([
  'anthropic.claude-3-5-sonnet-20240620-v1:0',
  'anthropic.claude-v2',
  'amazon.nova-pro-v1:0',
])('%s takes no marks', (model) => {
  expect(bedrockCaching.rules(model)).toBeUndefined();
});

test('bodies in the Messages format have it, those of Converse their own', () => {
  const host = 'https://bedrock-runtime.us-east-1.amazonaws.com';
  const cacheAt = (path: string) => bedrock().match(new URL(path, host))?.cache;
  const claude = '/model/us.anthropic.claude-opus-4-5-20251101-v1%3A0';
  expect(cacheAt(`${claude}/invoke`)).toBe(bedrockCaching);
  expect(cacheAt(`${claude}/invoke-with-response-stream`)).toBe(bedrockCaching);
  expect(cacheAt('/anthropic/v1/messages')).toBe(bedrockCaching);
  expect(cacheAt(`${claude}/converse`)).toBe(converseCaching);
  expect(cacheAt(`${claude}/converse-stream`)).toBe(converseCaching);
  expect(cacheAt('/model/amazon.nova-pro-v1%3A0/invoke')).toBeUndefined();
  expect(cacheAt('/openai/v1/chat/completions')).toBeUndefined();
});

describe('Converse', () => {
  const MODEL = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0';
  const url = `https://bedrock-runtime.us-east-1.amazonaws.com/model/${encodeURIComponent(MODEL)}/converse`;
  const text = (name: string, words = 300): { text: string } => ({
    text: `${name} word`.repeat(words),
  });
  const tool = {
    toolSpec: {
      name: 'look',
      inputSchema: { json: { type: 'object', properties: { z: { type: 'string' }, a: {} } } },
    },
  };

  interface Message {
    role: string;
    content: object[];
  }

  /** Turns of a conversation with a tool. */
  function bodyOf(turns: number, system: object[] = [text('system', 1000)]): object {
    const messages: Message[] = [{ role: 'user', content: [text('question')] }];
    for (let turn = 1; turn < turns; turn++) {
      const toolUse = { toolUseId: `t${turn}`, name: 'look', input: { z: turn, a: 1 } };
      const toolResult = {
        toolUseId: `t${turn}`,
        content: [{ json: { z: 'x'.repeat(2000), a: 2 } }],
      };
      messages.push({ role: 'assistant', content: [text('answer', 30), { toolUse }] });
      messages.push({ role: 'user', content: [{ toolResult }] });
    }
    return { messages, system, inferenceConfig: { maxTokens: 10 }, toolConfig: { tools: [tool] } };
  }

  /** What is sent of each body, a few seconds apart. */
  async function sent(bodies: readonly object[], authorization = 'Bearer key'): Promise<string[]> {
    const clock = createVirtualClock();
    const texts: string[] = [];
    const router = createRouter({
      clock,
      fetch: async (_input, init) => {
        texts.push(String(init?.body));
        return Response.json({
          output: {},
          usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 },
        });
      },
    });
    for (const body of bodies) {
      await router.fetch(url, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { authorization },
      });
      await clock.advance(5000);
    }
    return texts;
  }

  const POINT = /,\{"cachePoint":\{"type":"default"(?:,"ttl":"1h")?\}\}/g;

  test('a cache point stands behind what it closes, four at most, and nothing else changes', async () => {
    const bodies = [1, 2, 3, 4, 5, 6].map((turns) => bodyOf(turns));
    const texts = await sent(bodies);
    for (const [i, one] of texts.entries()) {
      const points = one.match(POINT) ?? [];
      expect(points.length).toBeGreaterThan(0);
      expect(points.length).toBeLessThanOrEqual(4);
      expect(JSON.parse(one.replace(POINT, ''))).toEqual(bodies[i]);
      const { system, messages } = JSON.parse(one) as { system: object[]; messages: Message[] };
      if (i === 0) expect(Object.keys(system.at(-1) ?? {})).toEqual(['cachePoint']);
      expect(Object.keys(messages.at(-1)?.content.at(-1) ?? {})).toEqual(['cachePoint']);
      // What the model reads keeps its order.
      expect(one).toContain('"properties":{"z":{"type":"string"},"a":{}}');
      expect(one.replace(POINT, '')).not.toContain('"a":1,"z"');
    }
  });

  test('a host that sets one decides alone', async () => {
    const body = bodyOf(3, [text('system', 1000), { cachePoint: { type: 'default' } }]);
    const [one] = await sent([body]);
    expect(one?.match(/cachePoint/g)).toHaveLength(1);
  });

  test('a signed request goes out as it came', async () => {
    const body = bodyOf(3);
    expect(await sent([body], 'AWS4-HMAC-SHA256 Credential=x')).toEqual([JSON.stringify(body)]);
  });
});
