/**
 * The same comparison over real HTTP: the platform's own fetch on one side, the router's dispatcher on the other.
 */
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { anthropic } from '../../adapters/anthropic/index.ts';
import { gemini } from '../../adapters/gemini/index.ts';
import { openai } from '../../adapters/openai/index.ts';
import { createRouter, type Router, type UsageRecord } from '../../src/index.ts';
import { createSeededRandom } from '../../src/testing/index.ts';
import { startServer, type TestServer } from '../helpers/server.ts';
import * as anthropicSdk from './anthropic-calls.ts';
import * as googleSdk from './google-genai-calls.ts';
import * as openaiSdk from './openai-calls.ts';
import { cutAnywhere, type Fetch } from './parity.ts';
import { sampled, type RecordedCall } from './recorded-calls.ts';

const chosen = {
  openai: sampled(
    openaiSdk.openaiCalls.filter(({ recording }) => recording.provider === 'openai'),
    90,
  ),
  anthropic: sampled(anthropicSdk.anthropicCalls, 60),
  google: sampled(googleSdk.googleCalls, 30),
};
const byId = new Map(
  Object.values(chosen).flatMap((calls) => calls.map(({ recording }) => [recording.id, recording])),
);

let server: TestServer;
let router: Router;
const records: UsageRecord[] = [];

beforeAll(async () => {
  // The first part of the path names the format, the second the recording that answers.
  server = await startServer(async (request, response) => {
    const { status, headers, body, body_encoding } = byId.get(
      request.url!.split('/')[2]!,
    )!.response;
    const random = createSeededRandom(Number.parseInt(request.url!.split('/')[2]!.slice(0, 8), 16));
    const plain = Buffer.from(body ?? '', body_encoding ?? 'utf8');
    const isPacked = random() < 0.3;
    const bytes = isPacked ? gzipSync(plain) : plain;
    response.sendDate = false;
    response.writeHead(status, isPacked ? { ...headers, 'content-encoding': 'gzip' } : headers);
    let sent = 0;
    for (const length of cutAnywhere(bytes, random)) {
      response.write(bytes.subarray(sent, (sent += length)));
      if (random() < 0.2) await new Promise(setImmediate);
    }
    response.end();
  });
  router = createRouter({
    adapters: [
      openai({ baseURL: `${server.origin}/openai` }),
      anthropic({ baseURL: `${server.origin}/anthropic` }),
      gemini({ baseURL: `${server.origin}/google` }),
    ],
    // Recordings of many accounts: neither limits nor second attempts of one of them.
    limits: [{ adaptive: false }],
    retry: { maxAttempts: 1 },
  });
  router.on('usage', (record) => records.push(record));
});

afterAll(async () => {
  await router.close();
  await server[Symbol.asyncDispose]();
});

beforeEach(() => void vi.spyOn(console, 'warn').mockReturnValue());
afterEach(() => void vi.restoreAllMocks());

type Run = (call: RecordedCall, fetch: Fetch) => Promise<unknown>;

async function expectSameOverHttp(format: string, call: RecordedCall, run: Run): Promise<void> {
  const { id, response } = call.recording;
  const { pathname } = new URL(call.baseURL);
  const local = {
    ...call,
    baseURL: `${server.origin}/${format}/${id}${pathname.replace(/\/$/, '')}`,
  };
  const direct = await run(local, globalThis.fetch);
  records.length = 0;
  const routed = await run(local, router.fetch);
  await router.flush();
  expect(routed, id).toStrictEqual(direct);
  expect(records, id).toHaveLength(1);
  expect(records[0], id).toMatchObject({ final: true, attempt: 1, status: response.status });
}

describe('over HTTP the same comes through a router', { timeout: 30_000 }, () => {
  test.each([
    ['openai', chosen.openai, openaiSdk.parsed],
    ['openai, assembled', streams(chosen.openai, /^\/(?:chat|responses)/), openaiSdk.assembled],
    ['anthropic', chosen.anthropic, anthropicSdk.parsed],
    ['anthropic, raw', sampled(chosen.anthropic, 20), anthropicSdk.raw],
    ['anthropic, assembled', streams(chosen.anthropic, /\/messages$/), anthropicSdk.assembled],
    ['google', chosen.google, googleSdk.parsed],
  ])('%s', async (name, calls, run) => {
    const format = name.split(',')[0]!;
    expect(calls.length).toBeGreaterThan(0);
    for (const call of calls) await expectSameOverHttp(format, call, run);
  });
});

function streams(calls: readonly RecordedCall[], path: RegExp): readonly RecordedCall[] {
  return calls.filter((call) => call.recording.stream && path.test(call.path));
}
