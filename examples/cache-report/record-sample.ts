/**
 * Makes the traffic that the report shows when it is given none: a morning of calls to simulated providers, recorded by
 * `recordFetch`. Nobody's traffic, but everything in it costs people money. Gives the same bytes in every run.
 *
 *     node examples/cache-report/record-sample.ts test/fixtures/cache-report/traffic.jsonl
 */
import { rmSync } from 'node:fs';
import {
  createSeededRandom,
  createVirtualClock,
  recordFetch,
  simulateProvider,
} from 'tokenrouter/testing';

const [path = 'traffic.jsonl'] = process.argv.slice(2);
const START = Date.UTC(2026, 10, 16, 9);
const SECOND = 1000;
const MINUTE = 60 * SECOND;

const clock = createVirtualClock({ startAt: START });
const random = createSeededRandom(11);
const sleep = (ms: number): Promise<void> => new Promise((done) => clock.setTimeout(done, ms));

const timing = { clock, firstByteMs: 1500, durationMs: 4000 };
const claude = simulateProvider({ provider: 'anthropic', ...timing, answer: () => prose(25) });
const gpt = simulateProvider({ provider: 'openai', ...timing, answer: () => prose(25) });

/** Providers say when they answered; a report learns from it when each call was made. */
async function dated(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await (String(input).includes('anthropic') ? claude : gpt)(input, init);
  response.headers.set('date', new Date(clock.wallNow()).toUTCString());
  return response;
}

rmSync(path, { force: true });
const fetch = recordFetch({ fetch: dated, path, clock });

const WORDS =
  'the a of to build test file line error module cache token prompt order price value index queue reader writer stream state branch commit merge check retry limit window block page table field number string object result answer call begins ends holds keeps reads writes returns throws waits moves counts finds is was before after under over between without'.split(
    ' ',
  );

function prose(words: number): string {
  return Array.from({ length: words }, () => WORDS[Math.floor(random() * WORDS.length)]).join(' ');
}

interface Tool {
  readonly name: string;
  readonly description: string;
  readonly input_schema: object;
}

const TOOLS: readonly Tool[] = ['read_file', 'write_file', 'search', 'run_tests', 'list'].map(
  (name) => ({
    name,
    description: prose(70),
    input_schema: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
  }),
);
const MARK = { cache_control: { type: 'ephemeral' } };

interface Message {
  role: 'user' | 'assistant';
  content: string;
}

/** One call to Claude, with the marks that people set: on the system prompt and on the last message. */
async function ask(
  messages: readonly Message[],
  {
    system,
    tools,
    isMarked = true,
  }: { system: string; tools: readonly Tool[]; isMarked?: boolean },
): Promise<string> {
  const part = (text: string, hasMark: boolean): object => ({
    type: 'text',
    text,
    ...(hasMark && isMarked && MARK),
  });
  const response = await fetch('https://api.anthropic.com/v1/messages', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({
      model: 'claude-opus-4-8',
      max_tokens: 1000,
      system: [part(system, true)],
      tools,
      messages: messages.map(({ role, content }, i) => ({
        role,
        content: [part(content, i === messages.length - 1)],
      })),
    }),
  });
  const { content } = (await response.json()) as { content: Array<{ text?: string }> };
  return content.map(({ text = '' }) => text).join('');
}

/** An agent: asks, does what it is told, asks again. */
async function agent(
  turns: number,
  pause: (turn: number) => number,
  options: (turn: number) => Parameters<typeof ask>[1],
): Promise<void> {
  const messages: Message[] = [{ role: 'user', content: prose(60) }];
  for (let turn = 1; turn <= turns; turn++) {
    messages.push({ role: 'assistant', content: await ask(messages, options(turn)) });
    messages.push({ role: 'user', content: prose(150 + Math.floor(random() * 200)) });
    await sleep(pause(turn));
  }
}

function shuffled(tools: readonly Tool[]): Tool[] {
  return tools
    .map((tool) => ({ tool, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ tool }) => tool);
}

/** Somebody goes for coffee after the sixth turn. */
async function codingAgent(): Promise<void> {
  const system = prose(900);
  const pause = (turn: number): number => (turn === 6 ? 11 * MINUTE : 20 * SECOND);
  await agent(10, pause, () => ({ system, tools: TOOLS }));
}

async function clockInSystemPrompt(): Promise<void> {
  const rules = prose(800);
  const now = (): string => new Date(clock.wallNow()).toISOString();
  const options = (): Parameters<typeof ask>[1] => ({
    system: `You are a careful assistant. It is ${now()}. ${rules}`,
    tools: TOOLS,
  });
  await agent(7, () => 35 * SECOND, options);
}

async function shuffledTools(): Promise<void> {
  const system = prose(700);
  await agent(
    6,
    () => 15 * SECOND,
    () => ({ system, tools: shuffled(TOOLS) }),
  );
}

async function withoutMarks(): Promise<void> {
  const system = prose(700);
  await agent(
    7,
    () => 25 * SECOND,
    () => ({ system, tools: TOOLS, isMarked: false }),
  );
}

/** Each asks something else of the same instructions, and pays for keeping an end that nobody reads again. */
async function oneShots(): Promise<void> {
  const system = prose(1100);
  for (let i = 0; i < 5; i++) {
    await ask([{ role: 'user', content: prose(250) }], { system, tools: [] });
    await sleep(40 * SECOND);
  }
}

/** Five reviewers of one document start in the same second. */
async function fanOut(): Promise<void> {
  const system = prose(1500);
  const questions = Array.from({ length: 5 }, () => prose(30));
  await Promise.all(
    questions.map((content) => ask([{ role: 'user', content }], { system, tools: [] })),
  );
}

/** A chat with GPT that shortens an old message in its fifth turn. */
async function editedHistory(): Promise<void> {
  const messages: Array<{ role: string; content: string }> = [
    { role: 'system', content: prose(1200) },
    { role: 'user', content: prose(250) },
  ];
  for (let turn = 1; turn <= 8; turn++) {
    const old = messages[3];
    if (turn === 5 && old !== undefined) old.content = '(shortened)';
    const response = await fetch('https://api.openai.com/v1/chat/completions', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-5.6-sol', messages }),
    });
    const answer = (await response.json()) as { choices: Array<{ message: { content: string } }> };
    messages.push({ role: 'assistant', content: answer.choices[0]?.message.content ?? '' });
    messages.push({ role: 'user', content: prose(200) });
    await sleep(30 * SECOND);
  }
}

const starts: ReadonlyArray<[afterMinutes: number, () => Promise<void>]> = [
  [0, codingAgent],
  [2, clockInSystemPrompt],
  [7, shuffledTools],
  [10, oneShots],
  [14, withoutMarks],
  [16, fanOut],
  [17, editedHistory],
];
let isDone = false;
const all = Promise.all(
  starts.map(async ([minutes, start]) => {
    await sleep(minutes * MINUTE);
    await start();
  }),
).finally(() => (isDone = true));
while (!isDone) await clock.next();
await all;
console.log(`${path}: ${claude.calls.length + gpt.calls.length} calls`);
