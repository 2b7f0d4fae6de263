import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Job, Result } from './measure.ts';

const MAX_WORKERS = 8;

/** Measures on all processors. Results come in the order of the jobs. */
export async function measureAll(
  jobs: readonly Job[],
  onDone: (result: Result) => void,
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
          const result = await measureIn(worker, job);
          results[index] = result;
          onDone(result);
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
