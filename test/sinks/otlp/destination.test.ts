import { describe, expect, test } from 'vitest';

import { destinationOf, resourceOf } from '../../../adapters/sinks/otlp/destination.ts';

const base = 'OTEL_EXPORTER_OTLP_ENDPOINT';
const own = 'OTEL_EXPORTER_OTLP_LOGS_ENDPOINT';
const headers = 'OTEL_EXPORTER_OTLP_HEADERS';

describe('destinationOf', () => {
  test.each([
    ['nothing', {}, 'http://localhost:4318/v1/logs'],
    ['an empty variable', { [base]: ' ' }, 'http://localhost:4318/v1/logs'],
    ['a base', { [base]: 'https://otel:1' }, 'https://otel:1/v1/logs'],
    ['a base with a path', { [base]: 'https://otel/a/' }, 'https://otel/a/v1/logs'],
    ['the endpoint of the signal, as it is', { [own]: 'https://otel/in' }, 'https://otel/in'],
    ['both', { [base]: 'http://a', [own]: 'https://otel/in?k=1' }, 'https://otel/in?k=1'],
    [
      'the endpoint of another signal',
      { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://a' },
      'http://localhost:4318/v1/logs',
    ],
  ])('takes %s of the environment', (_what, env, url) => {
    expect(destinationOf('logs', {}, env).url).toBe(url);
  });

  test.each([
    ['http://a', 'http://a/v1/traces'],
    ['http://a/', 'http://a/v1/traces'],
    ['http://a/base//', 'http://a/base/v1/traces'],
    ['http://a/v1/logs', 'http://a/v1/traces'],
    ['http://a/base/v1/traces/', 'http://a/base/v1/traces'],
    ['http://a/base?key=1', 'http://a/base/v1/traces?key=1'],
  ])('puts the path of the signal below %s', (url, expected) => {
    expect(destinationOf('traces', { url }, { [base]: 'http://other' }).url).toBe(expected);
  });

  test.each([headers, 'OTEL_EXPORTER_OTLP_LOGS_HEADERS'])(
    'refuses headers in %s that HTTP cannot carry, and does not show them',
    (name) => {
      const make = () => destinationOf('logs', {}, { [name]: 'x-key=SECRET%0Ax' });
      expect(make).toThrow(expect.objectContaining({ code: 'ERR_OPTIONS' }));
      expect(make).toThrow(`${name} must be headers that HTTP can carry`);
      expect(make).not.toThrow(/SECRET/);
    },
  );

  test('takes headers of the environment only for its own endpoint', () => {
    const env = { [base]: 'http://a', [headers]: 'x-key=a%20b%3D, x-b=1=2 ,bad,=no,x-c=%zz' };
    expect(destinationOf('logs', { headers: { 'x-b': 'mine' } }, env).headers).toEqual({
      'x-key': 'a b=',
      'x-b': 'mine',
      'x-c': '%zz',
    });
    expect(destinationOf('logs', { url: 'http://b' }, env).headers).toEqual({});
    expect(
      destinationOf('logs', {}, { ...env, OTEL_EXPORTER_OTLP_LOGS_HEADERS: 'only=this' }).headers,
    ).toEqual({ only: 'this' });
  });

  test.each(['', 'otel:4318', 'ftp://otel', 'http://user:pw@otel', '/v1/logs'])(
    'refuses %j',
    (url) => {
      const refused = expect.objectContaining({ code: 'ERR_OPTIONS' });
      expect(() => destinationOf('logs', { url }, {})).toThrow(refused);
      expect(() => destinationOf('logs', { url }, {})).toThrow(/url must be/);
      expect(() => destinationOf('logs', { url }, {})).not.toThrow(/pw/);
    },
  );

  test('names the variable that it refuses', () => {
    expect(() => destinationOf('logs', {}, { [own]: 'otel:4318' })).toThrow(new RegExp(own));
  });
});

describe('resourceOf', () => {
  test.each([
    [undefined, {}, { 'service.name': 'unknown_service:node' }],
    [undefined, { OTEL_SERVICE_NAME: 'shop' }, { 'service.name': 'shop' }],
    [
      undefined,
      { OTEL_RESOURCE_ATTRIBUTES: 'service.name=a,zone=b', OTEL_SERVICE_NAME: 'shop' },
      { 'service.name': 'shop', zone: 'b' },
    ],
    [{ 'service.name': 'mine' }, { OTEL_SERVICE_NAME: 'shop' }, { 'service.name': 'mine' }],
  ])('of %j and %j is %j', (given, env, expected) => {
    expect(resourceOf(given, env)).toEqual(expected);
  });
});
