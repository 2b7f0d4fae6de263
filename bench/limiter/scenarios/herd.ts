import type { SimulatedLimit } from '../../../src/testing/simulate/traffic/options.ts';
import type { Scenario } from '../scenario.ts';
import { FOUND } from './shapes.ts';

/** Sixty calls at once where five a second are allowed, and a refusal says to come again in a second. */
function herd(name: string, limit: Partial<SimulatedLimit>): Scenario {
  return {
    name,
    minutes: 5,
    unit: 'requests',
    format: 'openai',
    provider: {
      headers: 'none',
      retryAfter: 1,
      limits: [{ unit: 'requests', limit: 5, windowMs: 1000, ...limit }],
    },
    latency: { headMs: 40, tokensPerSecond: 100_000, jitter: 0 },
    goal: FOUND,
    load: { share: 0, backlog: 60, sizes: 'small' },
    isQuick: true,
  };
}

export const HERDS: readonly Scenario[] = [
  herd('60 at once, 5 a second', {}),
  herd('60 at once, 5 a second, refused calls count', {
    algorithm: 'sliding-window',
    chargeRefused: true,
  }),
];
