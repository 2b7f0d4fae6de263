/** Runs a planner against a provider's prompt cache without bodies and HTTP: some hundred times as fast as real calls. */
import { anthropicCache } from '../../src/testing/simulate/cache/anthropic-cache.ts';
import type { CacheSimulator, SimulatedBlock } from '../../src/testing/simulate/cache/types.ts';
import type { AbstractRequest } from './abstract-requests.ts';
import { ANSWER } from './conversation.ts';
import { ANTHROPIC, inputCost } from './rules.ts';

export interface AbstractMark {
  /** Index in the request's blocks. */
  readonly block: number;
  readonly ttl: '5m' | '1h';
}

export interface AbstractDecision {
  readonly marks: readonly AbstractMark[];
  /** Wait and ask again then, in seconds since the workload began. Everything after it in the conversation is later too. */
  readonly holdUntil?: number;
}

/** What the provider reports. */
export interface AbstractUsage {
  readonly read: number;
  readonly write5m: number;
  readonly write1h: number;
  readonly uncached: number;
}

export interface AbstractPlanner {
  plan(request: AbstractRequest, now: number): AbstractDecision;
  /** The answer begins: what was written can be read now. */
  began?(request: AbstractRequest, now: number, usage: AbstractUsage): void;
}

export interface AbstractOutcome {
  /** In plain input tokens. */
  readonly cost: number;
  readonly byConversation: ReadonlyMap<string, number>;
  /** Seconds that requests were held, all together. */
  readonly held: number;
}

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** Conversations are closed loops: the next request comes its gap after the answer before it. */
export function runAbstract(
  requests: readonly AbstractRequest[],
  planner: AbstractPlanner,
): AbstractOutcome {
  const events: Event[] = [];
  const cache = anthropicCache({ minTokens: ANTHROPIC.minTokens });
  const byConversation = new Map<string, number>();
  let [order, cost, held] = [0, 0, 0];

  function at(time: number, run: () => void): void {
    const event = { at: time, order: order++, run };
    let low = 0;
    let high = events.length;
    // The earliest last.
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = events[middle];
      if (other !== undefined && other.at > time) low = middle + 1;
      else high = middle;
    }
    events.splice(low, 0, event);
  }

  function ask(turns: readonly AbstractRequest[], index: number, now: number): void {
    const request = turns[index];
    if (request === undefined) return;
    const { marks, holdUntil } = planner.plan(request, now);
    if (holdUntil !== undefined && holdUntil > now) {
      held += holdUntil - now;
      at(holdUntil, () => ask(turns, index, holdUntil));
      return;
    }
    const usage = read(cache, request, marks, now);
    const own = inputCost({ ...usage, write: usage.write5m }, ANTHROPIC);
    cost += own;
    byConversation.set(request.conversation, (byConversation.get(request.conversation) ?? 0) + own);
    const begins = now + ANSWER.firstByte;
    at(begins, () => planner.began?.(request, begins, usage));
    const next = turns[index + 1];
    if (next === undefined) return;
    const goesOut = now + ANSWER.whole + next.gap;
    at(goesOut, () => ask(turns, index + 1, goesOut));
  }

  for (const turns of conversationsIn(requests)) {
    const [first] = turns;
    if (first !== undefined) at(first.t, () => ask(turns, 0, first.t));
  }
  for (let event = events.pop(); event !== undefined; event = events.pop()) event.run();
  return { cost, byConversation, held };
}

function conversationsIn(requests: readonly AbstractRequest[]): Iterable<AbstractRequest[]> {
  const groups = new Map<string, AbstractRequest[]>();
  for (const request of requests) {
    const group = groups.get(request.conversation);
    if (group === undefined) groups.set(request.conversation, [request]);
    else group.push(request);
  }
  return groups.values();
}

/** What the provider makes of a request with these marks. */
function read(
  cache: CacheSimulator,
  { blocks }: AbstractRequest,
  marks: readonly AbstractMark[],
  at: number,
): AbstractUsage {
  const marked: SimulatedBlock[] = [...blocks];
  for (const { block, ttl } of marks) {
    const plain = blocks[block];
    if (plain === undefined) throw new RangeError(`There is no block ${block} to mark.`);
    marked[block] = { ...plain, mark: ttl };
  }
  const usage = cache.process({
    at,
    readableAfter: ANSWER.firstByte,
    duration: ANSWER.whole,
    blocks: marked,
    salts: NO_SALTS,
  });
  if (usage.refusal !== undefined) throw new Error(usage.refusal);
  return usage;
}

const NO_SALTS = { tools: '', system: '', messages: '' };
