import { expect, test } from 'vitest';
import type { Call } from '../../src/call.ts';
import { demandOf } from '../../src/schedule/demand.ts';
import { JsonView } from '../../src/util/json-view.ts';

function demand(body: string, api = 'chat.completions') {
  return demandOf({
    body,
    json: new JsonView(body),
    endpoint: { provider: 'p', api },
    context: { priority: 'high' },
    attempts: [],
    attemptsLeft: 2,
    startedAt: 7,
  } as unknown as Call);
}

test.each([
  ['{"max_tokens":100}', 100],
  ['{"model":"m", "max_completion_tokens" : 30}', 30],
  ['{"max_output_tokens":20,"input":"x"}', 20],
  ['{"generationConfig":{"maxOutputTokens":7}}', 7],
  ['{"generation_config":{"max_output_tokens":7}}', 7],
  ['{"inferenceConfig":{"maxTokens":9}}', 9],
  ['{"max_tokens":100,"n":3}', 300],
  ['{"max_tokens":null}', undefined],
  ['{"messages":[{"content":"\\"max_tokens\\":5"}]}', undefined],
  ['{"messages":[{"content":"\\"max_tokens\\":5"}],"max_tokens":6}', 6],
  ['{"tools":[{"properties":{"max_tokens":{"type":"integer"}}}],"max_tokens":8}', 8],
  ['{}', undefined],
])('the most that an answer may have: %s', (body, most) => {
  expect(demand(body).maxOutputTokens).toBe(most);
});

test('embeddings have no output', () => {
  expect(demand('{"input":"x"}', 'embeddings').maxOutputTokens).toBe(0);
});

test('without a plan the input is estimated from the length', () => {
  expect(demand('{"a":"bcdefghijklmno"}')).toMatchObject({
    priority: 'high',
    arrivedAt: 7,
    attempt: 1,
    attemptsLeft: 2,
    inputTokens: 5.5,
    cachedTokens: 0,
  });
});
