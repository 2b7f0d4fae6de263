/**
 * What reading, arranging, canonicalising, hashing and marking a body costs, against `JSON.parse` and `JSON.stringify` of the
 * same text in the same round. Medians, in microseconds.
 *
 *     node --conditions=@tokenrouter/source bench/prompt-body.bench.ts [rounds]
 *
 * - `first sight`, `known tools`, `next turn`: the stages up to the hashes. Nothing known; a new conversation of an agent whose
 *   tools are known; the next turn of a known conversation.
 * - `router`: the next turn through a whole router, from `fetch` to the transport, with the plan and its marks.
 * - `as one string`: what the transport pays to read the body that it was given, once. A body that goes out as it came costs
 *   nothing.
 *
 * Every text is a fresh string, as a host's `JSON.stringify` makes it. Of a first sight at 500 KB, SHA-256 takes 0.3 of the
 * unit and the search for the ends of strings 0.2.
 */
import { anthropicCaching } from '../adapters/anthropic/cache.ts';
import { openaiCaching } from '../adapters/openai/cache.ts';
import { Call } from '../src/call.ts';
import { compose } from '../src/pipeline.ts';
import { createRouter } from '../src/index.ts';
import { createToolOrder } from '../src/prompt-cache/arrange/tool-order.ts';
import { canonicalText } from '../src/prompt-cache/body/canonical-reader.ts';
import { createPromptReader } from '../src/prompt-cache/body/prompt-reader.ts';
import { arrange } from '../src/stages/arrange.ts';
import { canonicalize } from '../src/stages/canonicalize.ts';
import { chunk } from '../src/stages/chunk.ts';
import { fingerprint } from '../src/stages/fingerprint.ts';
import type { Next } from '../src/stage.ts';
import type { Api } from '../src/types.ts';
import { benchRequest, type RequestSize } from './inputs/requests.ts';
import { spread } from './statistics.ts';

interface Shape {
  readonly name: string;
  readonly api: Api;
  /** The body up to a message, counted from the end; 0 for all. */
  readonly bodyOf: (cut: number) => string;
}

const URLS = {
  chat: 'https://api.openai.com/v1/chat/completions',
  messages: 'https://api.anthropic.com/v1/messages',
};
const ANSWERS = {
  chat: { id: 'a', choices: [], usage: { prompt_tokens: 9000, completion_tokens: 9 } },
  messages: { id: 'a', content: [], usage: { input_tokens: 9000, output_tokens: 9 } },
};
const DEFAULT_ROUNDS: Readonly<Record<RequestSize, number>> = { 2: 4000, 50: 1500, 500: 300 };
const given = Number(process.argv[2]);

console.log(
  '| body | unit (us) | first sight | | known tools | | next turn | router | as one string |',
);
console.log('|---|--:|--:|--:|--:|--:|--:|--:|--:|');
for (const size of [50, 500] as const) {
  for (const shape of shapesOf(size)) await measureShape(size, shape);
}

/** Messages in front of the tools and behind them, in both formats. */
function shapesOf(size: RequestSize): Shape[] {
  const { chat, messages } = benchRequest(size);
  const { tools, messages: turns, ...settings } = chat;
  const { tools: otherTools, messages: otherTurns, ...otherSettings } = messages;
  const cutTo = <T>(list: readonly T[], cut: number): T[] => list.slice(0, list.length - cut);
  return [
    {
      name: 'chat completions, canonical',
      api: 'chat.completions',
      bodyOf: (cut) => {
        const text = JSON.stringify({ ...settings, messages: cutTo(turns, cut), tools });
        return canonicalText(text) ?? text;
      },
    },
    {
      name: 'chat completions, tools last',
      api: 'chat.completions',
      bodyOf: (cut) => JSON.stringify({ ...settings, messages: cutTo(turns, cut), tools }),
    },
    {
      name: 'chat completions, tools first',
      api: 'chat.completions',
      bodyOf: (cut) => JSON.stringify({ ...settings, tools, messages: cutTo(turns, cut) }),
    },
    {
      name: 'Anthropic, tools last',
      api: 'messages',
      bodyOf: (cut) =>
        JSON.stringify({ ...otherSettings, messages: cutTo(otherTurns, cut), tools: otherTools }),
    },
    {
      name: 'Anthropic, tools first',
      api: 'messages',
      bodyOf: (cut) =>
        JSON.stringify({ ...otherSettings, tools: otherTools, messages: cutTo(otherTurns, cut) }),
    },
  ];
}

async function measureShape(size: RequestSize, { name, api, bodyOf }: Shape): Promise<void> {
  const times = {
    unit: [] as number[],
    first: [] as number[],
    tools: [] as number[],
    next: [] as number[],
    router: [] as number[],
    text: [] as number[],
  };
  const rounds = Number.isNaN(given) ? DEFAULT_ROUNDS[size] : given;
  const router = benchRouter();
  const buffers = { all: Buffer.from(bodyOf(0)), before: Buffer.from(bodyOf(2)) };
  const all = (): string => buffers.all.toString();
  const before = (): string => buffers.before.toString();
  for (let round = -rounds / 2; round < rounds; round++) {
    const text = all();
    const unit = timed(() => JSON.stringify(JSON.parse(text)));
    const first = await stagesOf()(callOf(all(), api));
    const known = stagesOf();
    await known(callOf(before(), api));
    const next = await known(callOf(all(), api));
    const kin = stagesOf();
    await kin(callOf(another(all(), 'Another'), api));
    const tools = await kin(callOf(all(), api));
    await router.send(another(before(), round), api);
    const sent = await router.send(another(all(), round), api);
    if (round < 0) continue;
    times.unit.push(unit);
    times.first.push(first);
    times.tools.push(tools);
    times.next.push(next);
    times.router.push(sent.passed);
    times.text.push(sent.text);
  }
  await router.close();
  const us = (list: readonly number[]): string => (spread(list).median * 1000).toFixed(0);
  const ratio = (list: readonly number[]): string =>
    spread(list.map((time, i) => time / (times.unit[i] ?? 1))).median.toFixed(2);
  console.log(
    `| ${size} KB, ${name} | ${us(times.unit)} | ${us(times.first)} | ${ratio(times.first)}x | ${us(times.tools)} | ${ratio(times.tools)}x | ${us(times.next)} | ${us(times.router)} | ${us(times.text)} |`,
  );
}

/** The beginning of another conversation: its first message differs, and with it every hash. */
function another(body: string, name: string | number): string {
  return Buffer.from(body.replace('"role":"user","content":"', `$&${name}. `)).toString();
}

/** A router whose transport says when it was reached, and how long it took to make the body one string. */
function benchRouter(): {
  send: (body: string, api: Api) => Promise<{ passed: number; text: number }>;
  close: () => Promise<void>;
} {
  let passedAt = 0;
  let text = 0;
  const router = createRouter({
    fetch: (url, init) => {
      passedAt = performance.now();
      // Reading one character does.
      text = timed(() => (typeof init?.body === 'string' ? init.body.charCodeAt(0) : 0));
      return Promise.resolve(
        Response.json(url === URLS.messages ? ANSWERS.messages : ANSWERS.chat),
      );
    },
  });
  const headers = { 'content-type': 'application/json', authorization: 'Bearer key' };
  return {
    async send(body, api) {
      const url = api === 'messages' ? URLS.messages : URLS.chat;
      const startedAt = performance.now();
      const response = await router.fetch(url, { method: 'POST', headers, body });
      await response.arrayBuffer();
      return { passed: passedAt - startedAt, text };
    },
    close: () => router.close(),
  };
}

/** The stages of a new router; gives the milliseconds until the call is behind the last of them. */
function stagesOf(): (call: Call) => Promise<number> {
  const promptReader = createPromptReader();
  const toolOrder = createToolOrder({ mode: 'stable' });
  const modeOf = (): 'auto' => 'auto';
  let passedAt = 0;
  const response = new Response(null);
  const run: Next = compose([
    chunk({ modeOf, promptReader }),
    arrange({ toolOrder, scopeOf: () => 'bench' }),
    canonicalize({ modeOf, promptReader }),
    fingerprint(),
    {
      name: 'end',
      handle: () => {
        passedAt = performance.now();
        return Promise.resolve(response);
      },
    },
  ]);
  return async (call) => {
    const startedAt = performance.now();
    await run(call);
    return passedAt - startedAt;
  };
}

function callOf(body: string, api: Api): Call {
  const url = 'https://api.example.com/';
  const call = new Call(
    {
      id: 'id',
      startedAt: 0,
      startedEpochMs: 0,
      input: url,
      init: undefined,
      transport: undefined,
      context: { priority: 'normal' },
      headers: [],
    },
    {
      url,
      method: 'POST',
      headers: [],
      body,
      signal: undefined,
      redirect: 'follow',
      consumed: false,
    },
  );
  const cache = api === 'messages' ? anthropicCaching : openaiCaching;
  call.endpoint = { provider: 'bench', api, cache };
  return call;
}

function timed(work: () => unknown): number {
  const startedAt = performance.now();
  work();
  return performance.now() - startedAt;
}
