/** A router before a simulated provider, on virtual time, and conversations to send through it. */
import {
  createRouter,
  type Middleware,
  type Plan,
  type PromptCacheMode,
  type PromptCacheOptions,
  type Router,
  type UsageRecord,
} from '../../src/index.ts';
import {
  createSeededRandom,
  createVirtualClock,
  simulateProvider,
  type SimulateOptions,
  type VirtualClock,
} from '../../src/testing/index.ts';
import { finish } from '../testing/simulate/helpers.ts';

export const URL = 'https://api.anthropic.com/v1/messages';
export const MINUTE = 60_000;
const words = (name: string, count: number): string => `${name} `.repeat(count);

export type Block = Record<string, unknown>;
export interface Body {
  system: string;
  messages: Array<{ role: string; content: string | Block[] }>;
  [key: string]: unknown;
}

/** Turn `count` of a conversation, `tools` results in each. */
export function bodyOf(name: string, count: number, tools = 1): Body {
  const messages: Body['messages'] = [{ role: 'user', content: words(name, 100) }];
  for (let turn = 1; turn < count; turn++) {
    const ids = Array.from({ length: tools }, (_, i) => `${name}-${turn}-${i}`);
    messages.push(
      {
        role: 'assistant',
        content: ids.map((id) => ({ type: 'tool_use', id, name: 'f', input: { id } })),
      },
      {
        role: 'user',
        content: ids.map((id) => ({
          type: 'tool_result',
          tool_use_id: id,
          content: words(id, 900 / tools),
        })),
      },
    );
  }
  return {
    model: 'claude-sonnet-4-5',
    max_tokens: 100,
    stream: true,
    system: words('system', 3000),
    messages,
  };
}

export interface CachedRouter {
  clock: VirtualClock;
  router: Router;
  records: readonly UsageRecord[];
  /** Filled from `listen` on. */
  plans: readonly Plan[];
  sent: ReadonlyArray<{ text: string; headers: Headers }>;
  /** Sends a body, waits for the end of the answer and gives the call's record. */
  ask(body: Body, headers?: Record<string, string>): Promise<UsageRecord>;
  post(text: string, headers?: Record<string, string>): RequestInit;
  listen(): void;
}

export function setUp({
  promptCache,
  middleware,
  failing = [],
  ...options
}: Partial<SimulateOptions> & {
  promptCache?: PromptCacheMode | PromptCacheOptions;
  middleware?: readonly Middleware[];
  /** Numbers of the requests that are answered 529, from 0. */
  failing?: readonly number[];
} = {}): CachedRouter {
  const clock = createVirtualClock();
  const simulated = simulateProvider({
    provider: 'anthropic',
    clock,
    ...options,
  });
  const sent: Array<{ text: string; headers: Headers }> = [];
  const send = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const number = sent.length;
    sent.push({ text: String(init?.body), headers: new Headers(init?.headers) });
    return failing.includes(number)
      ? Response.json({ error: {} }, { status: 529 })
      : simulated(input, init);
  };
  const router = createRouter({
    fetch: send,
    clock,
    random: createSeededRandom(),
    promptCache,
    middleware,
    limits: [{ adaptive: false }],
    retry: { maxAttempts: 1 },
  });
  const records: UsageRecord[] = [];
  const plans: Plan[] = [];
  router.on('usage', (record) => records.push(record));
  const listen = (): void => void router.on('plan', (plan) => plans.push(plan));
  const post = (text: string, headers: Record<string, string> = {}): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': 'k', ...headers },
    body: text,
  });
  const ask = async (body: Body, headers?: Record<string, string>): Promise<UsageRecord> => {
    const call = router.fetch(URL, post(JSON.stringify(body), headers)).then((r) => r.text());
    await finish(clock, call);
    const record = records.at(-1);
    if (record === undefined) throw new Error('No record came.');
    return record;
  };
  return { clock, router, records, plans, sent, ask, post, listen };
}

export const marksIn = (text: string): unknown[] =>
  [...text.matchAll(/"cache_control":(\{[^}]*\})/g)].map(([, mark]) => JSON.parse(mark ?? ''));

export const readOf = ({ usage }: UsageRecord): number => usage.inputTokens.cacheRead ?? 0;
