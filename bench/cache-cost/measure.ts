import { bound } from './abstract-bound.ts';
import { abstractRequests } from './abstract-requests.ts';
import type { Conversation } from './conversation.ts';
import { FORMATS, type Format } from './formats.ts';
import type { Policy } from './policies.ts';
import { replay, type Replay } from './replay.ts';
import { interleaved, readTraces } from './traces.ts';
import { conversationsOf, WORKLOADS } from './workloads/index.ts';

/** Something to measure: one policy on a workload of one seed, or on all recorded conversations. */
export type Job = WorkloadJob | TraceJob;

export interface WorkloadJob {
  readonly kind: 'workload';
  readonly workload: string;
  readonly seed: number;
  readonly policy: Policy;
  readonly format: Format['name'];
  /** Share of the usual length. */
  readonly extent: number;
}

export interface TraceJob {
  readonly kind: 'traces';
  readonly policy: Policy;
  readonly format: Format['name'];
  readonly shippedOnly: boolean;
}

/** A sum in plain input tokens, beside the least that it could have been. */
export interface Sum {
  readonly cost: number;
  readonly bound: number;
  readonly calls: number;
  /** How long calls waited for another's first byte, all together, in milliseconds. */
  readonly heldMs: number;
}

export interface WorkloadResult extends WorkloadJob, Sum {}

export interface TraceSum extends Sum {
  /** How many conversations cost more than without any mark. */
  readonly dearer: number;
}

export interface TraceResult extends TraceJob {
  readonly conversations: number;
  /** Twenty at once through one router. */
  readonly together: TraceSum;
  /** Each through a router of its own. */
  readonly alone: TraceSum;
}

export type Result = WorkloadResult | TraceResult;

export function measure(job: Job): Promise<Result> {
  return job.kind === 'workload' ? measureWorkload(job) : measureTraces(job);
}

async function measureWorkload(job: WorkloadJob): Promise<WorkloadResult> {
  const workload = WORKLOADS.find(({ name }) => name === job.workload);
  if (workload === undefined) throw new Error(`There is no workload "${job.workload}".`);
  const format = FORMATS[job.format];
  const conversations = conversationsOf(workload, job.seed, job.extent);
  const { cost, calls, heldMs } = await replay(conversations, job.policy, format);
  const least = boundOf(conversations, format, workload.readableAtOnce);
  return { ...job, cost, bound: least, calls, heldMs };
}

/** Recorded conversations that run at once. */
const LANES = 20;

async function measureTraces(job: TraceJob): Promise<TraceResult> {
  const { policy, shippedOnly } = job;
  const format = FORMATS[job.format];
  const traces = readTraces({ shippedOnly });
  const lanes = interleaved(traces, LANES);
  const together = await replay(lanes, policy, format);
  // What is not kept costs the same in any company.
  const alone = policy === 'none' ? together : await replayAlone(traces, policy, format);
  const unmarked = new Map(traces.map((trace) => [trace.id, unmarkedCost(trace, format)]));
  const boundAlone = traces.reduce((sum, trace) => sum + boundOf([trace], format), 0);
  return {
    ...job,
    conversations: traces.length,
    together: traceSum(together, boundOf(lanes, format), unmarked),
    alone: traceSum(alone, boundAlone, unmarked),
  };
}

async function replayAlone(
  traces: readonly Conversation[],
  policy: Policy,
  format: Format,
): Promise<Replay> {
  const byConversation = new Map<string, number>();
  let [cost, calls, heldMs] = [0, 0, 0];
  for (const trace of traces) {
    const one = await replay([trace], policy, format);
    byConversation.set(trace.id, one.cost);
    cost += one.cost;
    calls += one.calls;
    heldMs += one.heldMs;
  }
  return { cost, byConversation, calls, heldMs };
}

function traceSum(
  { cost, byConversation, calls, heldMs }: Replay,
  least: number,
  unmarked: ReadonlyMap<string, number>,
): TraceSum {
  const dearer = [...byConversation].filter(
    ([id, own]) => own > (unmarked.get(id) ?? Infinity) + 1e-6,
  ).length;
  return { cost, bound: least, calls, heldMs, dearer };
}

/** Every token at the plain price. */
export function unmarkedCost({ turns }: Conversation, { blocks }: Format): number {
  return turns.flatMap(({ prompt }) => blocks(prompt)).reduce((sum, { tokens }) => sum + tokens, 0);
}

function boundOf(
  conversations: readonly Conversation[],
  { rules, blocks }: Format,
  readableAtOnce = false,
): number {
  return bound(abstractRequests(conversations, blocks), { rules, readableAtOnce });
}
