import { describe, expect, test } from 'vitest';
import { z } from 'zod';

import { sampleRecord } from '../src/testing/sample-record.ts';
import { usageRecordSchema } from '../src/usage-record.ts';

/** The messages for the sample with one member replaced, as `path: message`. */
function problems(change: Record<string, unknown>): string[] {
  const result = usageRecordSchema.safeParse({ ...sampleRecord(), ...change });
  return (result.error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('usageRecordSchema', () => {
  test('takes a whole record and gives it back unchanged', () => {
    const record = sampleRecord({
      route: 'fast',
      target: 'eu',
      errorCode: 'overloaded_error',
      dedupe: { role: 'follower', leaderId: 'x' },
      cache: {
        prefix: 'abc',
        marks: 2,
        expectedRead: 1000,
        miss: { reason: 'expired', position: 3, lostUsd: '0.01' },
      },
      saved: { cacheUsd: '-0.0005', dedupeUsd: '0' },
      context: { tenant: '', user: '', session: 's', priority: 'urgent', tags: { a: '' } },
    });
    expect(usageRecordSchema.parse(record)).toEqual(record);
  });

  test('takes a record of which nothing is known', () => {
    expect(
      problems({
        requestModel: undefined,
        attempt: 0,
        status: undefined,
        usage: { inputTokens: {}, outputTokens: {}, grade: 'none' },
        cost: { usd: null, price: 'unpriced' },
        saved: {},
        context: { priority: 'normal' },
      }),
    ).toEqual([]);
  });

  test('takes what a record looks like after JSON', () => {
    const record = JSON.parse(JSON.stringify(sampleRecord({ route: undefined })));
    expect(usageRecordSchema.safeParse(record).success).toBe(true);
  });

  test.each([
    [{ schemaVersion: 2 }, 'schemaVersion: Invalid input: expected 1'],
    [{ id: '0b1e8f6e-8f0e-4b7e-9c5e-1f2e3d4c5b6a' }, 'id: expected a UUIDv7'],
    [{ callId: '' }, 'callId: expected a non-empty string'],
    [{ attempt: -1 }, 'attempt: Too small'],
    [{ startedAt: '2026-01-31 12:00' }, 'startedAt: expected ISO 8601 in UTC'],
    [{ startedAt: '2026-01-31T12:00:00+01:00' }, 'startedAt: expected ISO 8601 in UTC'],
    [{ api: 'chat' }, 'api: Invalid option: expected one of "chat.completions"'],
    [{ outcome: 'failed' }, 'outcome: Invalid option: expected one of "ok"'],
    [{ status: 0 }, 'status: Too small'],
    [{ model: 'gpt-4o' }, ': Unrecognized key: "model"'],
    [{ timing: { queuedMs: 0, heldMs: 0, durationMs: -1 } }, 'timing.durationMs: Too small'],
    [
      { usage: { inputTokens: { total: 1.5 }, outputTokens: {}, grade: 'exact' } },
      'usage.inputTokens.total: Invalid input: expected int',
    ],
    [
      { usage: { inputTokens: { cached: 1 }, outputTokens: {}, grade: 'exact' } },
      'usage.inputTokens: Unrecognized key: "cached"',
    ],
    [{ cost: { usd: '1e-5', price: 'exact' } }, 'cost.usd: expected a decimal string'],
    [{ cost: { usd: 0.1, price: 'exact' } }, 'cost.usd: Invalid input: expected string'],
    [{ cost: { usd: '-1', price: 'exact' } }, 'cost.usd: expected a decimal string'],
    [{ saved: { cacheUsd: '+1' } }, 'saved.cacheUsd: expected a decimal string'],
    [{ context: { priority: 'top' } }, 'context.priority: Invalid option'],
    [
      { context: { priority: 'low', tags: { a: 1 } } },
      'context.tags.a: Invalid input: expected string',
    ],
  ])('names what is wrong in %j', (change, message) => {
    const found = problems(change);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(message);
  });

  test('tells all faults at once, without the values', () => {
    const result = usageRecordSchema.safeParse({ id: 'sk-secret', provider: 7 });
    const message = result.error === undefined ? '' : z.prettifyError(result.error);
    expect(message).toContain('at callId');
    expect(message).toContain('at cost');
    expect(message).not.toContain('sk-secret');
  });
});
