/** Every recorded exchange once through a router with the given sinks, and the records that it made of them. */
import { createRouter, type Sink, type UsageRecord } from '../../src/index.ts';
import { picoDollars } from '../../src/util/usd.ts';
import {
  readLines,
  REFERENCE_MISSES,
  recordingsIn,
  urlOf,
  type Expected,
  type Recording,
} from '../adapters/recordings.ts';

const ID = 'x-recording';

export interface Played {
  readonly records: readonly UsageRecord[];
  /** Of the recordings for which a reference says without doubt what the provider reported: our records, and what it says. */
  readonly compared: readonly { readonly record: UsageRecord; readonly expected: Expected }[];
}

export async function playRecordings(folder: URL, sinks: readonly Sink[]): Promise<Played> {
  const recordings = new Map(recordingsIn(folder).map((one) => [one.id, one]));
  const router = createRouter({
    sinks,
    // Recordings of many accounts: neither limits nor second attempts of one of them.
    limits: [{ adaptive: false }],
    retry: { maxAttempts: 1 },
    fetch: async (_input, init) =>
      responseOf(recordings.get(new Headers(init?.headers).get(ID) ?? '')!),
  });
  const records = new Map<string, UsageRecord>();
  router.on('usage', (record) => records.set(record.id, record));
  const compared: Array<{ record: UsageRecord; expected: Expected }> = [];
  const ids: Array<readonly [recording: string, call: string]> = [];
  for (const recording of recordings.values()) {
    const { id, request } = recording;
    const method = request?.method ?? 'POST';
    const response = await router.fetch(urlOf(recording), {
      method,
      headers: { 'content-type': 'application/json', ...request?.headers, [ID]: id },
      body: method === 'GET' ? null : (request?.body ?? null),
    });
    await response.arrayBuffer();
    ids.push([id, response.headers.get('x-tokenrouter-id') ?? '']);
  }
  await router.close({ timeoutMs: 30_000 });

  const expectations = readLines<Expected>(new URL('expected_usage.jsonl', folder));
  const expectedOf = new Map(expectations.map((one) => [one.id, one]));
  for (const [id, callId] of ids) {
    const record = records.get(callId);
    const expected = expectedOf.get(id);
    const isSure = expected !== undefined && expected.ambiguous.length === 0;
    if (!isSure || id in REFERENCE_MISSES || record === undefined) continue;
    if (record.usage.grade !== 'estimated') compared.push({ record, expected });
  }
  return { records: [...records.values()], compared };
}

function responseOf({ stream, response }: Recording): Response {
  const { status, headers, body, body_encoding: encoding } = response;
  const type = stream ? 'text/event-stream' : 'application/json';
  const bytes =
    status === 204 || status === 304 ? null : Buffer.from(body ?? '', encoding ?? 'utf8');
  return new Response(bytes, { status, headers: { 'content-type': type, ...headers } });
}

/** What stores add up. Unknown adds nothing. */
export interface Sums {
  readonly records: bigint;
  readonly uncached: bigint;
  readonly cacheRead: bigint;
  readonly cacheWrite: bigint;
  readonly cacheWrite1h: bigint;
  readonly output: bigint;
  readonly reasoning: bigint;
  /** 10^-12 dollars. */
  readonly cost: bigint;
  readonly savedByCache: bigint;
  readonly unpriced: bigint;
}

export function sumsOf(records: readonly UsageRecord[]): Sums {
  const tokens = (of: (record: UsageRecord) => number | undefined): bigint =>
    records.reduce((sum, record) => sum + BigInt(of(record) ?? 0), 0n);
  const dollars = (of: (record: UsageRecord) => string | null | undefined): bigint =>
    records.reduce((sum, record) => sum + (picoDollars(of(record)) ?? 0n), 0n);
  return {
    records: BigInt(records.length),
    uncached: tokens(({ usage }) => usage.inputTokens.uncached),
    cacheRead: tokens(({ usage }) => usage.inputTokens.cacheRead),
    cacheWrite: tokens(({ usage }) => usage.inputTokens.cacheWrite),
    cacheWrite1h: tokens(({ usage }) => usage.inputTokens.cacheWrite1h),
    output: tokens(({ usage }) => usage.outputTokens.total),
    reasoning: tokens(({ usage }) => usage.outputTokens.reasoning),
    cost: dollars(({ cost }) => cost.usd),
    savedByCache: dollars(({ saved }) => saved.cacheUsd),
    unpriced: tokens(({ cost }) => (cost.usd === null ? 1 : 0)),
  };
}
