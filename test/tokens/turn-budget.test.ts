import { expect, test } from 'vitest';
import type { Clock } from '../../src/types.ts';
import { MAX_STEPS_PER_TURN, TurnBudget } from '../../src/tokens/turn-budget.ts';

/** A clock that only work moves, and an event loop whose turns only the budget ends. */
function createLoop(): {
  clock: Clock;
  yieldTurn: () => Promise<void>;
  work: (ms: number) => void;
  turns: number[][];
} {
  let now = 0;
  const turns: number[][] = [[]];
  return {
    clock: {
      now: () => now,
      wallNow: () => now,
      setTimeout: () => undefined,
      clearTimeout: () => undefined,
    },
    turns,
    async yieldTurn() {
      // Work queued as microtasks goes first, as before a real `setImmediate`.
      for (let i = 0; i < 1000; i++) await Promise.resolve();
      turns.push([]);
    },
    work(ms) {
      now += ms;
      turns.at(-1)!.push(ms);
    },
  };
}

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);

test('no turn holds more work than the budget', async () => {
  const { clock, yieldTurn, work, turns } = createLoop();
  const budget = new TurnBudget({ clock, budgetMs: 20, yieldTurn });
  for (let i = 0; i < 40; i++) await budget.run(() => work(4));
  expect(turns.filter((turn) => turn.length > 0)).toHaveLength(8);
  expect(Math.max(...turns.map(sum))).toBe(20);
});

test('many callers together stay within one budget, and all get their turn', async () => {
  const { clock, yieldTurn, work, turns } = createLoop();
  const budget = new TurnBudget({ clock, budgetMs: 20, yieldTurn });
  const finished: number[] = [];
  const callers = Array.from({ length: 10 }, async (_, caller) => {
    for (let i = 0; i < 5; i++) await budget.run(() => work(5));
    finished.push(caller);
  });
  await Promise.all(callers);
  expect(finished).toHaveLength(10);
  expect(sum(turns.flat())).toBe(250);
  expect(Math.max(...turns.map(sum))).toBeLessThanOrEqual(20);
});

test('a step longer than the budget has a turn of its own', async () => {
  const { clock, yieldTurn, work, turns } = createLoop();
  const budget = new TurnBudget({ clock, budgetMs: 20, yieldTurn });
  for (let i = 0; i < 3; i++) await budget.run(() => work(30));
  expect(turns.filter((turn) => turn.length > 0)).toEqual([[30], [30], [30]]);
});

test('yields by steps when the clock stands still', async () => {
  const { clock, yieldTurn, work, turns } = createLoop();
  const budget = new TurnBudget({ clock, budgetMs: 20, yieldTurn });
  for (let i = 0; i < 20; i++) await budget.run(() => work(0));
  expect(Math.max(...turns.map((turn) => turn.length))).toBe(MAX_STEPS_PER_TURN);
});

test('a step that throws is charged and does not stop the others', async () => {
  const { clock, yieldTurn, work, turns } = createLoop();
  const budget = new TurnBudget({ clock, budgetMs: 20, yieldTurn });
  const failing = budget.run(() => {
    work(15);
    throw new RangeError('planned');
  });
  await expect(failing).rejects.toThrow('planned');
  await budget.run(() => work(15));
  expect(turns.filter((turn) => turn.length > 0)).toEqual([[15], [15]]);
});
