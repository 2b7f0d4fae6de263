import { parentPort } from 'node:worker_threads';
import { measure, type Job } from './measure.ts';

parentPort?.on('message', (job: Job) => {
  // Threads have no origin.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  void measure(job).then((result) => parentPort?.postMessage(result));
});
