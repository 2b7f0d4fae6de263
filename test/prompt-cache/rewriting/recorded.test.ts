import { describe, expect, test } from 'vitest';
import { createRouter, type PromptCacheMode } from '../../../src/index.ts';
import { createVirtualClock } from '../../../src/testing/index.ts';
import {
  recordingFolders,
  recordingsIn,
  urlOf,
  type Recording,
} from '../../adapters/recordings.ts';
import { differences } from './differences.ts';
import { readTree } from './json-tree.ts';
import { breakpoints, isLegalOrder, lifetimes, whyNot, type Format } from './marks.ts';

/** Every recorded request through one router, three times, with its recorded answer: it is sent as what it was. */

const BODYLESS = new Set([204, 205, 304]);

function answerOf({ response, stream }: Recording): Response {
  const { status, headers, body, body_encoding: encoding } = response;
  const type = stream ? 'text/event-stream' : 'application/json';
  const bytes = BODYLESS.has(status) ? null : Buffer.from(body ?? '', encoding ?? 'utf8');
  return new Response(bytes, { status, headers: { 'content-type': type, ...headers } });
}

function formatOf(url: string, model: string): Format {
  const { hostname, pathname } = new URL(url);
  if (/\/v1\/messages$|\/invoke(-with-response-stream)?$/.test(pathname)) return 'claude';
  if (hostname === 'openrouter.ai') return 'openrouter';
  if (hostname === 'api.openai.com' && /^gpt-(5[.-][6-9]|[6-9])/.test(model)) {
    return pathname.endsWith('/responses') ? 'openai-responses' : 'openai-chat';
  }
  return 'none';
}

interface Seen {
  bodies: number;
  rewritten: number;
  marks: number;
}

async function run(
  folder: URL,
  mode: PromptCacheMode,
): Promise<{ problems: string[]; seen: Seen }> {
  const clock = createVirtualClock();
  let sent: RequestInit['body'] | undefined;
  let answer: Response | undefined;
  const router = createRouter({
    clock,
    promptCache: mode,
    limits: [{ adaptive: false }],
    retry: { maxAttempts: 1 },
    fetch: async (_input, init) => {
      sent = init?.body;
      return answer!;
    },
  });
  const problems: string[] = [];
  const seen: Seen = { bodies: 0, rewritten: 0, marks: 0 };
  for (const recording of recordingsIn(folder)) {
    const { id, request } = recording;
    if (request === null || request.method === 'GET' || typeof request.body !== 'string') continue;
    const { body } = request;
    const url = urlOf(recording);
    seen.bodies++;
    for (let time = 1; time <= 3; time++) {
      answer = answerOf(recording);
      const init = {
        method: request.method,
        headers: { 'content-type': 'application/json', ...request.headers },
        body,
      };
      const response = await router.fetch(url, init);
      await response.arrayBuffer().catch(() => undefined);
      await clock.advance(3000);
      const before = readTree(body);
      if (sent === body) continue;
      seen.rewritten++;
      const after = typeof sent === 'string' ? readTree(sent) : undefined;
      if (before === undefined || after === undefined) {
        problems.push(`${id}: not JSON, and not as it came`);
        continue;
      }
      const { marks, members, faults } = differences(before, after);
      for (const fault of faults) problems.push(`${id}: ${fault}`);
      seen.marks += marks.length;
      if (mode !== 'auto' && (marks.length > 0 || members.join() !== 'stream_options')) {
        problems.push(`${id}: ${mode} changed the body`);
      }
      const model = /"model":\s*"([^"]*)"/.exec(body)?.[1] ?? '';
      for (const { path, key } of marks) {
        const why = whyNot(after, path, formatOf(url, model));
        if (why !== undefined) problems.push(`${id}: ${key} at ${path.join('.')}: ${why}`);
      }
      const list = lifetimes(after);
      if (list.length > 4 || !isLegalOrder(list) || breakpoints(after) > 4) {
        problems.push(`${id}: marks ${list.join()}`);
      }
    }
  }
  return { problems, seen };
}

describe.each(recordingFolders)('$name', ({ folder }) => {
  test.skipIf(folder === undefined)(
    'recorded bodies mean the same when they are sent',
    async () => {
      const { problems, seen } = await run(folder!, 'auto');
      expect(problems.slice(0, 10)).toEqual([]);
      expect(seen.rewritten).toBeGreaterThan(seen.bodies / 10);
      expect(seen.marks).toBeGreaterThan(0);
    },
    120_000,
  );

  test.skipIf(folder === undefined).each(['observe', 'off'] as const)(
    'in the mode %s they go out as they came, but for the question for usage',
    async (mode) => {
      const { problems, seen } = await run(folder!, mode);
      expect(problems.slice(0, 10)).toEqual([]);
      expect(seen.bodies).toBeGreaterThan(100);
    },
    120_000,
  );
});
