import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readError } from '../../adapters/shared/error-body.ts';
import { readErrorLimits } from '../../adapters/shared/error-limits.ts';
import type { AnswerFacts } from '../../src/types.ts';
import { JsonView } from '../../src/util/json-view.ts';

const read = (body: unknown): AnswerFacts => {
  const facts: AnswerFacts = {};
  readErrorLimits(new JsonView(JSON.stringify(body)), facts);
  return facts;
};
const saying = (message: string): AnswerFacts => read({ error: { message } });

describe('when to come again', () => {
  test.each([
    ['Please try again in 579ms. Visit …', 579],
    ['Please try again in 20s.', 20_000],
    ['Please try again in 12.441s. Visit …', 12_441],
    ['Please try again in 1m9.696s. Visit …', 69_696],
    ['Please try again in 2h30m0s.', 9_000_000],
    ['…\nPlease retry in 36.429760048s.', 36_429.760048],
    ['Please retry after 12 seconds.', 12_000],
    ['please try again after 1 second', 1000],
    ['please try again in 5 hours', 18_000_000],
    ['try again in 1 day', 86_400_000],
  ])('%s', (message, ms) => {
    expect(saying(message)).toEqual({ retryAfterMs: ms });
  });

  test.each([
    'Please try again later.',
    'Please retry in a while.',
    'retry in 5 maybe',
    'retry in 5mb',
    'retry in s',
    'in 5s',
  ])('%s', (message) => {
    expect(saying(message)).toEqual({});
  });

  test('wherever the message stands', () => {
    const message = 'try again in 3s';
    for (const body of [{ error: message }, { message }, { Message: message }]) {
      expect(read(body)).toEqual({ retryAfterMs: 3000 });
    }
  });

  test('Google’s details go before its message', () => {
    const details = [{ '@type': 'type.googleapis.com/google.rpc.Help' }, { retryDelay: '46s' }];
    expect(read({ error: { details, message: 'retry in 5s' } })).toEqual({ retryAfterMs: 46_000 });
    expect(read({ error: { details: [{ retryDelay: 'soon' }] } })).toEqual({});
  });
});

test('of an error that comes in an array, too, and of none where there is none', () => {
  const facts: AnswerFacts = {};
  readError(new JsonView('{"choices":[],"message":"try again in 3s"}'), facts);
  expect(facts).toEqual({});
  readError(new JsonView('[{"error":{"code":429,"message":"try again in 3s"}}]'), facts);
  expect(facts).toEqual({ error: { type: undefined, code: '429' }, retryAfterMs: 3000 });
});

test('whether waiting helps: a quota of a minute does, of a day or of nothing does not', () => {
  const quota = (violation: unknown): boolean | undefined =>
    read({ error: { details: [{ violations: [{ quotaId: 'PerMinute' }, violation] }] } })
      .hasNoQuota;
  expect(quota({ quotaId: 'GenerateRequestsPerMinute', quotaValue: '20' })).toBeUndefined();
  expect(quota({ quotaId: 'GenerateRequestsPerDay', quotaValue: '20' })).toBe(true);
  expect(quota({ quotaId: 'GenerateRequestsPerMinute', quotaValue: '0' })).toBe(true);
  expect(quota({ quotaValue: 0 })).toBe(true);
  expect(quota(null)).toBeUndefined();
});

test('takes any body, and keeps nothing of it but a time and a yes', () => {
  const phrase = fc.constantFrom(
    'retry in ',
    'try again after ',
    '9',
    '.',
    's',
    'm',
    'ms',
    ' days',
    ' ',
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(phrase).map((parts) => parts.join('')),
  );
  const value = fc.oneof(fc.jsonValue(), text, fc.constant(null));
  const body = fc.record(
    {
      message: value,
      error: fc.oneof(
        value,
        fc.record(
          {
            message: value,
            metadata: value,
            details: fc.oneof(
              value,
              fc.array(
                fc.record({ retryDelay: value, violations: fc.oneof(value, fc.array(value)) }),
              ),
            ),
          },
          { requiredKeys: [] },
        ),
      ),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(body, (given) => {
      const facts = read(given);
      expect(Object.keys(facts).every((key) => ['retryAfterMs', 'hasNoQuota'].includes(key))).toBe(
        true,
      );
      expect(facts.retryAfterMs ?? 0).toBeGreaterThanOrEqual(0);
      expect(facts.hasNoQuota ?? true).toBe(true);
    }),
  );
});
