import type { ChatMessage, Conversation } from '../conversation.ts';
import type { Writer } from '../writer.ts';
import { growing, opening, scaled, times, type Opening, type Workload } from './workload.ts';

type Step = readonly [gap: number, added: readonly ChatMessage[]];

interface Habits {
  readonly turns: readonly [low: number, high: number];
  /** Tool calls per turn. */
  readonly calls: readonly [low: number, high: number];
  /** Tokens of one result. */
  readonly result: readonly [low: number, high: number];
  /** Seconds that the tools of one turn take. */
  readonly gap: (writer: Writer) => number;
}

const LOOP: Habits = {
  turns: [20, 40],
  calls: [1, 2],
  result: [100, 1500],
  gap: (writer) => writer.pause(4, 0.5, 60),
};
const PARALLEL: Habits = { ...LOOP, turns: [12, 20], calls: [6, 14], result: [100, 800] };

/** An agent works through a task: each turn sends the results of the calls before. */
export function agent(
  writer: Writer,
  id: string,
  startsAt: number,
  shared: Opening,
  habits: Habits = LOOP,
): Conversation {
  const { turns, calls, result, gap } = habits;
  const steps = times(writer.integer(...turns), (turn): Step =>
    turn === 0
      ? [0, [writer.user(writer.integer(100, 800))]]
      : [gap(writer), writer.calls(writer.integer(...calls), ...result)],
  );
  return growing(id, startsAt, shared, steps);
}

function alone(habits: Habits): Workload['make'] {
  return (writer, extent) => {
    const shared = opening(writer, writer.integer(1000, 8000), writer.integer(2000, 6000));
    // The second task comes when nothing of the first is kept any more.
    return times(scaled(2, extent), (task) =>
      agent(writer, `agent ${task}`, task * 20_000, shared, habits),
    );
  };
}

/** With shorter tasks, since there are twenty of them. */
function together(habits: Habits): Workload['make'] {
  return (writer, extent) => {
    const shared = opening(writer, writer.integer(1000, 8000), writer.integer(2000, 6000));
    return times(scaled(20, extent), (index) =>
      agent(writer, `agent ${index}`, writer.between(0, 1), shared, habits),
    );
  };
}

/** Somebody looks at the work now and then, or a build runs. */
function withPauses(writer: Writer): number {
  return writer.chance(0.12) ? writer.between(600, 1500) : writer.pause(4, 0.5, 60);
}

export const AGENTS: readonly Workload[] = [
  { name: 'agent loop, alone', goal: 1.05, make: alone(LOOP) },
  {
    name: 'agent loop, 20 at once',
    goal: 1.05,
    make: together({ ...LOOP, turns: [8, 20] }),
  },
  { name: 'parallel tools, alone', goal: 1.05, make: alone(PARALLEL) },
  {
    name: 'parallel tools, 20 at once',
    goal: 1.05,
    make: together({ ...PARALLEL, turns: [5, 10] }),
  },
  {
    name: 'agent with pauses, alone',
    goal: 1.1,
    make: alone({ ...LOOP, turns: [40, 60], gap: withPauses }),
  },
  {
    name: 'agent with pauses, 20 at once',
    goal: 1.1,
    make: together({ ...LOOP, turns: [10, 24], gap: withPauses }),
  },
];
