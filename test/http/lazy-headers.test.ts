import { expect, test } from 'vitest';
import { addHeader, LazyHeaders } from '../../src/http/lazy-headers.ts';

test('a field that is added is there for every way of reading, and the parser’s object stays as it is', () => {
  const raw = { b: '1', 'set-cookie': ['x=1', 'y=2'], 'x-should-retry': 'true' };
  const headers = new LazyHeaders(raw);
  expect([...headers.keys()]).toEqual(['b', 'set-cookie', 'set-cookie', 'x-should-retry']);
  addHeader(headers, 'x-should-retry', 'false');
  addHeader(headers, 'a', '0');
  expect([...headers]).toEqual([
    ['a', '0'],
    ['b', '1'],
    ['set-cookie', 'x=1'],
    ['set-cookie', 'y=2'],
    ['x-should-retry', 'false'],
  ]);
  expect(headers.get('X-Should-Retry')).toBe('false');
  expect(raw).toEqual({ b: '1', 'set-cookie': ['x=1', 'y=2'], 'x-should-retry': 'true' });
  expect(() => headers.set()).toThrow('immutable');
});

test('headers of other kinds are changed where they can be', () => {
  const headers = new Headers({ a: '1' });
  addHeader(headers, 'a', '2');
  expect(headers.get('a')).toBe('2');
  const fixed = Response.error().headers;
  addHeader(fixed, 'a', '2');
  expect(fixed.get('a')).toBeNull();
});
