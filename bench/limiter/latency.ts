import type { SimulatedLatency } from '../../src/testing/simulate/traffic/options.ts';
import type { Scenario } from './scenario.ts';
import type { WorkCall } from './workload.ts';

/** How fast a model answers. */
export type Latency = Readonly<Record<keyof SimulatedLatency, number>>;

const USUAL: Latency = { headMs: 600, perInputTokenMs: 0.02, tokensPerSecond: 80, jitter: 0.3 };

/** A scenario's, where it has one of its own. */
export function latencyOf({ latency }: Scenario): Latency {
  return { ...USUAL, ...latency };
}

/** How long an answer takes when nothing slows it down, in milliseconds. */
export function durationOf(
  scenario: Scenario,
  { inputTokens, outputTokens }: Pick<WorkCall, 'inputTokens' | 'outputTokens'>,
): number {
  const { headMs, perInputTokenMs, tokensPerSecond } = latencyOf(scenario);
  return headMs + inputTokens * perInputTokenMs + (outputTokens * 1000) / tokensPerSecond;
}
