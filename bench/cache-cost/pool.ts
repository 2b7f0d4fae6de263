import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Job, Result } from './measure.ts';

/** More would only take memory: the recorded conversations are about a gigabyte of bodies, one after another. */
const MAX_WORKERS = 4;

/** Measures on all processors. Results come in the order of the jobs; the longest jobs should come first. */
export async function measureAll(
  jobs: readonly Job[],
  onStart: (job: Job) => void,
): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = [...jobs.entries()];
  const size = Math.min(MAX_WORKERS, availableParallelism(), jobs.length);
  await Promise.all(
    Array.from({ length: size }, async () => {
      const worker = new Worker(new URL('worker.ts', import.meta.url));
      try {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          const [index, job] = next;
          onStart(job);
          results[index] = await measureIn(worker, job);
        }
      } finally {
        await worker.terminate();
      }
    }),
  );
  return results;
}

function measureIn(worker: Worker, job: Job): Promise<Result> {
  return new Promise((resolve, reject) => {
    worker.removeAllListeners();
    worker.once('message', resolve).once('error', reject);
    // Threads have no origin.
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    worker.postMessage(job);
  });
}
