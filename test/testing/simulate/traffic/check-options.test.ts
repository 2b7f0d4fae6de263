import { expect, test } from 'vitest';
import { createVirtualClock, simulateProvider } from '../../../../src/testing/index.ts';
import type { SimulateOptions } from '../../../../src/testing/index.ts';

const requests = { unit: 'requests', limit: 10 };
const tokens = { unit: 'tokens', limit: 10 };

test.each<[options: object, complaint: RegExp]>([
  [{ limit: [requests] }, /Unrecognized key: "limit"/],
  [{ limits: requests }, /expected array(.|\n)*at limits/],
  [{ limits: [{ ...requests, burts: 1 }] }, /Unrecognized key: "burts"(.|\n)*at limits\[0\]/],
  [{ limits: [{ limit: 10 }] }, /at limits\[0\]\.unit/],
  [{ limits: [{ ...requests, unit: 'rpm' }] }, /"outputTokens"(.|\n)*at limits\[0\]\.unit/],
  [{ limits: [{ ...requests, limit: 0 }] }, />0(.|\n)*at limits\[0\]\.limit/],
  [{ limits: [{ ...requests, limit: Infinity }] }, /at limits\[0\]\.limit/],
  [{ limits: [{ ...requests, windowMs: -1 }] }, /at limits\[0\]\.windowMs/],
  [
    { limits: [{ ...requests, burst: 5, algorithm: 'fixed-window' }] },
    /a fixed-window has none(.|\n)*at limits\[0\]\.burst/,
  ],
  [{ limits: [{ ...requests, offsetMs: 5 }] }, /a bucket has no windows(.|\n)*offsetMs/],
  [
    {
      limits: [
        {
          ...requests,
          schedule: [
            [2, 1],
            [1, 1],
          ],
        },
      ],
    },
    /expected times that rise/,
  ],
  [{ limits: [{ ...requests, schedule: [[2, 0]] }] }, /at limits\[0\]\.schedule\[0\]\[1\]/],
  [{ limits: [{ ...requests, charge: 'max' }] }, /requests count no output(.|\n)*charge/],
  [{ limits: [{ ...requests, countsCacheReads: true }] }, /requests count no input/],
  [{ limits: [{ ...tokens, charge: 'none' }] }, /at limits\[0\]\.charge/],
  [{ limits: [{ ...tokens, per: 'key' }] }, /at limits\[0\]\.per/],
  [{ headers: 'azure' }, /at headers/],
  [{ retryAfter: -1 }, /at retryAfter/],
  [{ maxConcurrent: 0 }, /at maxConcurrent/],
  [{ maxConcurrent: 1, clock: undefined }, /needs a clock(.|\n)*at maxConcurrent/],
  [{ latency: {}, clock: undefined }, /needs a clock(.|\n)*at latency/],
  [{ load: { knee: 1 }, clock: undefined }, /needs a clock(.|\n)*at load/],
  [{ latency: {}, durationMs: 5 }, /give one or the other(.|\n)*at latency/],
  [{ latency: { headMs: -1 } }, /at latency/],
  [{ latency: 500 }, /at latency/],
  [{ latency: { jitter: 1.1 } }, /at latency/],
  [{ load: { knee: 0 } }, /at load\.knee/],
  [{ load: { knee: 5, hard: 4 } }, /expected the knee \(5\) or more, got 4(.|\n)*at load\.hard/],
  [{ overload: [{ from: 0, to: 1 }] }, /at overload\[0\]\.share/],
  [{ overload: [{ from: 0, to: 1, share: 2 }] }, /at overload\[0\]\.share/],
  [{ overload: [{ from: 1, to: 1, share: 0 }] }, /after 1, got 1(.|\n)*at overload\[0\]\.to/],
  [{ overload: [{ from: 0, to: 1, share: 0, status: 500 }] }, /at overload\[0\]\.status/],
  [{ outages: [{ from: 0, to: 1, kind: 'slow' }] }, /at outages\[0\]\.kind/],
  [{ outages: [{ from: 5, to: 1, kind: 'hang' }] }, /at outages\[0\]\.to/],
  [{ neighbours: { requestsPerMinute: 5 } }, /give some(.|\n)*at neighbours/],
  [{ limits: [requests], neighbours: { requestsPerMinute: -5 } }, /at neighbours/],
  [{ limits: [requests], neighbours: {} }, /at neighbours\.requestsPerMinute/],
  [{ random: 4 }, /expected a function \(\) => number, received number(.|\n)*at random/],
])('%j is refused', (options, complaint) => {
  const clock = createVirtualClock();
  const given = { provider: 'openai', clock, ...options } as SimulateOptions;
  expect(() => simulateProvider(given)).toThrow(TypeError);
  expect(() => simulateProvider(given)).toThrow(complaint);
  expect(() => simulateProvider(given)).toThrow('docs/testing.md');
});

test('undefined is as good as nothing', () => {
  const options = { limits: undefined, latency: undefined, random: undefined, load: undefined };
  const provider = simulateProvider({ provider: 'openai', durationMs: 0, ...options });
  expect(provider.totals()).not.toHaveProperty('refusals');
});
