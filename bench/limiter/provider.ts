import { z } from 'zod';
import { simulateProvider } from '../../src/testing/index.ts';
import type { Clock } from '../../src/types.ts';
import { createDraw } from './draw.ts';
import { latencyOf } from './latency.ts';
import { numbersOf } from './requests.ts';
import type { Scenario } from './scenario.ts';

const bodySchema = z.object({ messages: z.tuple([z.object({ content: z.string() })]) });

/** The scenario's provider: it counts what the prompts say that they are. */
export function createProvider(
  scenario: Scenario,
  clock: Clock,
  seed: number,
): typeof globalThis.fetch {
  const { provider, format, serverAheadMs = 0 } = scenario;
  const serverClock = { ...clock, wallNow: () => clock.wallNow() + serverAheadMs };
  return simulateProvider({
    ...(format === 'anthropic'
      ? { provider: 'anthropic' }
      : // Its cache has marks, of which there are none: nothing is read from it.
        { provider: 'openai', model: 'gpt-5.6' }),
    ...provider,
    latency: latencyOf(scenario),
    clock: serverClock,
    random: createDraw(seed, 'provider').random,
    tokensOf: (text) => numbersOf(text).inputTokens,
    answer: ({ body }) => ({
      text: 'ok',
      outputTokens: numbersOf(bodySchema.parse(body).messages[0].content).outputTokens,
    }),
  });
}
