import { createBucketMeter } from '../../src/testing/simulate/traffic/bucket-meter.ts';
import { limitSchedule } from '../../src/testing/simulate/traffic/limit-schedule.ts';
import type { SimulatedLimit } from '../../src/testing/simulate/traffic/options.ts';
import type { Clock } from '../../src/types.ts';
import { PRIORITIES, type WorkCall } from './workload.ts';

export interface FixedBucketOptions {
  readonly clock: Clock;
  /** What its operator has configured. */
  readonly limits: readonly SimulatedLimit[];
  /** Between how many processes they are shared out. */
  readonly processes: number;
  /** What an answer usually has, for limits that count output as it is written. */
  readonly usualOutputTokens: number;
}

/** Lets calls go at fixed rates. */
export interface FixedBucket {
  /** Resolves when the call may be sent: the most urgent first, then in the order in which they came here. */
  admit(call: WorkCall): Promise<void>;
}

/** One token bucket for each limit, of the provider's rate and size. They learn nothing, from answers and refusals neither. */
export function createFixedBucket(options: FixedBucketOptions): FixedBucket {
  const { clock } = options;
  const buckets = options.limits.map((limit) => bucketOf(limit, options));
  const waiting = PRIORITIES.map((): Array<{ call: WorkCall; go: () => void }> => []);
  let timer: unknown;

  function pump(): void {
    clock.clearTimeout(timer);
    for (;;) {
      const queue = waiting.find(({ length }) => length > 0);
      const [head] = queue ?? [];
      if (head === undefined) return;
      const now = clock.now();
      const wait = Math.max(0, ...buckets.map((bucket) => bucket.waitMs(head.call, now)));
      if (wait > 0) {
        timer = clock.setTimeout(pump, wait);
        return;
      }
      for (const bucket of buckets) bucket.take(head.call, now);
      queue?.shift();
      head.go();
    }
  }

  return {
    admit: (call) =>
      new Promise((resolve) => {
        waiting[PRIORITIES.indexOf(call.priority)]?.push({ call, go: resolve });
        pump();
      }),
  };
}

interface Bucket {
  waitMs(call: WorkCall, now: number): number;
  take(call: WorkCall, now: number): void;
}

function bucketOf(
  { unit, limit, burst = limit, charge, windowMs = 60_000 }: SimulatedLimit,
  { processes, usualOutputTokens }: FixedBucketOptions,
): Bucket {
  const size = burst / processes;
  const schedule = limitSchedule(limit / processes);
  const meter = createBucketMeter({ schedule, windowMs, startAt: 0, burst: size });
  const output = (call: WorkCall): number =>
    charge === 'actual' ? usualOutputTokens : call.maxTokens;
  const cost = (call: WorkCall): number => {
    // A quarter of the characters is what one can see of the input.
    const input = call.characters / 4;
    switch (unit) {
      case 'requests':
        return 1;
      case 'inputTokens':
        return input;
      case 'outputTokens':
        return output(call);
      case 'tokens':
        return input + output(call);
    }
  };
  return {
    // What is larger than the bucket goes when it is full.
    waitMs: (call, now) => meter.waitMs(Math.min(size, cost(call)), now),
    take: (call, now) => void meter.take(cost(call), now),
  };
}
