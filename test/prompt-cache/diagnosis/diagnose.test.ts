import { describe, expect, test } from 'vitest';
import {
  diagnose,
  type Diagnosis,
  type KnownEntry,
  type MissEvidence,
} from '../../../src/prompt-cache/diagnosis/diagnose.ts';
import { createPredecessors } from '../../../src/prompt-cache/diagnosis/predecessors.ts';
import { identityOf } from '../../../src/prompt-cache/diagnosis/prompt-change.ts';
import type { CacheRules, Salts } from '../../../src/prompt-cache/types.ts';
import {
  assistant,
  fingerprintOf,
  noSalts,
  promptOf,
  prose,
  rules,
  tool,
  user,
  type Body,
} from './prompts.ts';

interface Sent {
  readonly body: Body;
  readonly at?: number;
  readonly salts?: Salts;
  readonly session?: string;
}

/** Sends two requests and diagnoses the second, of which the provider read nothing unless said otherwise. */
function afterwards(
  first: Sent,
  second: Sent,
  evidence: Partial<Pick<MissEvidence, 'known' | 'marks' | 'rules'>> & {
    read?: number;
    /** Tokens that the provider counts for one of ours. */
    scale?: number;
  } = {},
): Diagnosis | undefined {
  const index = createPredecessors();
  const send = ({ body, at = 0, salts = noSalts, session }: Sent) => {
    const prompt = promptOf(body);
    const fingerprint = fingerprintOf(prompt, salts);
    const meta = { scope: 'a', session, model: body.model, salts, family: 'f', sentAt: at };
    const earlier = index.remember(prompt, fingerprint, meta);
    return { prompt, fingerprint, earlier, identity: identityOf(session, body.model, salts) };
  };
  send(first);
  const sent = send(second);
  const total = sent.prompt.blocks.reduce((sum, { tokens }) => sum + tokens, 0);
  const { read = 0, scale = 1, ...rest } = evidence;
  return diagnose({
    ...sent,
    known: undefined,
    marks: [sent.prompt.blocks.length - 1],
    sentAt: second.at ?? 60_000,
    rules,
    reported: { read, write: total * scale - read, uncached: 0 },
    ...rest,
  });
}

const system = `You are a careful coding agent.\nToday is Monday, 2 March 2026.\n${prose(1500)}`;
const tools = [tool('read_file'), tool('write_file'), tool('run_tests')];
const turns = [
  user('Fix the failing test, please.'),
  assistant(prose(300, 1)),
  user(prose(400, 2)),
];
const body: Body = { tools, system, messages: turns };
const next = (change: Partial<Body> = {}): Body => ({
  ...body,
  messages: [...turns, assistant(prose(200, 3)), user('And now run it again.')],
  ...change,
});

describe('what changed', () => {
  test('nothing, when the conversation goes on', () => {
    expect(afterwards({ body }, { body: next() })).toBeUndefined();
  });

  test('model-changed', () => {
    const second = { body: next({ model: 'claude-opus-5' }) };
    expect(afterwards({ body }, second)).toMatchObject({ reason: 'model-changed', position: 0 });
  });

  test('the same first message to another model is no change of model', () => {
    const messages = turns.slice(0, 1);
    const second = { body: { ...body, model: 'claude-opus-5', messages } };
    expect(afterwards({ body: { ...body, messages } }, second)).toBeUndefined();
    expect(
      afterwards({ body: { ...body, messages }, session: 's' }, { ...second, session: 's' })
        ?.reason,
    ).toBe('model-changed');
  });

  test.each([
    ['tools', 0],
    ['system', 3],
    ['messages', 4],
  ] as const)('parameter-changed, in front of the tier %s', (tier, position) => {
    const second = { body: next(), salts: { ...noSalts, [tier]: 'tool_choice any' } };
    expect(afterwards({ body }, second)).toMatchObject({ reason: 'parameter-changed', position });
  });

  test('tools-changed, with the place in the description', () => {
    const clock = (time: string) => [tools[0]!, tool('write_file', `Writes. It is ${time} now.`)];
    const first = { body: { ...body, tools: clock('10:15') } };
    const second = { body: next({ tools: clock('10:21') }) };
    expect(afterwards(first, second)).toMatchObject({
      reason: 'tools-changed',
      position: 1,
      difference: {
        byte: JSON.stringify(clock('10:15')[1]).indexOf('15 now'),
        class: 'timestamp',
      },
    });
  });

  test.each([
    ['one more', [...tools, tool('search')], 3],
    ['one less', tools.slice(0, 2), 2],
    ['another in its place', [tools[0]!, tool('search'), tools[2]!], 1],
  ])('tools-changed: %s', (_name, changed, position) => {
    const found = afterwards({ body }, { body: next({ tools: changed }) });
    expect(found).toMatchObject({ reason: 'tools-changed', position });
  });

  test('tools-reordered', () => {
    const second = { body: next({ tools: [tools[0]!, tools[2]!, tools[1]!] }) };
    expect(afterwards({ body }, second)).toMatchObject({ reason: 'tools-reordered', position: 1 });
    expect(afterwards({ body }, second)?.difference).toBeUndefined();
  });

  test('the same tool twice is no other order of two tools', () => {
    const first = { body: { ...body, tools: [tools[0]!, tools[0]!, tools[1]!] } };
    const second = { body: next({ tools: [tools[0]!, tools[1]!, tools[1]!] }) };
    expect(afterwards(first, second)?.reason).toBe('tools-changed');
  });

  test.each([
    ['Monday, 2 March 2026', 'Tuesday, 3 March 2026', 'timestamp'],
    ['Monday, 2 March 2026', 'the first of many', 'other'],
  ])('system-changed: %s to %s', (before, after, kind) => {
    const changed = system.replace(before, after);
    expect(afterwards({ body }, { body: next({ system: changed }) })).toMatchObject({
      reason: 'system-changed',
      position: 3,
      // In the text as the model reads it: a line break is one byte.
      difference: { byte: system.indexOf(before), class: kind },
    });
  });

  test.each([
    ['uuid', '3f2504e0-4f89-41d3-9a0c-0305e82c3301', '9a0c04e0-4f89-41d3-9a0c-0305e82c3301'],
    ['counter', 'turn 17', 'turn 18'],
  ])('system-changed in its last block: %s', (kind, before, after) => {
    const blocks = (id: string) => [
      { type: 'text', text: `„${prose(1500)}”`, cache_control: { type: 'ephemeral' } },
      { type: 'text', text: `Réf ${id}` },
    ];
    const first = { body: { ...body, system: blocks(before) } };
    const second = { body: next({ system: blocks(after) }) };
    const place = `„${prose(1500)}”Réf ${kind === 'counter' ? 'turn 1' : ''}`;
    expect(afterwards(first, second)).toMatchObject({
      reason: 'system-changed',
      position: 4,
      difference: { byte: Buffer.byteLength(place), class: kind },
    });
  });

  test('a mark that moved is no change', () => {
    const mark = { cache_control: { type: 'ephemeral' } };
    const blocks = (marked: boolean) => [{ type: 'text', text: system, ...(marked ? mark : {}) }];
    const last = (marked: boolean) => [
      { type: 'text', text: prose(400, 2), ...(marked ? mark : {}) },
    ];
    const first = {
      ...body,
      system: blocks(true),
      messages: [turns[0]!, turns[1]!, user(last(true))],
    };
    const second = {
      ...first,
      system: blocks(false),
      messages: [turns[0]!, turns[1]!, user(last(false)), assistant('Done.'), user('More.')],
    };
    expect(afterwards({ body: first }, { body: second })).toBeUndefined();
  });

  test('what stands first in cache order is named', () => {
    const second = { ...body, tools: tools.toReversed(), system: `Be another one. ${system}` };
    expect(afterwards({ body }, { body: second })).toMatchObject({ reason: 'tools-reordered' });
  });

  const history = [...turns, assistant(prose(500, 4)), user('And now run it again.')];
  const more = [assistant(prose(100, 5)), user('Thank you.')];

  test.each([
    [
      'a message in the middle rewritten',
      [turns[0]!, turns[1]!, user(prose(400, 9)), ...history.slice(3), ...more],
      2,
    ],
    ['an answer taken out', [turns[0]!, turns[1]!, turns[2]!, ...history.slice(4), ...more], 3],
    ['the first messages dropped', [...history.slice(2), ...more], 0],
    ['context taken out of the last message', [...history.slice(0, 4), user('Run.'), ...more], 4],
  ])('history-edited: %s', (_name, messages, message) => {
    expect(
      afterwards(
        { body: { ...body, messages: history }, session: 's' },
        { body: { ...body, messages }, session: 's' },
      ),
    ).toMatchObject({ reason: 'history-edited', message, position: 4 + message });
  });

  test('one character in the middle of a long block is found by the hash chain', () => {
    const result = prose(4000, 7);
    const messages = [turns[0]!, assistant('Ok.'), user(result)];
    const at = 8003;
    const edited = user(`${result.slice(0, at)}#${result.slice(at + 1)}`);
    const first = { body: { ...body, messages } };
    const second = { body: { ...body, messages: [turns[0]!, assistant('Ok.'), edited, ...more] } };
    expect(afterwards(first, second)).toMatchObject({ reason: 'history-edited', message: 2 });
  });

  test.each([
    [
      'another answer to the same request',
      [...turns, assistant(prose(300, 8)), user(prose(500, 6))],
    ],
    [
      'another run of the same task, seen late',
      [...turns, assistant(prose(300, 8)), user('Go on.'), assistant('Ok.'), user(prose(500, 6))],
    ],
    ['a shorter request', turns.slice(0, 2)],
    ['another conversation with the same beginning', [user(prose(600, 8))]],
    ['another long conversation', [user('Hi'), assistant(prose(300, 8)), user(prose(500, 6))]],
  ])('no edit: %s', (_name, messages) => {
    const index = createPredecessors();
    const send = (sent: Body, sentAt: number, continues?: number) => {
      const prompt = promptOf(sent);
      const meta = { scope: 'a', salts: noSalts, family: 'f', sentAt, continues };
      const fingerprint = fingerprintOf(prompt);
      return { prompt, fingerprint, earlier: index.remember(prompt, fingerprint, meta) };
    };
    send(body, 0);
    send({ ...body, messages: history }, 1000, 6);
    const sent = send({ ...body, messages }, 2000);
    expect(sent.earlier).toBeDefined();
    const identity = identityOf(undefined, undefined, noSalts);
    const reported = { read: 0, write: 5000, uncached: 0 };
    expect(
      diagnose({ ...sent, identity, known: undefined, marks: [], sentAt: 2000, rules, reported }),
    ).toBeUndefined();
  });

  test('costs nothing when the prefix is too short to be kept, too old for any lifetime, or not reported', () => {
    const changed = next({ system: system.replace('Monday', 'Friday') });
    expect(afterwards({ body }, { body: changed, at: 3_599_999 })?.reason).toBe('system-changed');
    expect(afterwards({ body }, { body: changed, at: 3_600_000 })).toBeUndefined();
    const strict: CacheRules = { ...rules, minTokens: 100_000 };
    expect(afterwards({ body }, { body: changed }, { rules: strict })).toBeUndefined();
    expect(afterwards({ body }, { body: changed }, { read: 2500 })).toBeUndefined();
  });

  test('loses what both requests have in common, measured by the provider', () => {
    const changed = {
      ...body,
      system: system.replace('Monday', 'Friday'),
      messages: [user(prose(900, 6))],
    };
    const prompt = promptOf(changed);
    const total = prompt.blocks.reduce((sum, { tokens }) => sum + tokens, 0);
    const head = prompt.blocks.slice(0, 4).reduce((sum, { tokens }) => sum + tokens, 0);
    expect(afterwards({ body }, { body: changed })?.lostTokens).toBe(head);
    expect(afterwards({ body }, { body: changed }, { scale: 1.5 })?.lostTokens).toBe(
      Math.round(head * 1.5),
    );
    expect(head).toBeLessThan(total - 800);
  });
});

describe('what became of the entry', () => {
  const entry: KnownEntry = { position: 6, tokens: 2400, readableAt: 2000, expiresAt: 300_000 };
  const at = (
    now: number,
    known: Partial<KnownEntry> = {},
    rest: Parameters<typeof afterwards>[2] = {},
  ) => afterwards({ body }, { body: next(), at: now }, { known: { ...entry, ...known }, ...rest });

  test.each([
    ['too-short', at(60_000, { tokens: 1000 })],
    ['too-short', at(600_000, { tokens: 1000 })],
    ['not-yet-readable', at(1999)],
    ['not-yet-readable', at(60_000, { readableAt: Infinity })],
    ['evicted', at(2000)],
    ['evicted', at(297_999)],
    ['expired', at(298_000)],
    ['expired', at(900_000, {}, { marks: [] })],
    ['lookback', at(60_000, {}, { marks: [] })],
    ['lookback', at(60_000, {}, { marks: [5] })],
    ['lookback', at(60_000, {}, { marks: [26] })],
    ['evicted', at(60_000, {}, { marks: [25] })],
    ['evicted', at(60_000, {}, { marks: [6] })],
  ])('%s', (reason, found) => {
    expect(found).toEqual({ reason, position: 6, lostTokens: found?.lostTokens });
    expect(found?.lostTokens).toBeGreaterThan(900);
  });

  test('neither read nor written, and close to the minimum: the provider counts fewer tokens', () => {
    const sent = promptOf(next());
    const evidence = {
      prompt: sent,
      fingerprint: fingerprintOf(sent),
      identity: identityOf(undefined, undefined, noSalts),
      earlier: undefined,
      marks: [8],
      sentAt: 60_000,
      rules,
      reported: { read: 0, write: 0, uncached: 2600 },
    };
    const reasonFor = (tokens: number, reported = evidence.reported) =>
      diagnose({ ...evidence, reported, known: { ...entry, tokens } })?.reason;
    expect(reasonFor(1400)).toBe('too-short');
    expect(reasonFor(1600)).toBe('evicted');
    expect(reasonFor(1400, { read: 0, write: 1400, uncached: 1200 })).toBe('evicted');
  });

  test.each([
    ['everything', 2400],
    ['95 %', 2280],
    ['all but 128 tokens', 2272],
  ])('nothing is lost when %s was read', (_name, read) => {
    const small = { ...entry, tokens: read === 2272 ? 2400 : entry.tokens };
    expect(at(60_000, small, { read })).toBeUndefined();
  });

  test('a little less than that is a loss', () => {
    expect(at(60_000, {}, { read: 2271 })).toMatchObject({ reason: 'evicted', lostTokens: 129 });
    expect(at(60_000, { isEstimate: true }, { read: 2271 })).toBeUndefined();
    expect(at(60_000, { isEstimate: true }, { read: 1000 })?.reason).toBe('evicted');
  });

  test('a request cannot lose more than it has', () => {
    const total = promptOf(next()).blocks.reduce((sum, { tokens }) => sum + tokens, 0);
    expect(at(60_000, { tokens: 90_000 }, { read: 100 })?.lostTokens).toBe(total - 100);
  });

  test('without an entry nothing was to be expected', () => {
    expect(afterwards({ body }, { body: next() })).toBeUndefined();
  });

  const endings: CacheRules = { ...rules, writes: 'endings', lookback: 21 };
  const chat = Array.from({ length: 30 }, (_, i) => [user(prose(60, i)), assistant('Ok.')]).flat();
  const long: Body = { system, messages: [...chat, user('Go on.')] };
  // System, then pairs: user messages stand at odd positions.
  test.each([
    ['the end of the system prompt', 0, [], 'evicted'],
    ['the 21st end from the last', 61 - 40, [], 'evicted'],
    ['the 22nd', 61 - 42, [], 'lookback'],
    ['the 22nd with a mark', 61 - 42, [61 - 42], 'evicted'],
    ['no end of a message', 60, [], 'lookback'],
  ])('OpenAI from GPT-5.6 looks at %s', (_name, position, marks, reason) => {
    const known = { ...entry, position };
    expect(afterwards({ body }, { body: long }, { known, marks, rules: endings })?.reason).toBe(
      reason,
    );
  });

  test('where everything is kept in steps, a step is no loss', () => {
    const prefix: CacheRules = { ...rules, writes: 'prefix' };
    const known = { ...entry, tokens: 8000 };
    const first = { ...body, system: prose(9000) };
    const second = next({ system: first.system });
    const found = (read: number) =>
      afterwards({ body: first }, { body: second }, { known, rules: prefix, read, marks: [] });
    expect(found(6000)).toBeUndefined();
    expect(found(5900)?.reason).toBe('evicted');
    expect(found(0)?.reason).toBe('evicted');
  });
});
