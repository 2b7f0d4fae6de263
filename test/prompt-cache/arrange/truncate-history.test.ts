import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { truncateHistory } from '../../../src/prompt-cache/arrange/truncate-history.ts';
import type {
  HistoryMessage,
  TruncateOptions,
} from '../../../src/prompt-cache/arrange/truncate-history.ts';

function message(role: string, tokens: number, more: Partial<HistoryMessage> = {}): HistoryMessage {
  const isTurnStart = role === 'user' && (more.toolResultIds ?? []).length === 0;
  return { role, tokens, toolCallIds: [], toolResultIds: [], isTurnStart, ...more };
}

const user = (tokens: number): HistoryMessage => message('user', tokens);
const answer = (tokens: number): HistoryMessage => message('assistant', tokens);
const calls = (...toolCallIds: string[]): HistoryMessage => message('model', 10, { toolCallIds });
const results = (...toolResultIds: string[]): HistoryMessage =>
  message('user', 10, { toolResultIds });

/** What is dropped, with no tokens but those of the messages; an empty range where nothing is. */
function dropOf(
  messages: readonly HistoryMessage[],
  options: TruncateOptions,
): readonly [number, number] {
  return truncateHistory({ fixedTokens: 0, messages }, options).drop ?? [0, 0];
}

/** Where the kept part of the talk begins. */
function cutOf(messages: readonly HistoryMessage[], options: TruncateOptions): number {
  return dropOf(messages, options)[1];
}

function tokensOf(messages: readonly HistoryMessage[]): number {
  return messages.reduce((sum, { tokens }) => sum + tokens, 0);
}

const tokens = fc.nat({ max: 60 });
const maxInputTokens = fc.integer({ min: 1, max: 500 });
const keepLastTurns = fc.integer({ min: 0, max: 4 });

/** Turns as agents make them: a question, rounds of parallel calls whose results come in one or in several messages. */
const turn: fc.Arbitrary<HistoryMessage[]> = fc
  .tuple(
    tokens,
    fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.boolean(), tokens), { maxLength: 3 }),
  )
  .map(([size, rounds]) => {
    const name = (index: number): string => `call_${index}`;
    const steps = rounds.flatMap(([width, isOneMessage, each]) => {
      const ids = Array.from({ length: width }, (_, index) => name(index));
      const answers = isOneMessage
        ? [message('user', each, { toolResultIds: ids })]
        : ids.map((id) => message('tool', each, { toolResultIds: [id] }));
      return [message('assistant', each, { toolCallIds: ids }), ...answers];
    });
    return [user(size), ...steps, answer(size)];
  });
const conversation = fc
  .tuple(fc.array(turn, { minLength: 1, maxLength: 25 }), fc.boolean())
  .map(([turns, hasSystem]) => [...(hasSystem ? [message('system', 20)] : []), ...turns.flat()]);

/** Anything: calls without results, results without calls, users in between, one id many times. */
const id = fc.constantFrom('a', 'b', 'c', 'd');
const anyMessage: fc.Arbitrary<HistoryMessage> = fc.record({
  role: fc.constantFrom('system', 'developer', 'user', 'assistant', 'tool', 'model', ''),
  tokens,
  toolCallIds: fc.array(id, { maxLength: 2 }),
  toolResultIds: fc.array(id, { maxLength: 2 }),
  isTurnStart: fc.boolean(),
});
const anyHistory = fc.array(fc.oneof(anyMessage, tokens.map(user)), { maxLength: 40 });

/** The history without results for which no call is left in front of them. */
function withoutOrphans(messages: readonly HistoryMessage[]): HistoryMessage[] {
  const open = new Map<string, number>();
  const take = (result: string): boolean => {
    const left = open.get(result) ?? 0;
    open.set(result, Math.max(0, left - 1));
    return left > 0;
  };
  return messages.map((one) => {
    const toolResultIds = one.toolResultIds.filter(take);
    for (const call of one.toolCallIds) open.set(call, (open.get(call) ?? 0) + 1);
    return { ...one, toolResultIds };
  });
}

const startsTurn = ({ isTurnStart, toolResultIds }: HistoryMessage): boolean =>
  isTurnStart && toolResultIds.length === 0;

describe('whatever the history is', () => {
  test('whole turns go, from behind the system messages, and the last ones stay', () => {
    fc.assert(
      fc.property(anyHistory, maxInputTokens, keepLastTurns, (messages, max, keep) => {
        const options = { maxInputTokens: max, keepLastTurns: keep };
        const { drop } = truncateHistory({ fixedTokens: 0, messages }, options);
        if (drop === undefined) return;
        const [from, to] = drop;
        const kept = messages.slice(to);
        const isSystem = ({ role }: HistoryMessage): boolean =>
          role === 'system' || role === 'developer';
        expect(messages.slice(0, from).every(isSystem)).toBe(true);
        expect(messages.slice(from, from + 1).some(isSystem)).toBe(false);
        expect(to).toBeGreaterThan(from);
        expect(kept.slice(0, 1).every(startsTurn)).toBe(true);
        expect(kept.filter(startsTurn).length).toBeGreaterThanOrEqual(Math.max(1, keep));
        expect(tokensOf(messages)).toBeGreaterThan(max);
      }),
    );
  });

  test('no result loses its call', () => {
    fc.assert(
      fc.property(anyHistory.map(withoutOrphans), maxInputTokens, (messages, max) => {
        const [from, to] = dropOf(messages, { maxInputTokens: max, keepLastTurns: 1 });
        const kept = messages.toSpliced(from, to - from);
        expect(withoutOrphans(kept)).toEqual(kept);
      }),
      { numRuns: 500 },
    );
  });

  test('nor does the second result of a call', () => {
    fc.assert(
      fc.property(anyHistory, maxInputTokens, (messages, max) => {
        const [from, to] = dropOf(messages, { maxInputTokens: max, keepLastTurns: 1 });
        const dropped = messages.slice(from, to);
        const called = new Set(dropped.flatMap(({ toolCallIds }) => toolCallIds));
        for (const { toolCallIds, toolResultIds } of messages.slice(to)) {
          for (const result of toolResultIds) expect(called).not.toContain(result);
          for (const call of toolCallIds) called.delete(call);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('it cuts as far as the rules allow', () => {
    fc.assert(
      fc.property(conversation, maxInputTokens, keepLastTurns, (messages, max, keep) => {
        const to = cutOf(messages, { maxInputTokens: max, keepLastTurns: keep });
        const head = messages[0]?.role === 'system' ? 20 : 0;
        const kept = to === 0 ? tokensOf(messages) : head + tokensOf(messages.slice(to));
        if (kept <= max) return;
        const starts = [...messages.entries()].filter(([, one]) => startsTurn(one));
        const last = starts.at(-Math.max(1, keep))?.[0] ?? 0;
        expect(to).toBe(last > starts[0]![0] ? last : 0);
      }),
    );
  });
});

describe('while a conversation grows', () => {
  test('the cut stays until the limit is passed again, and then moves on', () => {
    fc.assert(
      fc.property(conversation, maxInputTokens, keepLastTurns, (messages, max, keep) => {
        const head = messages[0]?.role === 'system' ? 1 : 0;
        const room = max - tokensOf(messages.slice(0, head));
        let cut = head;
        /** Tokens that may be added before the next cut. */
        let left = 0;
        for (let length = head + 1; length <= messages.length; length++) {
          const seen = messages.slice(0, length);
          const next = cutOf(seen, { maxInputTokens: max, keepLastTurns: keep }) || head;
          left -= messages[length - 1]!.tokens;
          if (next !== cut) {
            expect(next).toBeGreaterThan(cut);
            expect(tokensOf(seen.slice(cut))).toBeGreaterThan(room);
            expect(left).toBeLessThan(0);
            left = room - tokensOf(seen.slice(next));
          }
          cut = next;
        }
      }),
    );
  });

  test('a step frees half of the room', () => {
    const turns = Array.from({ length: 40 }, () => [user(5), answer(5)]).flat();
    const cuts = turns.map((_, index) =>
      cutOf(turns.slice(0, index + 1), { maxInputTokens: 100, keepLastTurns: 2 }),
    );
    // The question of the eleventh turn does not fit: it is left with four turns in front of it.
    const steps = [...new Set(cuts)];
    expect(steps).toEqual([0, 12, 24, 36, 48, 60]);
    expect(cuts.indexOf(12)).toBe(20);
    expect(cuts.indexOf(24)).toBe(32);
  });
});

test('tools and system take their part of the limit', () => {
  const talk = Array.from({ length: 10 }, () => [user(5), answer(5)]).flat();
  const messages = [message('system', 20), message('developer', 20), ...talk];
  const at = (fixedTokens: number): unknown =>
    truncateHistory({ fixedTokens, messages }, { maxInputTokens: 200 }).drop;
  expect(at(60)).toBeUndefined();
  expect(at(61)).toEqual([2, 14]);
  expect(at(1000)).toEqual([2, 18]);
});

test('a call and its results go together, however far apart and however they are named', () => {
  const options = { maxInputTokens: 1, keepLastTurns: 1 };
  const asked = [user(10), calls('f', 'f'), results('f'), user(10), results('f'), answer(10)];
  expect(cutOf(asked, options)).toBe(0);
  expect(cutOf([...asked, user(10)], options)).toBe(6);
  // A call that was given up holds nothing back, and the same name is used again.
  const givenUp = [user(10), calls('f'), user(10), calls('f'), results('f'), user(10)];
  expect(cutOf(givenUp, options)).toBe(5);
  expect(cutOf(givenUp.slice(0, 5), options)).toBe(2);
  // A second result of one call.
  expect(cutOf([user(10), calls('f'), results('f'), user(10), results('f')], options)).toBe(0);
});

test('an Anthropic result beside a text opens no turn', () => {
  const mixed = message('user', 10, { toolResultIds: ['x'], isTurnStart: true });
  const options = { maxInputTokens: 1, keepLastTurns: 1 };
  expect(cutOf([user(10), calls('y'), mixed, answer(10)], options)).toBe(0);
});

test('two turns stay by default, and one at least', () => {
  const talk = Array.from({ length: 5 }, () => [user(5), answer(5)]).flat();
  expect(cutOf(talk, { maxInputTokens: 1 })).toBe(6);
  expect(cutOf(talk, { maxInputTokens: 1, keepLastTurns: 0 })).toBe(8);
  expect(cutOf([], { maxInputTokens: 1 })).toBe(0);
});
