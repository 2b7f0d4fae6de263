import type { TrafficOptions } from '../../../src/testing/simulate/traffic/options.ts';
import type { Scenario } from '../scenario.ts';
import { SATURATING } from './shapes.ts';

const BARE: TrafficOptions = { headers: 'none', retryAfter: 'none' };
const GPU = { headMs: 500, tokensPerSecond: 60, jitter: 0.2 };

/** Servers that bear so many requests at once, whatever the rate. */
export const SERVERS: readonly Scenario[] = [
  {
    name: 'server, slows down, then refuses',
    minutes: 20,
    unit: 'requests',
    format: 'nvidia',
    latency: GPU,
    provider: { ...BARE, load: { knee: 12, hard: 24, degrade: 0.5 } },
    goal: { goodput: 90, refused: 10 },
    load: { ...SATURATING, backlog: 30, sizes: 'chat', outputMedian: 250 },
  },
  {
    name: 'server, collapses',
    minutes: 20,
    unit: 'requests',
    format: 'nvidia',
    latency: GPU,
    provider: { ...BARE, load: { knee: 8, hard: 60, degrade: 0.35 } },
    goal: { goodput: 90, refused: 10 },
    load: { ...SATURATING, backlog: 30, sizes: 'chat', outputMedian: 250 },
    isQuick: true,
  },
  {
    name: 'server, ten at once',
    minutes: 20,
    unit: 'requests',
    format: 'nvidia',
    provider: { ...BARE, maxConcurrent: 10 },
    goal: { goodput: 90, refused: 10 },
    load: { share: 1.2, backlog: 30, sizes: 'chat', outputMedian: 200 },
  },
];
