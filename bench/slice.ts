import type { BenchClient } from './clients/client.ts';

export interface SliceOptions {
  /** Calls under way at once. */
  readonly concurrency: number;
  /**
   * No call starts after the process has used so much CPU time. Not wall time: on a busy machine that would be another
   * amount of work for every slice.
   */
  readonly cpuMs: number;
  /** Nor after so long a time, where the client mostly waits. */
  readonly maxMs: number;
}

export interface SliceResult {
  readonly calls: number;
  /** Process CPU time of one call, in microseconds. */
  readonly cpuUsPerCall: number;
}

/**
 * Runs one client for a short while and measures the CPU time of the whole process: garbage collection and compilation on
 * other threads count.
 *
 * @throws Error when a call did not see the whole answer.
 */
export async function runSlice(
  client: BenchClient,
  { concurrency, cpuMs, maxMs }: SliceOptions,
): Promise<SliceResult> {
  globalThis.gc?.({ type: 'minor' });
  let calls = 0;
  let isOver = false;
  const startedAt = performance.now();
  const before = process.cpuUsage();
  const watch = setInterval(() => {
    isOver = usedUs(before) >= cpuMs * 1000 || performance.now() - startedAt >= maxMs;
  }, WATCH_MS);
  const repeat = async (): Promise<void> => {
    while (!isOver) {
      const seen = await client.call();
      if (seen !== client.expected) {
        throw new Error(`A call saw ${seen} of its answer, expected ${client.expected}.`);
      }
      calls++;
      // Without sockets a loop of promises never leaves the microtask queue, and until it does all its garbage stays
      // alive: every client would look slow.
      if (calls % CALLS_PER_TURN === 0) await nextTurn();
    }
  };
  try {
    await Promise.all(Array.from({ length: concurrency }, repeat));
    return { calls, cpuUsPerCall: usedUs(before) / calls };
  } finally {
    isOver = true;
    clearInterval(watch);
  }
}

const WATCH_MS = 20;
const CALLS_PER_TURN = 16;

function usedUs(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
