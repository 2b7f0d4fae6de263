import type { Random } from '../../../types.ts';
import { checkLatency } from './check-options.ts';
import type { SimulatedLatency, TimedRequest } from './options.ts';

/** When parts of an answer come, in milliseconds from the request, if nothing slows it down. */
export interface Timing {
  readonly headMs: number;
  readonly durationMs: number;
}

/** Sizes that are only counted when they matter. */
export interface TimedSizes {
  readonly body: unknown;
  readonly inputTokens: number;
  readonly outputTokens: () => number;
}

/** How long each answer takes. `fixed`: without the option. */
export function createLatency(
  option: SimulatedLatency | ((request: TimedRequest) => SimulatedLatency) | undefined,
  fixed: Timing,
  random: Random,
): (request: TimedSizes) => Timing {
  if (option === undefined) return () => fixed;

  return ({ body, inputTokens, outputTokens: count }) => {
    const outputTokens = count();
    const latency =
      typeof option === 'function'
        ? checkLatency(option({ body, inputTokens, outputTokens }))
        : option;
    const { headMs = 1000, perInputTokenMs = 0, tokensPerSecond = 80, jitter = 0 } = latency;
    const varied = (ms: number): number =>
      jitter === 0 ? ms : ms * (1 + jitter * (2 * random() - 1));
    const head = varied(headMs + inputTokens * perInputTokenMs);
    return { headMs: head, durationMs: head + varied((outputTokens * 1000) / tokensPerSecond) };
  };
}
