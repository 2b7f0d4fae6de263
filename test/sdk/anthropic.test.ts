import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { anthropicCalls, assembled, parsed, raw } from './anthropic-calls.ts';
import { createStage, expectSame } from './parity.ts';
import { grouped } from './recorded-calls.ts';

// The package warns on the console of models that will be switched off.
beforeEach(() => void vi.spyOn(console, 'warn').mockReturnValue());
afterEach(() => void vi.restoreAllMocks());

describe(
  'the @anthropic-ai/sdk package gives the same through a router',
  { timeout: 30_000 },
  () => {
    const stage = createStage();
    afterAll(() => stage[Symbol.asyncDispose]());

    test.each(grouped(anthropicCalls))('%s', async (_name, calls) => {
      for (const [index, call] of calls.entries()) {
        await expectSame(stage, call, parsed);
        if (index % 4 === 0) await expectSame(stage, call, raw);
        if (call.recording.stream && call.path === '/v1/messages') {
          await expectSame(stage, call, assembled);
        }
      }
    });

    test('nearly all of it was data, not errors', () => {
      expect(stage.readable).toBeGreaterThan(0.8);
    });
  },
);
