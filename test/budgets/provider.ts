/** A provider whose answers the test gives, one by one, and a router with budgets before it. */
import {
  createRouter,
  type BudgetPassed,
  type BudgetRule,
  type BudgetSnapshot,
  type CallContext,
  type PriceOverrides,
  type Router,
  type RouterOptions,
  type UsageRecord,
} from '../../src/index.ts';
import {
  createSeededRandom,
  createVirtualClock,
  type VirtualClock,
} from '../../src/testing/index.ts';
import { picoDollars } from '../../src/util/usd.ts';

/** A dollar for a million tokens, in and out: 1,000,000 pico-dollars each. */
export const DOLLAR_MODEL = 'dollar';
const PRICES: PriceOverrides = [{ model: DOLLAR_MODEL, inputUsdPerMTok: 1, outputUsdPerMTok: 1 }];
const URL = 'https://api.openai.com/v1/chat/completions';
export const DAY_MS = 86_400_000;

/** A request that waits for its answer. */
export interface Asked {
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
  /** Answers with so many tokens. */
  answer(input: number, output: number): void;
  /** Answers with anything. */
  respond(response: Response): void;
  /** Breaks the connection. */
  fail(): void;
}

export interface Bench {
  readonly clock: VirtualClock;
  readonly router: Router;
  readonly records: readonly UsageRecord[];
  readonly passed: readonly BudgetPassed[];
  /** Requests without an answer, in the order in which they came. */
  readonly asked: Asked[];
  /** Calls with a bound of so many tokens; the promise is of the whole answer. */
  call(maxTokens?: number, more?: CallOptions): Promise<Result>;
  /** The only budget. */
  budget(): BudgetSnapshot;
  /** Dollars of all records, in pico-dollars. */
  spent(): bigint;
}

export interface CallOptions {
  readonly context?: CallContext;
  readonly body?: Record<string, unknown>;
  readonly signal?: AbortSignal;
  readonly url?: string;
  readonly headers?: Record<string, string>;
}

export interface Result {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export function setUp(budgets: readonly BudgetRule[], options: RouterOptions = {}): Bench {
  const clock = createVirtualClock();
  const asked: Asked[] = [];
  const router = createRouter({
    clock,
    random: createSeededRandom(),
    limits: [{ adaptive: false }],
    retry: { maxAttempts: 1 },
    prices: PRICES,
    budgets,
    fetch: (_input, init) =>
      new Promise((resolve, reject) => {
        const gone = (): void => {
          asked.splice(asked.indexOf(request), 1);
          init?.signal?.removeEventListener('abort', onAbort);
        };
        const onAbort = (): void => {
          gone();
          reject(init?.signal?.reason);
        };
        const request: Asked = {
          body: JSON.parse(String(init?.body)),
          headers: new Headers(init?.headers),
          respond(response) {
            gone();
            resolve(response);
          },
          answer(input, output) {
            request.respond(Response.json(answerOf(request.body, input, output)));
          },
          fail() {
            gone();
            reject(new TypeError('fetch failed', { cause: new Error('broken') }));
          },
        };
        asked.push(request);
        init?.signal?.addEventListener('abort', onAbort);
      }),
    ...options,
  });
  const records: UsageRecord[] = [];
  const passed: BudgetPassed[] = [];
  router.on('usage', (record) => records.push(record));
  router.on('budget', (event) => passed.push(event));
  let count = 0;
  return {
    clock,
    router,
    records,
    passed,
    asked,
    async call(maxTokens, { context, body, signal, url = URL, headers } = {}) {
      const { fetch } = context === undefined ? router : router.with(context);
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: 'Bearer k', ...headers },
        body: JSON.stringify({
          model: DOLLAR_MODEL,
          messages: [{ role: 'user', content: `call ${count++}` }],
          ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
          ...body,
        }),
        ...(signal === undefined ? {} : { signal }),
      });
      return { status: response.status, headers: response.headers, text: await response.text() };
    },
    budget() {
      const [first] = router.snapshot().budgets;
      if (first === undefined) throw new Error('No budget is in use.');
      return first;
    },
    spent: () => records.reduce((sum, { cost }) => sum + (picoDollars(cost.usd) ?? 0n), 0n),
  };
}

function answerOf(body: Record<string, unknown>, input: number, output: number): unknown {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 0,
    model: body['model'],
    choices: [
      {
        index: 0,
        finish_reason: 'stop',
        message: { role: 'assistant', content: 'x'.repeat(output) },
      },
    ],
    usage: { prompt_tokens: input, completion_tokens: output, total_tokens: input + output },
  };
}

/** Everything that can happen now has happened. */
export async function calm(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
}
