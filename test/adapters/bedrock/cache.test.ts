import { expect, test } from 'vitest';
import { bedrockCaching } from '../../../adapters/bedrock/cache.ts';
import { bedrock } from '../../../adapters/bedrock/index.ts';

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

test('only bodies in the Messages format have it', () => {
  const host = 'https://bedrock-runtime.us-east-1.amazonaws.com';
  const cacheAt = (path: string) => bedrock().match(new URL(path, host))?.cache;
  const claude = '/model/us.anthropic.claude-opus-4-5-20251101-v1%3A0';
  expect(cacheAt(`${claude}/invoke`)).toBe(bedrockCaching);
  expect(cacheAt(`${claude}/invoke-with-response-stream`)).toBe(bedrockCaching);
  expect(cacheAt('/anthropic/v1/messages')).toBe(bedrockCaching);
  expect(cacheAt(`${claude}/converse`)).toBeUndefined();
  expect(cacheAt('/model/amazon.nova-pro-v1%3A0/invoke')).toBeUndefined();
  expect(cacheAt('/openai/v1/chat/completions')).toBeUndefined();
});
