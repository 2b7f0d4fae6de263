import { describe, expect, test } from 'vitest';
import {
  createPredecessors,
  type Predecessors,
  type SentMeta,
} from '../../../src/prompt-cache/diagnosis/predecessors.ts';
import { MAX_HEAD_LENGTH } from '../../../src/prompt-cache/diagnosis/head.ts';
import { systemChange, toolsChange } from '../../../src/prompt-cache/diagnosis/head-change.ts';
import { sharedMessages } from '../../../src/prompt-cache/diagnosis/prompt-change.ts';
import {
  assistant,
  fingerprintOf,
  noSalts,
  promptOf,
  prose,
  tool,
  user,
  type Body,
} from './prompts.ts';

const meta: SentMeta = { scope: 'account api', salts: noSalts, family: 'f0', sentAt: 0 };

function remember(index: Predecessors, body: Body, more: Partial<SentMeta> = {}) {
  const prompt = promptOf(body);
  return index.remember(prompt, fingerprintOf(prompt), { ...meta, ...more });
}

const tools = [tool('read_file'), tool('write_file')];
const system = `You are an agent that works on code. ${prose(200)} Never give up before it is done.`;
const first = user('Fix the test.');
const body: Body = { tools, system, messages: [first] };
const clock = (minute: number) => `${system}\nNow: 10:${minute}`;

describe('createPredecessors', () => {
  test('finds nothing at first, and nothing in another scope', () => {
    const index = createPredecessors();
    expect(remember(index, body)).toBeUndefined();
    expect(index.find(promptOf(body), meta)).toBeDefined();
    expect(index.find(promptOf(body), { ...meta, scope: 'another account' })).toBeUndefined();
  });

  test.each<[string, Body, Partial<SentMeta>?]>([
    ['the system prompt ends differently', { ...body, system: `${system} Bob` }],
    ['the system prompt begins differently', { ...body, system: `Monday. ${system}` }],
    ['a tool came', { ...body, tools: [...tools, tool('search')] }],
    ['a tool is described differently', { ...body, tools: [tools[0]!, tool('write_file', 'W.')] }],
    ['the tools changed places', { ...body, tools: tools.toReversed() }],
    [
      'tools and much else',
      {
        tools: [tool('write_file', 'W.'), tools[0]!],
        system: `${system} Bob`,
        messages: [user('Hi.')],
      },
    ],
    ['another conversation', { tools, system: `${system} Bob`, messages: [user('Hi.')] }],
    ['the first messages are gone', { ...body, messages: [user('More.')] }, { session: 's' }],
    ['another model', { ...body, model: 'claude-opus-5' }, { model: 'claude-opus-5' }],
  ])('finds the earlier prompt when %s', (_name, changed, more = {}) => {
    const index = createPredecessors();
    remember(index, body, { session: 's', ...more, model: 'claude-sonnet-5', sentAt: 7 });
    const found = remember(index, changed, { ...more, family: 'f1', sentAt: 9 });
    expect(found).toMatchObject({ family: 'f0', seenAt: 7, count: 1 });
  });

  test('of several it takes the one that has most in common', () => {
    const index = createPredecessors();
    const other = { ...body, messages: [user('Another task.')] };
    remember(index, body, { session: 'a', family: 'a' });
    remember(index, other, { session: 'b', family: 'b' });
    const changed = (messages: Body['messages']) =>
      promptOf({ ...body, system: `${system}.`, messages });
    const find = (messages: Body['messages'], session: string) =>
      index.find(changed(messages), { ...meta, session })?.count;
    expect(find(body.messages, 'a')).toBe(1);
    const seen = index.find(changed(body.messages), { ...meta, session: 'a' });
    expect(sharedMessages(seen!, promptOf(body))).toBe(1);
    const seenOther = index.find(changed(other.messages), { ...meta, session: 'b' });
    expect(sharedMessages(seenOther!, promptOf(other))).toBe(1);
  });

  test('a call of another kind in the same session is no predecessor', () => {
    const index = createPredecessors();
    remember(index, body, { session: 's' });
    const title = { system: 'Give this conversation a title of four words.', messages: [first] };
    expect(remember(index, title, { session: 's' })).toBeUndefined();
    // It does not hide the conversation either.
    const changed = { ...body, tools: [...tools, tool('search')] };
    expect(remember(index, changed, { session: 's' })).toMatchObject({ family: 'f0', count: 1 });
  });

  test('without tools, a short system prompt with a clock is recognised by the messages', () => {
    const index = createPredecessors();
    const chat = [first, assistant('Which one?'), user('The last.')];
    remember(index, { system: '10:15', messages: chat });
    const found = remember(index, { system: '10:16', messages: chat });
    expect(found?.count).toBe(3);
  });

  test('grows with its conversation, and what was found before does not', () => {
    const index = createPredecessors();
    const messages = [first];
    remember(index, body);
    for (let turn = 1; turn <= 100; turn++) {
      // Two tools, one system block, and the messages before the new ones.
      const continues = 2 + messages.length;
      messages.push(assistant(`Answer ${turn}`), user(`Question ${turn}`));
      const more = { continues, sentAt: turn };
      expect(remember(index, { ...body, messages }, more)).toBeUndefined();
      const line = index.find(promptOf({ ...body, messages }), meta);
      expect(line?.ends.at(-1)?.position).toBe(continues + 2);
    }
    const changed = { ...body, system: clock(1), messages };
    const found = index.find(promptOf(changed), meta);
    expect(found).toMatchObject({ count: 201, seenAt: 100 });
    expect(sharedMessages(found!, promptOf(changed))).toBe(201);
    expect(found!.ends.length).toBeLessThanOrEqual(64);
    expect(found!.ends.at(-1)?.position).toBe(203);
    remember(index, { ...body, messages: [...messages, user('More')] }, { continues: 203 });
    expect(found).toMatchObject({ count: 201, seenAt: 100 });
    expect(found!.ends.at(-1)?.position).toBe(203);
  });

  test('two continuations of one request are two lines', () => {
    const index = createPredecessors();
    const branch = (answer: string): Body => ({
      ...body,
      messages: [first, assistant(answer), user('Go on.')],
    });
    remember(index, body);
    expect(remember(index, branch('A'), { continues: 3 })).toBeUndefined();
    expect(remember(index, branch('B'), { continues: 3 })).toMatchObject({ count: 3 });
    // The first line is still there and can go on.
    const { messages } = branch('A');
    const longer = { ...body, messages: [...messages, assistant('C'), user('D')] };
    expect(remember(index, longer, { continues: 5 })).toBeUndefined();
  });

  test('a line keeps the name of its first family through every change', () => {
    const index = createPredecessors();
    remember(index, { ...body, system: clock(10) });
    for (let minute = 11; minute < 20; minute++) {
      const found = remember(index, { ...body, system: clock(minute) }, { family: `f${minute}` });
      expect(found?.family).toBe('f0');
    }
  });

  test('the same tools and system prompt are kept once', () => {
    const index = createPredecessors();
    remember(index, body);
    remember(index, { ...body, messages: [user('Something else.')] });
    const heads = ['Fix the test.', 'Something else.'].map(
      (text) => index.find(promptOf({ ...body, messages: [user(text)] }), meta)?.head,
    );
    expect(heads[0]).toBe(heads[1]);
  });

  test('of long tools and system prompts it keeps hashes, which tell what changed', () => {
    const index = createPredecessors();
    const long = prose(MAX_HEAD_LENGTH / 4);
    remember(index, { ...body, system: long });
    const changed = promptOf({ ...body, system: `${long}!` });
    const head = index.find(changed, meta)!.head;
    expect(head.text).toBeUndefined();
    expect(systemChange(head, changed)).toEqual({
      reason: 'system-changed',
      position: 2,
      difference: undefined,
    });
    const turned = promptOf({ ...body, system: long, tools: tools.toReversed() });
    expect(toolsChange(head, turned)).toEqual({ reason: 'tools-reordered', position: 0 });
  });

  test('the least recently used goes first, and its bytes are bounded', () => {
    const index = createPredecessors({ maxBytes: 200_000 });
    const bodyOf = (i: number): Body => ({
      system: `Agent number ${i} of many, who does this: ${prose(500, i)} So much about agent number ${i}.`,
      messages: [user(`Task ${i}`)],
    });
    for (let i = 0; i < 100; i++) {
      remember(index, bodyOf(i));
      // In use all the time.
      remember(index, bodyOf(0), { continues: 1 });
    }
    const isKnown = (i: number) => index.find(promptOf(bodyOf(i)), meta) !== undefined;
    const known = Array.from({ length: 100 }, (_, i) => i).filter(isKnown);
    expect(known).toContain(0);
    expect(known).toContain(99);
    expect(known).not.toContain(1);
    expect(known.length).toBeLessThan(100_000 / 2000);
    index.clear();
    expect(isKnown(0)).toBe(false);
  });

  test('a line that was dropped is found no more, though others share its system prompt', () => {
    const index = createPredecessors({ maxBytes: 40_000 });
    const bodyOf = (i: number): Body => ({ ...body, messages: [user(`Task ${i}`)] });
    for (let i = 0; i < 50; i++) remember(index, bodyOf(i), { session: `s${i}`, sentAt: i });
    const find = (i: number) => index.find(promptOf(bodyOf(i)), { ...meta, session: `s${i}` });
    expect(find(49)?.seenAt).toBe(49);
    expect(find(48)?.seenAt).toBe(48);
    expect(find(0)?.seenAt).toBe(49);
  });

  test('a line that outgrows the bound is dropped', () => {
    const index = createPredecessors({ maxBytes: 8000 });
    const messages = [first];
    remember(index, { messages });
    expect(index.find(promptOf({ messages }), meta)).toBeDefined();
    messages.push(...Array.from({ length: 2000 }, () => user('More.')));
    remember(index, { messages }, { continues: 0 });
    expect(index.find(promptOf({ messages }), meta)).toBeUndefined();
  });

  test('the same text in another role is another message', () => {
    const index = createPredecessors();
    remember(index, { ...body, messages: [first, assistant('Go on.')] });
    const changed = promptOf({ ...body, messages: [first, user('Go on.')] });
    expect(sharedMessages(index.find(changed, meta)!, changed)).toBe(1);
  });

  test('takes prompts with nothing in them', () => {
    const index = createPredecessors();
    expect(remember(index, { messages: [] })).toBeUndefined();
    expect(index.find(promptOf({ messages: [] }), meta)).toBeUndefined();
    expect(remember(index, { messages: [user('')] })).toBeUndefined();
    expect(remember(index, { system: '', messages: [] })).toBeUndefined();
  });
});
