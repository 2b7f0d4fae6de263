import type {
  SimulatedLimit,
  TrafficOptions,
} from '../../../src/testing/simulate/traffic/options.ts';
import type { Scenario } from '../scenario.ts';
import { FOUND, SATURATING, squares, steps } from './shapes.ts';

/** A bare 429, and nothing else. */
function silent(limit: Omit<SimulatedLimit, 'unit'>, others: TrafficOptions = {}): TrafficOptions {
  return {
    headers: 'none',
    retryAfter: 'none',
    limits: [{ unit: 'requests', ...limit }],
    ...others,
  };
}

const STEADY = { minutes: 30, unit: 'requests', format: 'nvidia' } as const;

/** Providers that say nothing of their limits, which nobody has configured. */
export const HIDDEN: readonly Scenario[] = [
  {
    ...STEADY,
    name: 'hidden, fixed window',
    provider: silent({ limit: 40, algorithm: 'fixed-window', offsetMs: 17_000 }),
    goal: FOUND,
    load: { ...SATURATING, backlog: 20, sizes: 'chat' },
    isQuick: true,
  },
  {
    ...STEADY,
    name: 'hidden, fixed window, batches',
    provider: silent({ limit: 40, algorithm: 'fixed-window', offsetMs: 23_000 }),
    goal: FOUND,
    load: {
      share: 0.5,
      sizes: 'chat',
      batches: { everyMinutes: 3, quotaMinutes: 1, mix: [0, 0, 3, 2] },
    },
  },
  {
    ...STEADY,
    name: 'hidden, sliding window',
    provider: silent({ limit: 50, algorithm: 'sliding-window' }),
    goal: FOUND,
    load: { ...SATURATING, backlog: 20, sizes: 'chat' },
  },
  {
    ...STEADY,
    name: 'hidden, bucket',
    provider: silent({ limit: 90, burst: 10 }),
    goal: FOUND,
    load: { ...SATURATING, backlog: 20, sizes: 'chat' },
  },
  {
    ...STEADY,
    name: 'hidden, bucket, steps',
    minutes: 36,
    provider: silent({ limit: 60, burst: 5, schedule: steps(20, 60) }),
    goal: { goodput: 90, refused: 35 },
    load: { share: 1.1, backlog: 30, sizes: 'small' },
    isQuick: true,
  },
  {
    ...STEADY,
    name: 'hidden, sliding window, steps',
    minutes: 36,
    provider: silent({ limit: 60, algorithm: 'sliding-window', schedule: steps(25, 60) }),
    goal: { goodput: 90, refused: 35 },
    load: { share: 1.1, backlog: 30, sizes: 'small' },
  },
  {
    ...STEADY,
    name: 'hidden, a neighbour',
    provider: silent({ limit: 120, burst: 30 }, { neighbours: { requestsPerMinute: squares(72) } }),
    goal: { goodput: 88, refused: 60 },
    load: { share: 1.2, backlog: 30, sizes: 'small' },
  },
  {
    ...STEADY,
    name: 'hidden, four processes',
    provider: silent({ limit: 80, algorithm: 'fixed-window', offsetMs: 5000 }),
    goal: { goodput: 94, refused: 40 },
    load: { ...SATURATING, sizes: 'small' },
    processes: 4,
  },
];
