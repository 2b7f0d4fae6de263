/** Sends conversations through a real router to a simulated provider, on a clock of their own. */
import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import { createRouter, type UsageRecord } from '../../src/index.ts';
import {
  createSeededRandom,
  createVirtualClock,
  simulateProvider,
  type VirtualClock,
} from '../../src/testing/index.ts';
import { ANSWER, type Conversation, type Prompt } from './conversation.ts';
import type { Format } from './formats.ts';
import type { Policy } from './policies.ts';
import { inputCost } from './rules.ts';

export interface Replay {
  /** Input cost in plain input tokens. */
  readonly cost: number;
  readonly byConversation: ReadonlyMap<string, number>;
  readonly calls: number;
  /** How long calls waited for another's first byte, all together, in milliseconds. */
  readonly heldMs: number;
}

/** One router and one provider, both new, for all conversations. Each is a closed loop: a call that waits delays the rest. */
export async function replay(
  conversations: readonly Conversation[],
  policy: Policy,
  format: Format,
): Promise<Replay> {
  const clock = createVirtualClock();
  const router = createRouter({
    fetch: simulateProvider({
      provider: format.provider,
      clock,
      firstByteMs: ANSWER.firstByte * 1000,
      durationMs: ANSWER.whole * 1000,
    }),
    clock,
    random: createSeededRandom(1),
    promptCache: policy === 'ours' ? 'auto' : 'off',
  });
  const records = new Map<string, UsageRecord>();
  router.on('usage', (record) => records.set(record.callId, record));

  const byConversation = new Map<string, number>();
  let [cost, calls, heldMs] = [0, 0, 0];

  async function send(prompt: Prompt): Promise<number> {
    const response = await router.fetch(format.url, {
      method: 'POST',
      headers: format.headers,
      body: JSON.stringify(format.body(policy, prompt)),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`The provider answered ${response.status}: ${text}`);
    const id = response.headers.get('x-tokenrouter-id') ?? '';
    const record = records.get(id);
    if (record === undefined) throw new Error('A call has no record.');
    records.delete(id);
    calls += 1;
    heldMs += record.timing.heldMs;
    return relativeCost(record, format);
  }

  async function converse({ id, startsAt, turns }: Conversation): Promise<void> {
    let spent = 0;
    await pause(clock, startsAt);
    for (const { gap, prompt } of turns) {
      await pause(clock, gap);
      spent += await send(prompt);
    }
    byConversation.set(id, spent);
    cost += spent;
  }

  await drive(clock, Promise.all(conversations.map(converse)));
  await drive(clock, router.close());
  return { cost, byConversation, calls, heldMs };
}

/** What a call's input cost, in plain input tokens. */
function relativeCost({ usage }: UsageRecord, { rules }: Format): number {
  const { total, uncached, cacheRead = 0, cacheWrite = 0, cacheWrite1h = 0 } = usage.inputTokens;
  if (usage.grade !== 'exact' || total === undefined || uncached === undefined) {
    throw new Error('The provider did not say what a call used.');
  }
  if (uncached + cacheRead + cacheWrite + cacheWrite1h !== total) {
    throw new Error("The parts of a call's input do not add up.");
  }
  return inputCost({ uncached, read: cacheRead, write: cacheWrite, write1h: cacheWrite1h }, rules);
}

async function pause(clock: VirtualClock, seconds: number): Promise<void> {
  if (seconds <= 0) return;
  await new Promise<void>((resolve) => clock.setTimeout(resolve, seconds * 1000));
}

/** Turns of the event loop without a timer after which nothing will come any more. */
const MAX_IDLE_TURNS = 1000;

/** Moves the clock from timer to timer until the work is done. */
async function drive(clock: VirtualClock, work: Promise<unknown>): Promise<void> {
  let isOver = false;
  const over = work.finally(() => {
    isOver = true;
  });
  over.catch(() => {});
  for (let idle = 0; !isOver && idle < MAX_IDLE_TURNS; idle++) {
    // What was started needs some turns until it waits for the clock again; time must stand still meanwhile.
    await eventLoopTurn();
    if (!isOver && (await clock.next())) idle = 0;
  }
  if (!isOver) throw new Error('Calls are waiting, but nothing is due.');
  await over;
}
