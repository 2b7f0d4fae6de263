import { describe, expect, test } from 'vitest';
import { createRouter, usageRecordSchema, type UsageRecord } from '../src/index.ts';
import { createSeededRandom } from '../src/testing/index.ts';
import {
  readLines,
  REFERENCE_MISSES,
  recordingFolders,
  recordingsIn,
  urlOf,
  type Expected,
  type Recording,
} from './adapters/recordings.ts';
import { ReplayDispatcher, type PlayedAnswer } from './helpers/replay-dispatcher.ts';

/**
 * Every recorded exchange through the whole router, over both transports, cut at random places: the host gets the
 * recorded status, headers and bytes, and there is exactly one final record, with the usage that was expected.
 */

const ID = 'x-recording';

function played(recording: Recording, random: () => number): PlayedAnswer {
  const { status, headers, body, body_encoding: encoding } = recording.response;
  const bytes = Buffer.from(body ?? '', encoding ?? 'utf8');
  const chunks: Uint8Array[] = [];
  // From single bytes to whole bodies, small cuts more often.
  const longest = Math.max(8, Math.ceil(bytes.length * random() ** 3));
  for (let start = 0; start < bytes.length;) {
    const size = 1 + Math.floor(random() * longest);
    chunks.push(bytes.subarray(start, start + size));
    start += size;
  }
  const type = recording.stream ? 'text/event-stream' : 'application/json';
  return { status, headers: { 'content-type': type, ...headers }, chunks };
}

function responseOf({ status, headers, chunks }: PlayedAnswer): Response {
  if (status === 204 || status === 304) return new Response(null, { status, headers });
  const rest = [...chunks];
  const body = new ReadableStream({
    pull(controller) {
      const chunk = rest.shift();
      if (chunk === undefined) controller.close();
      else controller.enqueue(new Uint8Array(chunk));
    },
  });
  return new Response(body, { status, headers });
}

interface Problem {
  readonly id: string;
  readonly what: string;
  readonly got: unknown;
  readonly want: unknown;
}

function usageProblems(record: UsageRecord, expected: Expected): Array<Omit<Problem, 'id'>> {
  const { inputTokens, outputTokens, grade } = record.usage;
  const { total, uncached, cacheRead, cacheWrite, cacheWrite1h } = inputTokens;
  const parts = (uncached ?? 0) + (cacheRead ?? 0) + (cacheWrite ?? 0) + (cacheWrite1h ?? 0);
  const problems: Array<Omit<Problem, 'id'>> = [];
  if (total !== undefined && uncached !== undefined && parts !== total) {
    problems.push({ what: 'buckets add up', got: parts, want: total });
  }
  if (expected.id in REFERENCE_MISSES) return problems;
  if (expected.ambiguous.length > 0 || grade === 'estimated') return problems;
  const got = {
    input_total: total ?? null,
    cached_read: cacheRead ?? null,
    cache_write:
      cacheWrite === undefined && cacheWrite1h === undefined
        ? null
        : (cacheWrite ?? 0) + (cacheWrite1h ?? 0),
    cache_write_1h: cacheWrite1h ?? null,
    output: outputTokens.total ?? null,
    reasoning: outputTokens.reasoning ?? null,
  };
  const want = expected.usage ?? Object.fromEntries(Object.keys(got).map((key) => [key, null]));
  if (JSON.stringify(got) !== JSON.stringify(want)) problems.push({ what: 'usage', got, want });
  if (expected.usage !== null && grade === 'none') {
    problems.push({ what: 'grade', got: grade, want: 'the provider’s own numbers' });
  }
  return problems;
}

async function check(folder: URL, transport: 'fetch' | 'dispatcher'): Promise<Problem[]> {
  const random = createSeededRandom(7);
  const recordings = new Map([...recordingsIn(folder)].map((one) => [one.id, one]));
  const expectations = new Map(
    readLines<Expected>(new URL('expected_usage.jsonl', folder)).map((one) => [one.id, one]),
  );
  const answerTo = (id: string | null | undefined): PlayedAnswer =>
    played(recordings.get(id ?? '')!, random);
  // Recordings of many accounts: neither limits nor second attempts of one of them.
  const router = createRouter({
    limits: [{ adaptive: false }],
    retry: { maxAttempts: 1 },
    ...(transport === 'fetch'
      ? { fetch: async (_input, init) => responseOf(answerTo(new Headers(init?.headers).get(ID))) }
      : {
          dispatcher: new ReplayDispatcher((options) => {
            const headers = options.headers as string[];
            return answerTo(headers[headers.indexOf(ID) + 1]);
          }, true),
        }),
  });
  const records = new Map<string, UsageRecord[]>();
  router.on('usage', (record) => {
    const all = records.get(record.callId) ?? [];
    records.set(record.callId, [...all, record]);
  });

  const problems: Problem[] = [];
  const calls: Array<readonly [id: string, callId: string]> = [];
  for (const recording of recordings.values()) {
    const { id, request, response: wanted } = recording;
    const method = request?.method ?? 'POST';
    const response = await router.fetch(urlOf(recording), {
      method,
      headers: { 'content-type': 'application/json', ...request?.headers, [ID]: id },
      body: method === 'GET' ? null : (request?.body ?? null),
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    const note = (what: string, got: unknown, want: unknown): void => {
      if (got !== want) problems.push({ id, what, got, want });
    };
    note('status', response.status, wanted.status);
    for (const [name, value] of Object.entries(wanted.headers)) {
      note(`header ${name}`, response.headers.get(name), value.trim());
    }
    const body = Buffer.from(wanted.body ?? '', wanted.body_encoding ?? 'utf8');
    note('body', bytes.equals(body) ? 'same' : bytes.toString().slice(0, 200), 'same');
    calls.push([id, response.headers.get('x-tokenrouter-id') ?? 'none']);
  }
  await router.flush();

  for (const [id, callId] of calls) {
    const all = records.get(callId) ?? [];
    const [record] = all;
    const expected = expectations.get(id)!;
    if (all.length !== 1 || record?.final !== true) {
      problems.push({ id, what: 'final records', got: all.length, want: 1 });
      continue;
    }
    const valid = usageRecordSchema.safeParse(JSON.parse(JSON.stringify(record)));
    if (!valid.success) problems.push({ id, what: 'schema', got: valid.error.message, want: '' });
    for (const problem of usageProblems(record, expected)) problems.push({ id, ...problem });
    if (
      expected.usage !== null &&
      expected.model !== null &&
      expected.model !== record.responseModel
    ) {
      problems.push({ id, what: 'model', got: record.responseModel, want: expected.model });
    }
    const isEmpty = (recordings.get(id)?.response.body ?? '') === '';
    if (record.outcome === 'truncated' && expected.stream_complete !== 'truncated' && !isEmpty) {
      problems.push({ id, what: 'outcome', got: record.outcome, want: expected.stream_complete });
    }
  }
  return problems;
}

describe.each(recordingFolders)('$name', ({ folder }) => {
  test.skipIf(folder === undefined).each(['fetch', 'dispatcher'] as const)(
    'come back byte for byte and are accounted exactly, over %s',
    async (transport) => {
      const problems = await check(folder!, transport);
      expect(problems.slice(0, 20)).toEqual([]);
    },
    60_000,
  );
});
