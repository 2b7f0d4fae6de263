import { afterAll, describe, expect, test } from 'vitest';
import { googleCalls, parsed } from './google-genai-calls.ts';
import { createStage, expectSame } from './parity.ts';
import { grouped } from './recorded-calls.ts';

describe('the @google/genai package gives the same through a router', { timeout: 30_000 }, () => {
  const stage = createStage();
  afterAll(() => stage[Symbol.asyncDispose]());

  test.each(grouped(googleCalls))('%s', async (_name, calls) => {
    for (const call of calls) await expectSame(stage, call, parsed);
  });

  test('nearly all of it was data, not errors', () => {
    expect(stage.readable).toBeGreaterThan(0.8);
  });
});
