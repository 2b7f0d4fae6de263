import type { SimulatedLimit } from '../../../src/testing/simulate/traffic/options.ts';
import type { Scenario } from '../scenario.ts';
import { SATURATING, squares, steps, TOLD } from './shapes.ts';

/** Anthropic's three buckets; `hold`: minutes of the limit that they hold. Output counts as it is written. */
function buckets(
  requests: number,
  inputTokens: number,
  outputTokens: number,
  hold = 1,
): readonly SimulatedLimit[] {
  return [
    { unit: 'requests', limit: requests, burst: requests * hold },
    { unit: 'inputTokens', limit: inputTokens, burst: inputTokens * hold },
    { unit: 'outputTokens', limit: outputTokens, burst: outputTokens * hold, charge: 'actual' },
  ];
}

/** OpenAI's two: all output that is asked for counts at once, and a refused request counts as one. */
function openaiBuckets(requests: number, tokens: number, hold = 1): readonly SimulatedLimit[] {
  return [
    { unit: 'requests', limit: requests, burst: requests * hold, chargeRefused: true },
    { unit: 'tokens', limit: tokens, burst: tokens * hold, charge: 'max' },
  ];
}

/** Providers that say with every answer how much is left. */
export const WITH_HEADERS: readonly Scenario[] = [
  {
    name: 'headers, input tokens',
    minutes: 30,
    unit: 'inputTokens',
    format: 'anthropic',
    provider: { limits: buckets(60, 45_000, 90_000) },
    goal: TOLD,
    load: { ...SATURATING, sizes: 'documents', maxInputTokens: 16_000 },
    isQuick: true,
  },
  {
    name: 'headers, output tokens',
    minutes: 30,
    unit: 'outputTokens',
    format: 'anthropic',
    provider: { limits: buckets(1000, 400_000, 16_000) },
    goal: TOLD,
    load: { ...SATURATING, sizes: 'chat', outputMedian: 300 },
  },
  {
    name: 'headers, output reserved',
    minutes: 20,
    unit: 'outputTokens',
    format: 'anthropic',
    provider: {
      limits: [
        { unit: 'requests', limit: 120 },
        { unit: 'inputTokens', limit: 300_000 },
        { unit: 'outputTokens', limit: 40_000, charge: 'reserve' },
      ],
    },
    goal: TOLD,
    load: { ...SATURATING, sizes: 'chat', outputMedian: 400 },
  },
  {
    name: 'headers, below the limit',
    minutes: 15,
    unit: 'requests',
    format: 'anthropic',
    provider: { limits: buckets(280, 420_000, 90_000, 0.2) },
    goal: TOLD,
    load: { share: 0.85, sizes: 'chat' },
  },
  {
    name: 'headers, batches',
    minutes: 24,
    unit: 'requests',
    format: 'anthropic',
    provider: { limits: buckets(180, 280_000, 75_000, 0.5) },
    goal: TOLD,
    load: {
      share: 0.4,
      sizes: 'chat',
      batches: { everyMinutes: 4, quotaMinutes: 1.5, mix: [0, 0, 3, 2] },
    },
  },
  {
    name: 'headers, tokens at admission',
    minutes: 20,
    unit: 'chargedTokens',
    format: 'openai',
    provider: { limits: openaiBuckets(500, 220_000) },
    goal: TOLD,
    load: { ...SATURATING, backlog: 60, sizes: 'documents', maxInputTokens: 30_000 },
  },
  {
    name: 'headers, one a second',
    minutes: 20,
    unit: 'requests',
    format: 'openai',
    provider: { limits: openaiBuckets(60, 400_000, 0.05) },
    goal: TOLD,
    load: { ...SATURATING, backlog: 20, sizes: 'small' },
    isQuick: true,
  },
  {
    name: 'headers, steps',
    minutes: 36,
    unit: 'requests',
    format: 'openai',
    provider: {
      limits: [{ unit: 'requests', limit: 60, burst: 15, schedule: steps(20, 60) }],
      retryAfter: 'seconds',
    },
    goal: TOLD,
    load: { share: 1.1, backlog: 30, sizes: 'small' },
  },
  {
    name: 'headers, a neighbour',
    minutes: 30,
    unit: 'requests',
    format: 'anthropic',
    provider: {
      limits: buckets(120, 1_000_000, 400_000, 0.25),
      neighbours: { requestsPerMinute: squares(72) },
    },
    goal: { ...TOLD, refused: 15 },
    load: { share: 1.2, backlog: 30, sizes: 'small' },
  },
  {
    name: 'headers, four processes',
    minutes: 20,
    unit: 'requests',
    format: 'anthropic',
    provider: { limits: buckets(200, 2_000_000, 400_000, 0.25) },
    goal: { ...TOLD, refused: 5 },
    load: { ...SATURATING, sizes: 'small' },
    processes: 4,
  },
  {
    name: 'headers, clocks gone wrong',
    minutes: 15,
    unit: 'requests',
    format: 'anthropic',
    provider: { limits: buckets(120, 2_000_000, 400_000, 0.25) },
    goal: TOLD,
    load: { share: 1.1, backlog: 20, sizes: 'small' },
    serverAheadMs: 90_000,
    clockFaults: [
      { kind: 'wall jump', at: 240_000, byMs: 3_600_000 },
      { kind: 'wall jump', at: 480_000, byMs: -7_200_000 },
      { kind: 'pause', from: 660_000, to: 685_000 },
    ],
  },
];
