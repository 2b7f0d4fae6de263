/**
 * Picks the recorded exchanges that the tests use from a larger collection, and writes them to `test/fixtures`.
 *
 *     node --conditions=@tokenrouter/source scripts/select-fixtures.ts <folder of the collection>
 *
 * The choice is a greedy set cover: every recording has features (who answered, in which format, which usage fields,
 * which error, which oddity of the wire …), and the recording that brings the most new features per byte is taken
 * until none is missing. The same input always gives the same output.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const OUTPUT = fileURLToPath(new URL('../test/fixtures/', import.meta.url));
const MAX_TOTAL_BYTES = 2_500_000;
/** A recording's weight beside its bytes, so that a slightly richer but far longer one is not preferred. */
const BASE_BYTES = 1500;
const CONVERSATIONS_PER_KIND = 3;

const recordingSchema = z.looseObject({
  id: z.string(),
  source: z.looseObject({
    repo: z.string(),
    path: z.string(),
    index: z.number(),
    recorder: z.string(),
    authenticity: z.string(),
  }),
  provider: z.string(),
  api: z.string(),
  stream: z.boolean(),
  fidelity: z.record(z.string(), z.unknown()),
  request: z
    .looseObject({
      headers: z.record(z.string(), z.string()),
      body: z.string().nullable(),
      body_encoding: z.string().optional(),
    })
    .nullable(),
  response: z.looseObject({
    status: z.number(),
    headers: z.record(z.string(), z.string()),
    body: z.string(),
    body_encoding: z.string().optional(),
  }),
  tags: z.array(z.string()),
});

const expectationSchema = z.looseObject({
  id: z.string(),
  rule: z.string().nullable(),
  ambiguous: z.array(z.string()),
  finish: z.unknown(),
  error: z.looseObject({ type: z.unknown(), code: z.unknown() }).nullable(),
  stream_complete: z.string().nullable(),
  why: z.string().optional(),
});

interface Recording extends z.infer<typeof recordingSchema> {
  file: string;
  line: string;
  expected: z.infer<typeof expectationSchema>;
  expectedLine: string;
  features: string[];
}

/** Turns of one conversation: each request repeats the one before and goes on from its answer. */
interface Conversation {
  provider: string;
  api: string;
  stream: boolean;
  toolCalls: boolean;
  turns: string[];
}

function groupBy<T>(items: Iterable<T>, keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

function readLines(path: string): string[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

function readCollection(folder: string): Recording[] {
  const expectations = new Map(
    readLines(join(folder, 'expected_usage.jsonl')).map((line) => {
      const expected = expectationSchema.parse(JSON.parse(line));
      return [expected.id, { expected, expectedLine: line }] as const;
    }),
  );
  const recordings: Recording[] = [];
  for (const file of readdirSync(join(folder, 'interactions')).sort()) {
    for (const line of readLines(join(folder, 'interactions', file))) {
      const recording = recordingSchema.parse(JSON.parse(line));
      const known = expectations.get(recording.id);
      if (known === undefined) throw new Error(`${file}: ${recording.id} has no expected usage`);
      const entry: Recording = { ...recording, ...known, file, line, features: [] };
      entry.features = featuresOf(entry);
      recordings.push(entry);
    }
  }
  return recordings.sort((a, b) => (a.id < b.id ? -1 : 1));
}

function featuresOf(recording: Recording): string[] {
  const { api, provider, stream, response, request, expected, fidelity, source } = recording;
  const kind = `${provider} ${api} ${stream}`;
  const features = new Set([
    `kind ${kind}`,
    `rule ${expected.rule} ${stream}`,
    `without usage ${expected.why}`,
    `end ${api} ${expected.stream_complete}`,
    `finish ${api} ${JSON.stringify(expected.finish)}`,
    `status ${provider} ${response.status}`,
    `recorder ${source.recorder}`,
    `authenticity ${source.authenticity}`,
    `body ${api} ${response.body_encoding ?? 'text'}`,
    `request body ${request === null ? 'unknown' : (request.body_encoding ?? typeof request.body)}`,
    `decompressed ${String(fidelity['decompressed'])} ${stream}`,
    `fidelity ${String(fidelity['response'])}`,
  ]);
  for (const tag of recording.tags) features.add(`tag ${api} ${tag}`);
  if (recording.tags.includes('multi-turn')) features.add(`multi-turn ${kind}`);
  for (const kindOfDoubt of expected.ambiguous) features.add(`ambiguous ${kindOfDoubt}`);
  if (expected.error !== null) {
    const { type, code } = expected.error;
    features.add(`error ${provider} ${JSON.stringify([type, code])}`);
  }
  for (const name of Object.keys(response.headers)) {
    if (/rate-?limit|retry|token-count/.test(name)) features.add(`header ${provider} ${name}`);
  }
  for (const [, name] of response.body.matchAll(/"([a-zA-Z_]*[tT]oken[a-zA-Z_]*)"\s*:/g)) {
    features.add(`field ${api} ${name}`);
  }
  if (/\r\n/.test(response.body) && stream) features.add(`crlf ${provider}`);
  if (/^:/m.test(response.body) && stream) features.add(`comment ${provider}`);
  return [...features];
}

const dialogueSchema = z.looseObject({
  system: z.unknown().optional(),
  messages: z.array(z.unknown()),
});

/** System prompt and messages of a JSON request; empty when it has none. */
function messagesOf({ request }: Recording): string[] {
  if (request?.headers['content-type']?.includes('json') === false) return [];
  const body = dialogueSchema.safeParse(JSON.parse(request?.body ?? '{}'));
  if (!body.success) return [];
  // Cache marks wander from turn to turn without changing the conversation.
  const plain = (value: unknown): string =>
    JSON.stringify(value, (key, member: unknown) => (key === 'cache_control' ? undefined : member));
  return [plain(body.data.system ?? ''), ...body.data.messages.map(plain)];
}

/** The longest run of recordings in which each request begins with the messages of the one before. */
function longestChain(members: readonly Recording[]): Recording[] {
  const turns = members
    .map((recording) => ({ messages: messagesOf(recording), chain: [recording] }))
    .filter(({ messages }) => messages.length > 1)
    .sort((a, b) => a.messages.length - b.messages.length);
  let longest: Recording[] = [];
  for (const [i, turn] of turns.entries()) {
    for (const earlier of turns.slice(0, i)) {
      const goesOn =
        earlier.messages.length < turn.messages.length &&
        earlier.messages.every((message, at) => message === turn.messages[at]);
      if (goesOn && earlier.chain.length >= turn.chain.length) {
        turn.chain = [...earlier.chain, ...turn.chain.slice(-1)];
      }
    }
    if (turn.chain.length > longest.length) longest = turn.chain;
  }
  return longest;
}

function findConversations(recordings: readonly Recording[]): Conversation[] {
  const byCassette = groupBy(
    recordings.filter(
      ({ api, response }) =>
        response.status === 200 && (api === 'chat.completions' || api === 'messages'),
    ),
    ({ provider, api, stream, source }) =>
      [provider, api, stream, source.repo, source.path].join(' '),
  );
  const found: Array<Conversation & { bytes: number }> = [];
  for (const members of byCassette.values()) {
    const chain = longestChain(members);
    const [first] = chain;
    if (first === undefined || chain.length < 2) continue;
    found.push({
      provider: first.provider,
      api: first.api,
      stream: first.stream,
      toolCalls: chain.some(({ tags }) => tags.includes('tool-calls')),
      turns: chain.map(({ id }) => id),
      bytes: chain.reduce((sum, { line }) => sum + line.length, 0),
    });
  }
  const better = (a: (typeof found)[number], b: (typeof found)[number]): number =>
    b.turns.length - a.turns.length ||
    Number(b.toolCalls) - Number(a.toolCalls) ||
    a.bytes - b.bytes ||
    (a.turns.join() < b.turns.join() ? -1 : 1);
  // The best few of each format, and of the two makers of the formats even when others have longer ones.
  const groups = [
    ...groupBy(found, ({ api, stream }) => `${api} ${stream}`).values(),
    ...groupBy(
      found.filter(({ provider }) => provider === 'openai' || provider === 'anthropic'),
      ({ provider, api, stream }) => `${provider} ${api} ${stream}`,
    ).values(),
  ];
  const chosen = new Set(
    groups.flatMap((group) => group.sort(better).slice(0, CONVERSATIONS_PER_KIND)),
  );
  return [...chosen].sort(better).map(({ bytes: _, ...conversation }) => conversation);
}

function select(
  recordings: readonly Recording[],
  conversations: readonly Conversation[],
): Recording[] {
  const turns = new Set(conversations.flatMap((conversation) => conversation.turns));
  const chosen = new Set(recordings.filter(({ id }) => turns.has(id)));
  const covered = new Set([...chosen].flatMap(({ features }) => features));
  for (;;) {
    let best: Recording | undefined;
    let bestValue = 0;
    for (const recording of recordings) {
      const gain = recording.features.filter((feature) => !covered.has(feature)).length;
      const value = gain / (BASE_BYTES + recording.line.length);
      if (value > bestValue) [best, bestValue] = [recording, value];
    }
    if (best === undefined) break;
    chosen.add(best);
    for (const feature of best.features) covered.add(feature);
  }
  return recordings.filter((recording) => chosen.has(recording));
}

/** The collection's own table, with the rows of the repositories that were used and their new counts. */
function attribution(folder: string, chosen: readonly Recording[]): string {
  const counts = groupBy(chosen, ({ source }) => source.repo);
  const kept: string[] = [];
  for (const line of readFileSync(join(folder, 'ATTRIBUTION.md'), 'utf8').split('\n')) {
    const row = /^\| https:\/\/github\.com\/(\S+)( \(conversations\))? \| \d+ \|(.*)$/.exec(line);
    if (row === null) continue;
    const [, repo = '', isConversation, rest] = row;
    const used = counts.get(repo);
    if (used === undefined || isConversation !== undefined) continue;
    kept.push(`| https://github.com/${repo} | ${used.length} |${rest}`);
    counts.delete(repo);
  }
  if (counts.size > 0) throw new Error(`no licence known for ${[...counts.keys()].join(', ')}`);
  return ATTRIBUTION_HEAD + kept.join('\n') + ATTRIBUTION_TAIL;
}

const ATTRIBUTION_HEAD = `# Where the recordings come from

The exchanges in \`interactions/\` were recorded by the test suites of the repositories below and are third-party data.
Every line names its repository, path, commit and licence in \`source\`. Credentials were removed and compressed bodies
unpacked; nothing else was changed on the way here. \`expected_usage.jsonl\` was derived from the same recordings.

| repository | records | licence | commit |
|---|---|---|---|
`;

const ATTRIBUTION_TAIL = `

MIT, Apache-2.0 and BSD-3-Clause only. Copyright stays with the authors of those repositories; the licence texts are in
their LICENSE files.

\`vectors/sse-wpt.jsonl\` holds 15 cases taken from web-platform-tests (\`eventsource/format-*\`), published under the
3-Clause BSD licence, https://github.com/web-platform-tests/wpt.
`;

function write(
  folder: string,
  chosen: readonly Recording[],
  conversations: readonly Conversation[],
): number {
  const files = new Map<string, string>();
  for (const [file, members] of groupBy(chosen, (recording) => recording.file)) {
    files.set(`interactions/${file}`, members.map(({ line }) => `${line}\n`).join(''));
  }
  files.set('expected_usage.jsonl', chosen.map(({ expectedLine }) => `${expectedLine}\n`).join(''));
  files.set(
    'conversations.jsonl',
    conversations.map((each) => `${JSON.stringify(each)}\n`).join(''),
  );
  files.set('ATTRIBUTION.md', attribution(folder, chosen));
  const bytes = [...files.values()].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (bytes > MAX_TOTAL_BYTES)
    throw new Error(`${bytes} bytes chosen, at most ${MAX_TOTAL_BYTES} wanted`);
  rmSync(join(OUTPUT, 'interactions'), { recursive: true, force: true });
  for (const part of ['interactions', 'vectors'])
    mkdirSync(join(OUTPUT, part), { recursive: true });
  for (const [name, text] of files) writeFileSync(join(OUTPUT, name), text);
  copyFileSync(join(folder, 'vectors/sse-wpt.jsonl'), join(OUTPUT, 'vectors/sse-wpt.jsonl'));
  return bytes;
}

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: select-fixtures.ts <folder of the collection>');
const recordings = readCollection(folder);
const conversations = findConversations(recordings);
const chosen = select(recordings, conversations);
const bytes = write(folder, chosen, conversations);
process.stdout.write(`${chosen.length} of ${recordings.length} recordings, ${bytes} bytes\n`);
