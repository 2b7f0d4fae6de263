import type { Random } from '../../types.ts';
import type { FaultGate } from './fault-gate.ts';
import type { Surroundings } from './types.ts';
import type { Unanswered } from './unanswered.ts';

export interface SurroundingsOptions {
  readonly random: Random;
  /** How many requests wait to be sent. */
  readonly waiting: () => number;
  /** How many are under way. */
  readonly inFlight: () => number;
  readonly unanswered: Unanswered;
  readonly faultGate: FaultGate;
}

/** What the parts of a limiter see of the whole, as it is at any moment. */
export function createSurroundings(options: SurroundingsOptions): Surroundings {
  const { random, waiting, inFlight, unanswered, faultGate } = options;
  return {
    random,
    get headMs() {
      return unanswered.meanMs;
    },
    get waiting() {
      return waiting();
    },
    get inFlight() {
      return inFlight();
    },
    get unanswered() {
      return unanswered.size;
    },
    get isFaulty() {
      return faultGate.state !== 'working';
    },
  };
}
