import { describe, expect, test } from 'vitest';
import { createRouter, type RouterOptions, type UsageRecord } from '../src/index.ts';

const URL_ = 'https://api.openai.com/v1/chat/completions';
const answerOf = (text: string): unknown => ({
  model: 'gpt-4o-mini-2024-07-18',
  choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 8, completion_tokens: 9, total_tokens: 17 },
});
const bodyOf = (text: string): string =>
  JSON.stringify({ model: 'gpt-4o-mini', seed: 1, messages: [{ role: 'user', content: text }] });

async function recordsOf(
  options: RouterOptions,
  { calls = 1, question = 'Who are you?', answer = 'A model.', headers = {} } = {},
): Promise<{ records: UsageRecord[]; sent: Headers[] }> {
  const records: UsageRecord[] = [];
  const sent: Headers[] = [];
  const router = createRouter({
    fetch: async (_url, init) => {
      sent.push(new Headers(init?.headers));
      return Response.json(answerOf(answer));
    },
    ...options,
  });
  router.on('usage', (record) => records.push(record));
  await Promise.all(
    Array.from({ length: calls }, async () => {
      const response = await router.fetch(URL_, {
        method: 'POST',
        body: bodyOf(question),
        headers,
      });
      await response.text();
    }),
  );
  await router.close();
  return { records, sent };
}

describe('what records hold of prompts and answers', () => {
  test('is nothing by default', async () => {
    const { records } = await recordsOf({});
    expect(JSON.stringify(records)).not.toMatch(/Who are you|A model\./);
    expect(records[0]?.captured).toBeUndefined();
  });

  test('is the body and the text of the answer', async () => {
    const { records } = await recordsOf({ capture: {} });
    const { request = '', answer } = records[0]?.captured ?? {};
    expect(JSON.parse(request)).toEqual(JSON.parse(bodyOf('Who are you?')));
    expect(answer).toBe('A model.');
  });

  test('is only the part that was asked for', async () => {
    const { records } = await recordsOf({ capture: { request: false } });
    expect(records[0]?.captured).toEqual({ answer: 'A model.' });
  });

  test('is what redact leaves of it, cut afterwards', async () => {
    const redact = (text: string, part: string): string => `${part}: ${text.length}`;
    const { records } = await recordsOf({ capture: { redact, maxChars: 9 } });
    expect(records[0]?.captured).toEqual({ request: 'request: ', answer: 'answer: 8' });
  });

  test('is nothing where redact fails or gives no text', async () => {
    const redact = (_: string, part: string): string | undefined => {
      if (part === 'request') throw new Error('no');
      return undefined;
    };
    const { records } = await recordsOf({ capture: { redact } });
    expect(records[0]?.captured).toEqual({});
  });

  test('is there for every call that shares an answer', async () => {
    const { records, sent } = await recordsOf({ capture: {} }, { calls: 3 });
    expect(sent).toHaveLength(1);
    expect(records.map(({ captured }) => captured?.answer)).toEqual(Array(3).fill('A model.'));
  });
});

describe('the span of a call', () => {
  const span = (digit: string): string => `00-${digit.repeat(32)}-${digit.repeat(16)}-01`;
  const traceOf = (digit: string): UsageRecord['trace'] => ({
    traceId: digit.repeat(32),
    spanId: digit.repeat(16),
    sampled: true,
  });

  test('is that of the request, which is sent on', async () => {
    const { records, sent } = await recordsOf(
      { traceparent: () => span('2') },
      { headers: { Traceparent: span('1') } },
    );
    expect(records[0]?.trace).toEqual(traceOf('1'));
    expect(sent[0]?.get('traceparent')).toBe(span('1'));
  });

  test('is that of its context, else of the option, and is sent on', async () => {
    const records: UsageRecord[] = [];
    const sent: Array<string | null> = [];
    const router = createRouter({
      fetch: async (_url, init) => {
        sent.push(new Headers(init?.headers).get('traceparent'));
        return Response.json(answerOf('Yes.'));
      },
      traceparent: () => span('2'),
    });
    router.on('usage', (record) => records.push(record));
    const post = { method: 'POST', body: bodyOf('Yes?') };
    await (await router.with({ traceparent: span('3') }).fetch(URL_, post)).text();
    await (await router.fetch(URL_, post)).text();
    expect(records.map(({ trace }) => trace)).toEqual([traceOf('3'), traceOf('2')]);
    expect(sent).toEqual([span('3'), span('2')]);
    expect(JSON.stringify(records[0]?.context)).not.toContain('traceparent');
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    ['names none', () => undefined],
    ['names what is none', () => 'span 7'],
  ])('is unknown where the option %s', async (_, traceparent) => {
    const { records, sent } = await recordsOf({ traceparent });
    expect(records[0]?.trace).toBeUndefined();
    expect(sent[0]?.has('traceparent')).toBe(false);
  });
});
