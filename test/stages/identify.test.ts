import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asksForStream } from '../../src/stages/identify.ts';
import { JsonView } from '../../src/util/json-view.ts';

const asks = (text: string): boolean => asksForStream(new JsonView(text));

test.each([
  ['{"model":"m","stream":true}', true],
  ['{"stream":true}', true],
  ['{"stream":false}', false],
  ['{"stream":true,"model":"m"}', true],
  ['{"model":"m","stream":true,"stream":false}', false],
  ['{"a":{"b":1,"stream":true}}', false],
  [String.raw`{"a":"b,\"stream\":true}"}`, false],
  [String.raw`{"b,\"stream":true}`, false],
  ['{"stream_options":{"x":1},"stream":true }', true],
  ['{"model":"m"}', false],
])('%s', (text, wanted) => {
  expect(asks(text)).toBe(wanted);
});

test('as JSON.parse reads it, whatever the body', () => {
  const body = fc.record(
    { a: fc.jsonValue(), stream: fc.constantFrom(true, false, null, 'true'), b: fc.jsonValue() },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(
      body,
      fc.nat(2),
      fc.shuffledSubarray(['a', 'stream', 'b']),
      (value, indent, keys) => {
        const text = JSON.stringify(value, keys.length > 0 ? undefined : ['stream'], indent);
        expect(asks(text)).toBe((JSON.parse(text) as { stream?: unknown }).stream === true);
      },
    ),
  );
});
