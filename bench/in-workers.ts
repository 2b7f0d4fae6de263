import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

export interface InWorkersOptions<Job, Result> {
  /** The program of a worker: it is sent jobs and answers each with its result. */
  readonly worker: URL;
  readonly maxWorkers: number;
  readonly onStart?: (job: Job) => void;
  readonly onDone?: (result: Result) => void;
}

/** Does jobs on all processors. Results come in the order of the jobs; the longest jobs should come first. */
export async function inWorkers<Job, Result>(
  jobs: readonly Job[],
  { worker: program, maxWorkers, onStart, onDone }: InWorkersOptions<Job, Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = [...jobs.entries()];
  const size = Math.min(maxWorkers, availableParallelism(), jobs.length);
  await Promise.all(
    Array.from({ length: size }, async () => {
      const worker = new Worker(program);
      try {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          const [index, job] = next;
          onStart?.(job);
          const result = await resultOf<Result>(worker, job);
          results[index] = result;
          onDone?.(result);
        }
      } finally {
        await worker.terminate();
      }
    }),
  );
  return results;
}

function resultOf<Result>(worker: Worker, job: unknown): Promise<Result> {
  return new Promise((resolve, reject) => {
    worker.removeAllListeners();
    worker.once('message', resolve).once('error', reject);
    // Threads have no origin.
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    worker.postMessage(job);
  });
}
