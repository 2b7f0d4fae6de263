import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { formatTraceparent, parseTraceparent } from '../../src/util/traceparent.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';

describe('parseTraceparent', () => {
  test.each([
    ['sampled', `00-${traceId}-${spanId}-01`, true],
    ['not sampled', `00-${traceId}-${spanId}-00`, false],
    ['other flags that are not known', `00-${traceId}-${spanId}-fe`, false],
    ['sampled among other flags', `00-${traceId}-${spanId}-03`, true],
    ['a later version', `01-${traceId}-${spanId}-01`, true],
    ['a later version with more behind it', `cc-${traceId}-${spanId}-01-what-comes`, true],
    ['a later version with an empty rest', `cc-${traceId}-${spanId}-01-`, true],
  ])('reads %s', (_what, text, sampled) => {
    expect(parseTraceparent(text)).toEqual({ traceId, spanId, sampled });
  });

  test.each([
    ['nothing', ''],
    ['version ff', `ff-${traceId}-${spanId}-01`],
    ['a version that is not hex', `0x-${traceId}-${spanId}-01`],
    ['a trace id of zeros', `00-${'0'.repeat(32)}-${spanId}-01`],
    ['a span id of zeros', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['upper case', `00-${traceId.toUpperCase()}-${spanId}-01`],
    ['flags in upper case', `00-${traceId}-${spanId}-0A`],
    ['no flags', `00-${traceId}-${spanId}`],
    ['one digit of flags', `00-${traceId}-${spanId}-1`],
    ['a short trace id', `00-${traceId.slice(1)}-${spanId}-01`],
    ['a long span id', `00-${traceId}-${spanId}0-01`],
    ['more behind version 00', `00-${traceId}-${spanId}-01-x`],
    ['a dash behind version 00', `00-${traceId}-${spanId}-01-`],
    ['more behind a later version without a dash', `01-${traceId}-${spanId}-01x`],
    ['blanks', ` 00-${traceId}-${spanId}-01`],
    ['a line end', `00-${traceId}-${spanId}-01\n`],
    ['a line end behind a later version', `01-${traceId}-${spanId}-01\n`],
    ['two of them', `00-${traceId}-${spanId}-01,00-${traceId}-${spanId}-01`],
  ])('refuses %s', (_what, text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });

  test('reads back what formatTraceparent writes', () => {
    const hex = (digits: number) =>
      fc.stringMatching(new RegExp(`^[0-9a-f]{${digits}}$`)).filter((text) => !/^0+$/.test(text));
    fc.assert(
      fc.property(hex(32), hex(16), fc.boolean(), (traceId, spanId, sampled) => {
        const trace = { traceId, spanId, sampled };
        expect(parseTraceparent(formatTraceparent(trace))).toEqual(trace);
      }),
    );
  });

  test('takes whatever it is given', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80, unit: 'binary' }), (text) => {
        const parsed = parseTraceparent(text);
        if (parsed !== undefined) expect(text).toContain(parsed.traceId);
      }),
    );
  });
});
