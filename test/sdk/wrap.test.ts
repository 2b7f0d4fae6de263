import Anthropic from '@anthropic-ai/sdk';
import OpenAI, { AzureOpenAI } from 'openai';
import { expect, test, vi } from 'vitest';
import { createRouter, isRouterError, type Router, type UsageRecord } from '../../src/index.ts';

const CHAT = { model: 'gpt-5', messages: [{ role: 'user' as const, content: 'Hi' }] };
const MESSAGE = { ...CHAT, model: 'claude-opus-5', max_tokens: 10 };

/** A transport that answers everything with an empty object and keeps what it was asked. */
function transport() {
  return vi.fn(async (input: string | URL | Request, init?: RequestInit) =>
    String(input).startsWith('data:') ? fetch(input, init) : Response.json({ id: 'an-answer' }),
  );
}

function recordsOf(router: Router): UsageRecord[] {
  const records: UsageRecord[] = [];
  router.on('usage', (record) => records.push(record));
  return records;
}

test('a wrapped client is of its class, has its options and goes out over its own fetch', async () => {
  const own = transport();
  const router = createRouter();
  const records = recordsOf(router);
  const options = {
    apiKey: 'a-key',
    baseURL: 'https://api.openai.com/v1/',
    organization: 'an-organization',
    defaultHeaders: { 'x-own': 'kept' },
    defaultQuery: { own: 'kept' },
    timeout: 1234,
    maxRetries: 7,
    fetch: own,
  };
  const client = new OpenAI(options);
  const wrapped: OpenAI = router.wrap(client);

  expect(wrapped).not.toBe(client);
  expect(wrapped.constructor).toBe(OpenAI);
  const { apiKey, baseURL, organization, timeout, maxRetries } = client;
  expect(wrapped).toMatchObject({ apiKey, baseURL, organization, timeout, maxRetries });

  await wrapped.chat.completions.create(CHAT);
  expect(own).toHaveBeenCalledTimes(1);
  const [url, init] = own.mock.calls[0]!;
  expect(url).toBe('https://api.openai.com/v1/chat/completions?own=kept');
  const headers = new Headers(init?.headers);
  expect(headers.get('x-own')).toBe('kept');
  expect(headers.get('authorization')).toBe('Bearer a-key');
  await router.flush();
  expect(records).toHaveLength(1);

  await client.chat.completions.create(CHAT);
  expect(own).toHaveBeenCalledTimes(2);
  await router.flush();
  expect(records).toHaveLength(1);
});

test('a class of one’s own, Azure and Anthropic clients stay what they are', async () => {
  class OwnAnthropic extends Anthropic {}
  const router = createRouter({ fetch: transport() });
  const records = recordsOf(router);
  const azure = router.wrap(
    new AzureOpenAI({
      apiKey: 'k',
      apiVersion: '2026-01-01',
      endpoint: 'https://x.openai.azure.com',
    }),
  );
  const own = router.wrap(new OwnAnthropic({ apiKey: 'k' }));
  expect(azure.constructor).toBe(AzureOpenAI);
  expect(own.constructor).toBe(OwnAnthropic);

  await azure.chat.completions.create(CHAT);
  await own.messages.create(MESSAGE);
  await router.flush();
  expect(records.map(({ provider, api }) => [provider, api])).toEqual([
    ['azure.ai.openai', 'chat.completions'],
    ['anthropic', 'messages'],
  ]);
});

test('what a wrapped client makes of itself still goes through the router', async () => {
  const router = createRouter({ fetch: transport() });
  const records = recordsOf(router);
  const client = router.with({ tenant: 'acme' }).wrap(new OpenAI({ apiKey: 'k' }));
  await client.withOptions({ timeout: 5000 }).chat.completions.create(CHAT);
  await router.flush();
  expect(records).toMatchObject([{ context: { tenant: 'acme' } }]);
});

test.each([null, {}, 'text', () => {}])('what has no withOptions is refused: %s', (client) => {
  const router = createRouter();
  const wrap = (): unknown => router.wrap(client);
  expect(wrap).toThrow(expect.toSatisfy(isRouterError));
  expect(wrap).toThrow(expect.objectContaining({ code: 'ERR_OPTIONS' }));
});

test.each([
  {
    name: 'openai',
    upload: (fetch: typeof globalThis.fetch, file: File) =>
      new OpenAI({ apiKey: 'k', fetch }).files.create({ file, purpose: 'batch' }),
  },
  {
    name: 'anthropic',
    upload: (fetch: typeof globalThis.fetch, file: File) =>
      new Anthropic({ apiKey: 'k', fetch }).beta.files.upload({ file }),
  },
])(
  'an upload with $name: the look at data: passes uncounted, the form arrives',
  async ({ upload }) => {
    const seen = transport();
    const router = createRouter({ fetch: seen });
    const records = recordsOf(router);
    await upload(router.fetch, new File(['{"line":1}'], 'batch.jsonl'));

    const urls = seen.mock.calls.map(([url]) => String(url));
    expect(urls.filter((url) => url.startsWith('data:'))).toHaveLength(1);
    expect(urls.filter((url) => url.startsWith('https:'))).toHaveLength(1);
    const form = seen.mock.calls.at(-1)![1]?.body as FormData;
    expect(await (form.get('file') as File).text()).toBe('{"line":1}');
    await router.flush();
    expect(records).toHaveLength(1);
    expect(router.snapshot().calls).toEqual({ active: 0, activeStreams: 0, finished: { ok: 1 } });
  },
);
