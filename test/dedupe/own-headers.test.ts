import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { OwnHeaders } from '../../src/dedupe/own-headers.ts';
import { LazyHeaders } from '../../src/http/lazy-headers.ts';

const fields = { 'content-type': 'application/json', 'x-id': 'shared', 'x-other': '1' };
const own = { 'x-id': 'own', 'x-new': '2' };

describe.each([
  [
    'of the platform',
    new Headers([...Object.entries(fields), ['set-cookie', 'a=1'], ['set-cookie', 'b=2']]),
  ],
  ['of the HTTP parser', new LazyHeaders({ ...fields, 'set-cookie': ['a=1', 'b=2'] })],
])('over headers %s', (_name, shared) => {
  const headers = new OwnHeaders(shared, own);
  const platform = new Headers([
    ...Object.entries({ ...fields, ...own }),
    ['set-cookie', 'a=1'],
    ['set-cookie', 'b=2'],
  ]);

  test('it reads as the platform’s would', () => {
    expect(headers).toBeInstanceOf(Headers);
    for (const name of ['X-Id', 'x-new', 'content-type', 'Set-Cookie', 'missing', 'constructor']) {
      expect([name, headers.get(name)]).toEqual([name, platform.get(name)]);
      expect([name, headers.has(name)]).toEqual([name, platform.has(name)]);
    }
    expect(headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect([...headers]).toEqual([...platform]);
    expect([...headers.entries()]).toEqual([...platform.entries()]);
    expect([...headers.keys()]).toEqual([...platform.keys()]);
    expect([...headers.values()]).toEqual([...platform.values()]);
    expect([...new Headers(headers)]).toEqual([...platform]);
    expect(inspect(headers)).toContain("'x-id': 'own'");
  });

  test('forEach gives itself', () => {
    const seen: unknown[] = [];
    headers.forEach(function each(this: unknown, value, name, parent) {
      seen.push([this, name, value, parent === headers]);
    }, 'self');
    expect(seen).toContainEqual(['self', 'x-id', 'own', true]);
    expect(seen).toHaveLength([...platform].length);
  });

  test('it cannot be changed, nor does it change what is shared', () => {
    const seen: Headers = headers;
    expect(() => seen.set('x-id', 'other')).toThrow(TypeError);
    expect(shared.get('x-id')).toBe('shared');
  });
});
