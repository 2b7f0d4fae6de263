/** The lower bound and the run without HTTP: what a planner is tuned on must be what a provider would charge. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { abstractRequests } from '../../bench/cache-cost/abstract-requests.ts';
import {
  bound,
  runAbstract,
  traceWorkload,
  traceWorkloads,
  workloads,
  type AbstractBlock,
  type AbstractMark,
  type AbstractPlanner,
  type AbstractRequest,
} from '../../bench/cache-cost/abstract.ts';
import { OPENAI } from '../../bench/cache-cost/rules.ts';
import { conversationsOf, WORKLOADS } from '../../bench/cache-cost/workloads/index.ts';

/** A request whose blocks are named; equal names from the start are equal prefixes. */
function request(
  names: string,
  {
    t = 0,
    tokens = 200,
    conversation = names,
  }: Partial<Record<'t' | 'tokens', number>> & {
    conversation?: string;
  } = {},
): AbstractRequest {
  const blocks = [...names].map((id): AbstractBlock => ({
    id,
    tokens,
    tier: 'messages',
    endsTurn: true,
    cacheable: true,
  }));
  const prefixes = blocks.map((_, index) => prefixNumber(names.slice(0, index + 1)));
  return { t, blocks, prefixes, conversation, turn: 0, gap: t };
}

const numbers = new Map<string, number>();
function prefixNumber(prefix: string): number {
  const known = numbers.get(prefix) ?? numbers.size + 1;
  numbers.set(prefix, known);
  return known;
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const first = (count: number): string => LETTERS.slice(0, count);

describe('the bound', () => {
  const twice = [request(first(6)), request(first(6), { t: 10 })];

  test('is that of the best decisions', () => {
    expect(bound(twice)).toBeCloseTo(1200 * 1.35, 6);
    expect(bound([...twice, request('zy')])).toBeCloseTo(1200 * 1.35 + 400, 6);
    expect(bound([request(first(6)), request(first(6), { t: 1000 })])).toBe(2400);
    expect(bound(twice, { rules: OPENAI })).toBeCloseTo(1200 * 1.35, 6);
  });

  test('may take entries as readable at once', () => {
    const together = [request(first(6)), request(first(6))];
    expect(bound(together)).toBe(2400);
    expect(bound(together, { readableAtOnce: true })).toBeCloseTo(1200 * 1.35, 6);
  });
});

describe('a run', () => {
  const requests = abstractRequests(
    WORKLOADS.filter(({ name }) => name === 'agent with pauses, alone').flatMap((workload) =>
      conversationsOf(workload, 1, 0.5),
    ),
  );
  const last: AbstractPlanner = {
    plan: ({ blocks }) => ({ marks: [{ block: blocks.length - 1, ttl: '5m' }] }),
  };

  test('without marks costs every token', () => {
    const { cost, held } = runAbstract(requests, { plan: () => ({ marks: [] }) });
    expect(cost).toBe(
      requests.flatMap(({ blocks }) => blocks).reduce((sum, b) => sum + b.tokens, 0),
    );
    expect(held).toBe(0);
  });

  test('asks in order of time, at the times of the list where nothing is held', () => {
    const asked: number[] = [];
    runAbstract(requests, {
      plan(request, now) {
        asked.push(now);
        expect(now).toBeCloseTo(request.t, 6);
        return { marks: [] };
      },
    });
    expect(asked).toEqual(asked.toSorted((a, b) => a - b));
    expect(asked).toHaveLength(requests.length);
  });

  test('a held request comes later, and with it the rest of its conversation', () => {
    const asked: number[] = [];
    const { held } = runAbstract(requests, {
      plan(request, now) {
        if (request.turn === 0 && now === request.t) return { marks: [], holdUntil: now + 5 };
        asked.push(now - request.t);
        return { marks: [] };
      },
    });
    expect(held).toBe(5);
    expect(asked.every((late) => Math.abs(late - 5) < 1e-6)).toBe(true);
  });

  test('reads what a mark wrote, and refuses what the provider refuses', () => {
    const twice = [first(6), first(6)].map((names, index) =>
      request(names, { t: index * 100, conversation: `${index}` }),
    );
    const { cost } = runAbstract(twice, last);
    expect(cost).toBeCloseTo(1200 * 1.35, 6);
    const five = [0, 1, 2, 3, 4].map((block): AbstractMark => ({ block, ttl: '5m' }));
    expect(() => runAbstract(twice, { plan: () => ({ marks: five }) })).toThrow('maximum of 4');
    const beyond = [{ block: 6, ttl: '5m' } as const];
    expect(() => runAbstract(twice, { plan: () => ({ marks: beyond }) })).toThrow('no block 6');
  });

  test('tells when an answer begins, before anything later', () => {
    const log: string[] = [];
    runAbstract(
      [request('ab', { conversation: 'x' }), request('abc', { t: 1, conversation: 'y' })],
      {
        plan: ({ conversation }) => (log.push(`plan ${conversation}`), { marks: [] }),
        began: ({ conversation }, now) => log.push(`began ${conversation} ${now}`),
      },
    );
    expect(log).toEqual(['plan x', 'plan y', 'began x 1', 'began y 2']);
  });

  test('costs the bound at least, whatever is marked', () => {
    const marks = fc.uniqueArray(fc.nat(6), { maxLength: 4 });
    const step = fc.record({
      names: fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 7 }),
      gap: fc.constantFrom(0, 0.5, 10, 290, 310, 2000, 4000),
      marks,
    });
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 12 }),
        fc.boolean(),
        (steps, isLong) => {
          let t = 0;
          const planned = new Map<AbstractRequest, AbstractMark[]>();
          for (const { names, gap, marks: places } of steps) {
            t += gap;
            const legal = places
              .filter((place) => place < names.length)
              .toSorted((a, b) => a - b)
              .map((block): AbstractMark => ({ block, ttl: isLong ? '1h' : '5m' }));
            const conversation = `${planned.size}`;
            planned.set(request(names.join(''), { t, tokens: 600, conversation }), legal);
          }
          const sent = [...planned.keys()];
          const { cost, byConversation } = runAbstract(sent, {
            plan: (one) => ({ marks: planned.get(one) ?? [] }),
          });
          expect([...byConversation.values()].reduce((sum, own) => sum + own, 0)).toBeCloseTo(cost);
          expect(cost).toBeGreaterThanOrEqual(bound(sent) - 1e-6);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('an agent that is marked at its end costs little more than the bound, and six times less than nothing', () => {
    const loop = workloads(1)['agent loop, alone'] ?? [];
    const least = bound(loop);
    expect(runAbstract(loop, last).cost / least).toBeLessThan(1.05);
    expect(runAbstract(loop, { plan: () => ({ marks: [] }) }).cost / least).toBeGreaterThan(4);
  });
});

describe('abstract requests', () => {
  test('share the numbers of their prefixes as far as their blocks are equal', () => {
    const [one, two] = (workloads(1, 0.1)['chat, shared system'] ?? []).slice(0, 2);
    expect(one?.prefixes[0]).toBe(two?.prefixes[0]);
    const [a, b] = [one?.prefixes.at(-1), two?.prefixes.at(-1)];
    expect(a === b).toBe(JSON.stringify(one?.blocks) === JSON.stringify(two?.blocks));
  });

  test('have the tools in the order in which they came first', () => {
    const requests = workloads(1, 0.25)['shuffled tools'] ?? [];
    const tools = requests.map(({ blocks }) =>
      blocks.findLastIndex(({ tier }) => tier === 'tools'),
    );
    const ends = requests.map(({ prefixes }, index) => prefixes[tools[index] ?? -1]);
    expect(new Set(ends).size).toBe(1);
    expect(ends.length).toBeGreaterThan(10);
  });

  test('every workload and recorded conversation has some, by time', () => {
    const all = { ...workloads(1, 0.1), ...traceWorkloads(), traces: traceWorkload() };
    expect(Object.keys(all).length).toBeGreaterThan(WORKLOADS.length + 3);
    for (const requests of Object.values(all)) {
      const times = requests.map(({ t }) => t);
      expect(times.length).toBeGreaterThan(0);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    }
  });
});
