/** A week of calls of three tenants: simulated providers, virtual time, the same in every run. It takes some seconds. */
import { createRouter, type Sink } from 'tokenrouter';
import { createSeededRandom, createVirtualClock, simulateProvider } from 'tokenrouter/testing';

const FIRST_DAY = '2026-11-02';
const DAYS = 7;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

interface Workload {
  readonly tenant: string;
  readonly users: readonly string[];
  readonly feature: string;
  readonly model: string;
  readonly callsPerDay: number;
  readonly answerTokens: number;
  /** What every prompt begins with. */
  readonly system: (now: Date) => string;
}

const handbook = (of: string, rules: number): string =>
  Array.from(
    { length: rules },
    (_, i) => `${of}, rule ${i + 1}: look twice before you answer.`,
  ).join('\n');

const WORKLOADS: readonly Workload[] = [
  {
    tenant: 'acme',
    users: ['ada', 'grace', 'edsger'],
    feature: 'support',
    model: 'claude-sonnet-4-6',
    callsPerDay: 16,
    answerTokens: 350,
    system: () => handbook('Acme support', 250),
  },
  {
    tenant: 'acme',
    users: ['search-index'],
    feature: 'search',
    model: 'gpt-5-mini',
    callsPerDay: 20,
    answerTokens: 60,
    system: () => handbook('Acme search', 120),
  },
  {
    tenant: 'globex',
    users: ['barbara', 'niklaus'],
    feature: 'reports',
    model: 'gpt-5.4',
    callsPerDay: 8,
    answerTokens: 1_500,
    system: () => handbook('Globex reports', 200),
  },
  {
    // The time at the front of a prompt: no two of them begin alike.
    tenant: 'initech',
    users: ['peter'],
    feature: 'chat',
    model: 'claude-sonnet-4-6',
    callsPerDay: 10,
    answerTokens: 200,
    system: (now) => `It is ${now.toISOString()}.\n${handbook('Initech chat', 200)}`,
  },
  {
    tenant: 'initech',
    users: ['milton'],
    feature: 'batch',
    model: 'house-model',
    callsPerDay: 10,
    answerTokens: 120,
    system: () => 'Put each line into one of five classes.',
  },
];

/** Sends the calls of a week through a router with that sink. */
export async function playWeek(sink: Sink): Promise<void> {
  const clock = createVirtualClock({ startAt: Date.parse(FIRST_DAY) });
  const random = createSeededRandom(7);
  const latency = { headMs: 900, tokensPerSecond: 70, jitter: 0.5 };
  const openai = simulateProvider({
    provider: 'openai',
    clock,
    latency,
    answer: ({ body }) => answerTo(body),
  });
  const anthropic = simulateProvider({
    provider: 'anthropic',
    clock,
    latency,
    answer: ({ body }) => answerTo(body),
    // A bad hour on Thursday.
    overload: [{ from: 3 * DAY + 10 * HOUR, to: 3 * DAY + 11.5 * HOUR, share: 0.1 }],
  });
  const router = createRouter({
    clock,
    random,
    sinks: [sink],
    retry: { maxAttempts: 2 },
    fetch: (input, init) =>
      (hostOf(input) === 'api.anthropic.com' ? anthropic : openai)(input, init),
  });

  const calls = WORKLOADS.flatMap((work) =>
    Array.from({ length: work.callsPerDay * DAYS }, () => ({ work, at: startOf(random) })),
  ).toSorted((a, b) => a.at - b.at);
  const pending: Array<Promise<void>> = [];
  for (const { work, at } of calls) {
    await clock.advance(Math.max(0, at - clock.now()));
    const user = work.users[Math.floor(random() * work.users.length)] ?? 'nobody';
    const context = { tenant: work.tenant, user, tags: { feature: work.feature } };
    const { url, body } = requestOf(work, pending.length, new Date(clock.wallNow()));
    const sent = router.with(context).fetch(url, { method: 'POST', body: JSON.stringify(body) });
    pending.push(
      sent.then(async (response) => void (await response.arrayBuffer())).catch(() => {}),
    );
  }
  let isDone = false;
  void Promise.all(pending).then(() => (isDone = true));
  while (!isDone) await clock.next();
  await router.close();
}

/** In office hours, mostly in the middle of them, and less on weekends. */
function startOf(random: () => number): number {
  const day = Math.floor(random() * DAYS);
  const isQuiet = day >= 5 && random() < 0.7;
  const hour = 8 + 5 * (random() + random());
  return (isQuiet ? Math.floor(random() * 5) : day) * DAY + hour * HOUR;
}

function hostOf(input: string | URL | Request): string {
  return new URL(input instanceof Request ? input.url : input).hostname;
}

function requestOf(work: Workload, number: number, now: Date): { url: string; body: object } {
  const system = work.system(now);
  const question = `Question ${number}, ${work.answerTokens} tokens please.`;
  const ask = { role: 'user', content: question };
  const stream = work.feature !== 'batch';
  if (work.model.startsWith('claude')) {
    const body = { model: work.model, max_tokens: 4_000, stream, system, messages: [ask] };
    return { url: 'https://api.anthropic.com/v1/messages', body };
  }
  const messages = [{ role: 'system', content: system }, ask];
  const host = work.model === 'house-model' ? 'http://llm.internal' : 'https://api.openai.com';
  return { url: `${host}/v1/chat/completions`, body: { model: work.model, stream, messages } };
}

/** As long as the question asks for, give or take. */
function answerTo(body: unknown): { text: string; outputTokens: number } {
  const [, number = '0', tokens = '0'] =
    /Question (\d+), (\d+) tokens/.exec(JSON.stringify(body)) ?? [];
  const share = 0.5 + ((Number(number) * 37) % 100) / 100;
  return { text: 'Here it is.', outputTokens: Math.round(Number(tokens) * share) };
}
