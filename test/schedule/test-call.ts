import type { Waiter } from '../../src/schedule/types.ts';

/** A call that waits, with what it costs. */
export interface TestCall extends Waiter {
  readonly cost: number;
}

let sequence = 0;

/** A call that comes after all that were made before. */
export function testCall(parts: Partial<TestCall> = {}): TestCall {
  return { priority: 'normal', flow: 'a', arrivedAt: 0, sequence: sequence++, cost: 1, ...parts };
}
