import { afterAll, describe, expect, test } from 'vitest';
import { assembled, openaiCalls, parsed, raw } from './openai-calls.ts';
import { createStage, expectSame } from './parity.ts';
import { grouped } from './recorded-calls.ts';

describe('the openai package gives the same through a router', { timeout: 30_000 }, () => {
  const stage = createStage();
  afterAll(() => stage[Symbol.asyncDispose]());

  test.each(grouped(openaiCalls))('%s', async (_name, calls) => {
    for (const [index, call] of calls.entries()) {
      await expectSame(stage, call, parsed);
      if (index % 4 === 0) await expectSame(stage, call, raw);
      if (call.recording.stream && /^\/(?:chat|responses)/.test(call.path)) {
        await expectSame(stage, call, assembled);
      }
    }
  });

  test('nearly all of it was data, not errors', () => {
    expect(stage.readable).toBeGreaterThan(0.8);
  });
});

describe('usage that only the router asked for', () => {
  const stage = createStage();
  afterAll(() => stage[Symbol.asyncDispose]());
  const asked = openaiCalls.filter(
    ({ path, body }) => path === '/chat/completions' && 'stream_options' in body,
  );

  test('reaches the record and not the host', async () => {
    let hidden = 0;
    for (const { body, ...call } of asked) {
      const { stream_options: _asked, ...silent } = body;
      const seen = await stage.bothWays(call.recording, (fetch) =>
        parsed({ ...call, body: silent }, fetch),
      );
      const [direct, routed] = [seen.direct, seen.routed].map(eventsIn);
      const ordinary = direct!.filter((event) => !isUsageOnly(event));
      hidden += direct!.length - ordinary.length;
      // Providers that are not asked, because they send usage anyway, may keep what they send.
      const wanted = routed!.length === direct!.length ? direct : ordinary;
      expect(routed, call.recording.id).toEqual(wanted);
      if (call.recording.provider === 'openai') {
        expect(routed, call.recording.id).toEqual(ordinary);
        if (ordinary.length < direct!.length) {
          expect(seen.records[0]?.usage.grade, call.recording.id).toBe('exact');
        }
      }
    }
    expect(hidden).toBeGreaterThan(0);
  });

  function eventsIn(outcome: unknown): ReadonlyArray<Record<string, unknown>> {
    return (outcome as { value?: { events?: Array<Record<string, unknown>> } }).value?.events ?? [];
  }

  function isUsageOnly({ choices, usage }: Record<string, unknown>): boolean {
    return (
      Array.isArray(choices) && choices.length === 0 && typeof usage === 'object' && usage !== null
    );
  }
});
