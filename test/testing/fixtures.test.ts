import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { fixtureBytes, fixtureSchema, readFixtures, replayFetch } from '../../src/testing/index.ts';
import type { Fixture } from '../../src/testing/index.ts';
import { fullFixturesDir } from '../helpers/full-fixtures.ts';

const folder = fileURLToPath(new URL('../fixtures/', import.meta.url));
const temporary = mkdtempSync(join(tmpdir(), 'tokenrouter-fixtures-'));
afterAll(() => {
  rmSync(temporary, { recursive: true });
});

const linesOf = (name: string): unknown[] =>
  readFileSync(join(folder, name), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);

const own = {
  format: 'tokenrouter.fixture/1',
  id: 'a',
  request: { method: 'POST', url: 'https://api.test/v1', headers: {}, body: null },
  response: { status: 200, headers: {}, body: '' },
};
function readText(text: string): Fixture[] {
  const file = join(temporary, 'lines.jsonl');
  writeFileSync(file, text);
  return readFixtures(file);
}

/** Sends every recorded request again, whose recorded bytes must come back. Gives how many there were. */
async function replayAll(fixtures: readonly Fixture[]): Promise<number> {
  const replay = replayFetch(fixtures, { chunks: 'event' });
  let answered = 0;
  for (const { request } of fixtures) {
    if (request === null) continue;
    const body = request.method === 'GET' || request.body === null ? null : fixtureBytes(request);
    const response = await replay(request.url, {
      method: request.method,
      headers: request.headers,
      body,
    });
    const fixture = replay.calls.at(-1)?.fixture;
    if (fixture?.response == null) throw new Error('answered by no response');
    expect(response.status).toBe(fixture.response.status);
    const bytes = Buffer.from(await response.arrayBuffer());
    if (!bytes.equals(fixtureBytes(fixture.response)))
      throw new Error(`${fixture.id}: other bytes`);
    answered++;
  }
  expect(replay.unused).toEqual([]);
  return answered;
}

describe('the recorded exchanges', () => {
  const fixtures = readFixtures(join(folder, 'interactions'));
  const ids = new Set(fixtures.map(({ id }) => id));

  test('have an expectation each', () => {
    const expected = linesOf('expected_usage.jsonl') as Array<{ id: string }>;
    expect(new Set(expected.map(({ id }) => id))).toEqual(ids);
  });

  test('come from repositories that ATTRIBUTION.md names with the right licence and count', () => {
    const rows = readFileSync(join(folder, 'ATTRIBUTION.md'), 'utf8').matchAll(
      /^\| https:\/\/github\.com\/(\S+) \| (\d+) \| (.+) \| \S+ \|$/gm,
    );
    const named = [...rows].map(([, repo, count, licence]) => `${repo} ${count} ${licence}`);
    const used = new Map<string, number>();
    for (const { source } of fixtures) {
      const key = `${String(source?.['repo'])} ${String(source?.['license'])}`;
      used.set(key, (used.get(key) ?? 0) + 1);
    }
    const counted = [...used].map(([key, count]) => key.replace(' ', ` ${count} `));
    expect(named.sort()).toEqual(counted.sort());
  });

  test('hold whole conversations of both formats, streamed and not', () => {
    const conversations = linesOf('conversations.jsonl') as Array<{
      api: string;
      stream: boolean;
      turns: string[];
    }>;
    for (const { turns } of conversations) expect(turns.filter((id) => !ids.has(id))).toEqual([]);
    for (const [api, stream, least] of [
      ['chat.completions', false, 3],
      ['chat.completions', true, 3],
      ['messages', false, 3],
      ['messages', true, 2],
    ] as const) {
      const kind = conversations.filter((each) => each.api === api && each.stream === stream);
      expect(kind.length).toBeGreaterThanOrEqual(least);
    }
  });

  test('replay with their own bytes', async () => {
    expect(await replayAll(fixtures)).toBeGreaterThan(300);
  });
});

const full = fullFixturesDir();
test.skipIf(full === undefined)(
  'full fixtures: every exchange can be read and replays with its own bytes',
  { timeout: 60_000 },
  async () => {
    const fixtures = readFixtures(join(full!, 'interactions'));
    expect(await replayAll(fixtures)).toBeGreaterThan(3000);
  },
);

test('reads files, folders and fixtures in the given order', () => {
  const file = join(temporary, 'one.jsonl');
  writeFileSync(file, `${JSON.stringify(own)}\n\n${JSON.stringify({ ...own, id: 'b' })}`);
  const [first] = readdirSync(join(folder, 'interactions')).sort();
  const known = { ...own, id: 'c', format: undefined };
  const fixtures = readFixtures([
    known,
    file,
    new URL('../fixtures/interactions', import.meta.url),
  ]);
  expect(fixtures.slice(0, 3).map(({ id }) => id)).toEqual(['c', 'a', 'b']);
  expect(fixtures[3]).toEqual(readFixtures(join(folder, 'interactions', first!))[0]);
});

test('our own lines are checked strictly, others for what replay needs', () => {
  expect(fixtureSchema.safeParse({ ...own, more: 1 }).success).toBe(false);
  expect(fixtureSchema.safeParse({ ...own, format: undefined, more: 1 }).success).toBe(true);
  expect(fixtureSchema.safeParse({ ...own, response: null }).success).toBe(false);
  expect(
    fixtureSchema.safeParse({ ...own, response: null, fault: { kind: 'reset' } }).success,
  ).toBe(true);
  const timed = { ...own.response, chunks: [0], timesMs: [1, 2] };
  expect(fixtureSchema.safeParse({ ...own, response: timed }).success).toBe(false);
});

test.each([
  ['{"id": "private words', /lines\.jsonl:2: expected one JSON object/],
  ['{"id": 7, "note": "private words"}', /lines\.jsonl:2: not a fixture: id: .*; request: /],
  [
    JSON.stringify({ ...own, body: 'private words' }),
    /lines\.jsonl:2: not a fixture: line: Unrecognized key: "body"/,
  ],
  [
    JSON.stringify({ ...own, response: { ...own.response, status: 'private words' } }),
    /response\.status: /,
  ],
])('a bad line is named by place and member, not by content: %s', (line, message) => {
  const read = (): unknown => readText(`${JSON.stringify(own)}\n${line}\n`);
  expect(read).toThrow(message);
  expect(read).not.toThrow(/private words/);
});

test('a folder without fixtures and a missing file are errors', () => {
  const empty = mkdtempSync(join(temporary, 'empty-'));
  expect(() => readFixtures(empty)).toThrow(/expected \*\.jsonl files/);
  expect(() => readFixtures(join(empty, 'missing.jsonl'))).toThrow(/ENOENT/);
});
