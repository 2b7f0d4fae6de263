import { expect, test } from 'vitest';
import { openai } from '../../adapters/openai/index.ts';
import { chatCompletions } from '../../adapters/openai/wire.ts';
import { adapterContract, type AdapterCase } from '../../src/testing/adapter-contract.ts';
import type { Endpoint, ProviderAdapter, Wire } from '../../src/types.ts';

const cases: AdapterCase[] = [
  {
    name: 'a stream',
    url: 'https://api.openai.com/v1/chat/completions',
    events: [
      '{"model":"m","choices":[]}',
      '{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}',
      '[DONE]',
    ],
    expect: { input: { total: 3, uncached: 3 }, output: { total: 2 }, complete: true },
  },
];

function failing(adapter: ProviderAdapter): string[] {
  return adapterContract(adapter, cases)
    .filter((check) => {
      try {
        check.run();
        return false;
      } catch {
        return true;
      }
    })
    .map((check) => check.name.replace(/^.*?: /, ''));
}

function withWire(wire: Partial<Wire>): ProviderAdapter {
  const endpoint: Endpoint = {
    provider: 'p',
    api: 'chat.completions',
    wire: { ...chatCompletions, name: 'w', ...wire },
  };
  return { name: 'p', match: (url) => (url.pathname.startsWith('/v1/') ? endpoint : undefined) };
}

test('a sound adapter passes', () => {
  expect(failing(openai())).toEqual([]);
  expect(failing(withWire({}))).toEqual([]);
});

test.each<[string, Partial<Wire>, string]>([
  ['marks that miss usage', { marks: ['[DONE]'] }, 'reads a stream'],
  ['too many marks', { marks: ['a', 'b', 'c', 'd', 'e', '"prompt_tokens"'] }, 'w has few marks'],
  [
    'negative buckets',
    {
      usage: (raw) => ({
        inputTokens: { total: -1 },
        outputTokens: {},
        grade: 'partial',
        raw,
      }),
    },
    'w takes any usage',
  ],
  [
    'a throw on odd text',
    { outputText: (json) => JSON.stringify(JSON.parse(json.text)) },
    'w takes any text',
  ],
  [
    'an error text in the facts',
    { answer: (json, facts) => void (facts.error = { type: json.text }) },
    'w keeps messages out',
  ],
])('%s is found', (_, wire, check) => {
  expect(failing(withWire(wire))).toContain(check);
});

test('an adapter that takes every URL is found', () => {
  const adapter = openai();
  const greedy = {
    ...adapter,
    match: (url: URL) => adapter.match(url) ?? ({ provider: 'x', api: 'other' } as const),
  };
  expect(failing(greedy)).toEqual(['leaves URLs alone that say nothing']);
});
