import { describe, expect, test } from 'vitest';
import { accountOf } from '../../src/util/account.ts';

const KEY = 'sk-very-secret';
const own = accountOf(['x-api-key', KEY]);

describe('one account', () => {
  test.each([
    ['the same key, other headers', ['x-api-key', KEY, 'user-agent', 'x']],
    ['the header’s name in capitals', ['X-Api-Key', KEY]],
  ])('%s', (_name, headers) => {
    expect(accountOf(headers)).toBe(own);
  });
});

describe('another account', () => {
  test.each([
    ['another key', ['x-api-key', 'other']],
    ['no key', []],
    ['a project', ['x-api-key', KEY, 'openai-project', 'p']],
  ])('%s', (_name, headers) => {
    expect(accountOf(headers)).not.toBe(own);
  });
});

test('the name says nothing of the key and is short', () => {
  const name = accountOf(['authorization', `Bearer ${KEY}`]);
  expect(name).not.toContain(KEY);
  expect(name).toMatch(/^[\w-]{8}$/);
});
