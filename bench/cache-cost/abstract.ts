/** The workloads without bodies and HTTP, for tuning a planner in a fast loop. */
import { abstractRequests, type AbstractRequest } from './abstract-requests.ts';
import { interleaved, readTraces } from './traces.ts';
import { conversationsOf, WORKLOADS } from './workloads/index.ts';

export { bound } from './abstract-bound.ts';
export type { AbstractBlock, AbstractRequest } from './abstract-requests.ts';
export { runAbstract, type AbstractMark, type AbstractPlanner } from './abstract-run.ts';

/** Every workload by its name. */
export function workloads(seed: number, extent = 1): Record<string, AbstractRequest[]> {
  return Object.fromEntries(
    WORKLOADS.map((workload) => [
      workload.name,
      abstractRequests(conversationsOf(workload, seed, extent)),
    ]),
  );
}

/** All recorded conversations, 20 at once. */
export function traceWorkload(seed = 1): AbstractRequest[] {
  return abstractRequests(interleaved(readTraces(), 20, seed));
}

/** Each recorded conversation alone. */
export function traceWorkloads(): Record<string, AbstractRequest[]> {
  return Object.fromEntries(
    readTraces().map((conversation) => [conversation.id, abstractRequests([conversation])]),
  );
}
