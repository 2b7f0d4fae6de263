import { describe, expect, test } from 'vitest';

import { otlpSink } from '../../../adapters/sinks/otlp/index.ts';
import { sinkContract } from '../../../src/testing/sink-contract.ts';
import { startReceiver, TIMEOUT_MS, uid } from './receiver.ts';

describe.each([
  ['logs', {}],
  ['logs and spans', { spans: 'operation+attempts', semconv: 'both', captureContent: true }],
] as const)('otlpSink with a receiver keeps the sink contract: %s', (_what, options) => {
  const cases = sinkContract({
    durable: true,
    async create() {
      const own = await startReceiver();
      const sink = otlpSink({ url: own.url, timeoutMs: TIMEOUT_MS, ...options });
      return {
        sink,
        readAll: async () => [...new Set(own.logs.map(uid))],
        reopen: async () => otlpSink({ url: own.url, timeoutMs: TIMEOUT_MS, ...options }),
        async dispose() {
          await sink.close?.();
          await own[Symbol.asyncDispose]();
        },
      };
    },
  });
  test.each(cases)('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});
