import { describe, expect, test } from 'vitest';
import { createScopes } from '../../src/prompt-cache/scope.ts';

const KEY = 'sk-very-secret';
const scopes = createScopes();
const of = (headers: readonly string[], origin = 'https://a.example', model = 'm'): string =>
  scopes.of(origin, model, headers);

describe('requests share a prompt cache', () => {
  test.each([
    ['the same key, other headers', ['x-api-key', KEY, 'user-agent', 'x']],
    ['the header’s name in capitals', ['X-Api-Key', KEY]],
  ])('%s', (_name, headers) => {
    expect(of(headers)).toBe(of(['x-api-key', KEY]));
  });

  test('another router gives the same name', () => {
    expect(createScopes().of('https://a.example', 'm', ['x-api-key', KEY])).toBe(
      of(['x-api-key', KEY]),
    );
  });

  test.each([
    ['another key', of(['x-api-key', 'other'])],
    ['no key', of([])],
    ['another host', of(['x-api-key', KEY], 'https://b.example')],
    ['another model', of(['x-api-key', KEY], 'https://a.example', 'n')],
    ['a project', of(['x-api-key', KEY, 'openai-project', 'p'])],
  ])('not with %s', (_name, other) => {
    expect(other).not.toBe(of(['x-api-key', KEY]));
  });
});

test('the name says nothing of the key and ends where a hash may follow', () => {
  const name = of(['authorization', `Bearer ${KEY}`]);
  expect(name).not.toContain(KEY);
  expect(name).toMatch(/^[\w-]{8} https:\/\/a\.example m $/);
});

test('names stay the same after very many accounts', () => {
  const before = of(['x-api-key', KEY]);
  for (let i = 0; i < 1500; i++) of(['x-api-key', `${i}`]);
  expect(of(['x-api-key', KEY])).toBe(before);
});
