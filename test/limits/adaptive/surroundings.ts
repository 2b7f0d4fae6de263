import type { Sent, Surroundings } from '../../../src/limits/adaptive/types.ts';
import type { Demand } from '../../../src/limits/types.ts';
import { demand } from './demand.ts';

/** What a part of the limiter sees of the whole, set by hand. */
export type Scene = { -readonly [K in keyof Surroundings]: Surroundings[K] };

export function surroundings(given: Partial<Surroundings> = {}): Scene {
  return {
    random: () => 0.5,
    headMs: 100,
    waiting: 1,
    inFlight: 0,
    unanswered: 0,
    isFaulty: false,
    ...given,
  };
}

export function request(sentAt: number, given: Partial<Demand> = {}): Sent {
  return { demand: demand(given), sentAt, inFlight: 1, headAt: undefined, fate: 'open' };
}
