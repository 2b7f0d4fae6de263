import { createVirtualClock } from '../../src/testing/index.ts';
import { createDraw } from './draw.ts';
import type { Played } from './figures.ts';
import { createLink } from './link.ts';
import { createProcessClock, type ProcessClock } from './process-clock.ts';
import { createProvider } from './provider.ts';
import { requestOf } from './requests.ts';
import type { Scenario } from './scenario.ts';
import { createSendRecorder } from './send-log.ts';
import { createSender, type Sender, type SenderName } from './senders.ts';
import type { WorkCall } from './workload.ts';

interface Process {
  readonly clock: ProcessClock;
  readonly send: Sender;
}

const MINUTE = 60_000;

/**
 * Plays the calls of a scenario through real senders against its provider, in virtual time. Calls come when they come, whether
 * or not those before have an answer. What is still waiting at the end stays so.
 */
export async function play(
  scenario: Scenario,
  sender: SenderName,
  calls: readonly WorkCall[],
  seed: number,
): Promise<Played> {
  const { format, minutes, processes: count = 1, clockFaults = [], timeoutMs = 120_000 } = scenario;
  const clock = createVirtualClock({ maxTimers: Infinity });
  const provider = createProvider(scenario, clock, seed);
  const recorder = createSendRecorder(calls);
  const mayPause = clockFaults.some(({ kind }) => kind === 'pause');

  const processes = Array.from({ length: count }, (_, index): Process => {
    const draw = createDraw(seed, `process ${index}`);
    const own = createProcessClock(clock, draw.random, clockFaults);
    const transport = createLink({
      provider,
      calls,
      recorder,
      clock,
      process: own,
      draw: createDraw(seed, `link ${index}`),
      timeoutMs,
      mayPause,
    });
    const send = createSender(sender, { scenario, clock: own, random: draw.random, transport });
    return { clock: own, send };
  });

  async function make(call: WorkCall, send: Sender): Promise<void> {
    try {
      const { url, init } = requestOf(call, format);
      const response = await send(call, url, init);
      await response.arrayBuffer();
      if (response.ok) recorder.done(call, clock.now());
      else recorder.failed(call, clock.now());
    } catch {
      recorder.failed(call, clock.now());
    }
  }

  for (const call of calls) {
    const process = processes[call.process];
    if (process === undefined) throw new Error(`There is no process ${call.process}.`);
    clock.setTimeout(() => {
      process.clock.whenRunning(() => void make(call, process.send));
    }, call.arrivedAt);
  }
  await clock.advance(minutes * MINUTE);
  const timers = processes.map((process) => process.clock.timers);
  return {
    sends: recorder.sends,
    outcomes: recorder.outcomes,
    timers: {
      set: timers.reduce((sum, { set }) => sum + set, 0),
      mostPending: Math.max(...timers.map(({ mostPending }) => mostPending)),
    },
  };
}
