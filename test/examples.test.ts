/** Runs the examples and the demo as a user does: each in a process of its own, in another folder, without a network. */
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test, vi } from 'vitest';

// Dozens of processes share the machine with other tests.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const folder = mkdtempSync(join(tmpdir(), 'tokenrouter-examples-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const examples = fileURLToPath(new URL('../examples/', import.meta.url));

/** Ends a process that connects to anything but this machine. */
const OFFLINE = inline(`
  import net from 'node:net';
  const { connect } = net.Socket.prototype;
  net.Socket.prototype.connect = function (...args) {
    const [options] = Array.isArray(args[0]) ? args[0] : args;
    const host = options?.host ?? '127.0.0.1';
    if (host !== '127.0.0.1') {
      console.error('connects to ' + host);
      process.exit(99);
    }
    return connect.apply(this, args);
  };
`);

/** Like a Node that was built without SQLite. */
const NO_SQLITE = inline(`
  const { getBuiltinModule } = process;
  process.getBuiltinModule = (id) => (id === 'node:sqlite' ? undefined : getBuiltinModule(id));
`);

/** Makes stdout look like a terminal. */
const terminal = (columns: number): string =>
  inline(`
    import { WriteStream } from 'node:tty';
    const { getColorDepth } = WriteStream.prototype;
    Object.assign(process.stdout, { isTTY: true, columns: ${columns}, getColorDepth });
  `);

function inline(source: string): string {
  return `--import=data:text/javascript,${encodeURIComponent(source)}`;
}

/** What would change what the SDKs or the terminal do. */
const OWN_VARIABLES =
  /^(?:OPENAI|ANTHROPIC|GOOGLE|GEMINI|LANG(?:CHAIN|SMITH)|NODE_|npm_|VITEST|FORCE_COLOR|NO_COLOR|TERM|COLORTERM|CI$)/;
const inherited = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !OWN_VARIABLES.test(name)),
);

interface RunOptions {
  args?: readonly string[];
  node?: readonly string[];
  env?: Record<string, string>;
}

interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
}

function start(
  file: string,
  options: RunOptions = {},
): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(
    process.execPath,
    [
      '--conditions=@tokenrouter/source',
      '--disable-warning=ExperimentalWarning',
      OFFLINE,
      ...(options.node ?? []),
      join(examples, file),
      ...(options.args ?? []),
    ],
    {
      cwd: folder,
      env: {
        ...inherited,
        TERM: 'xterm',
        NODE_COMPILE_CACHE: join(folder, 'cache'),
        ...options.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
}

async function finish(child: ChildProcessByStdio<null, Readable, Readable>): Promise<Run> {
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  await once(child, 'close');
  return { code: child.exitCode, stdout, stderr };
}

const run = (file: string, options?: RunOptions): Promise<Run> => finish(start(file, options));

/** What each example prints, among other things, in this order. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  'cache-report.ts': [
    '48 calls, 149,096 input tokens, 2026-11-16 09:00 to 09:20 UTC\n',
    "promptCache: 'auto' would have saved about $",
    'system-changed  6 calls, ',
    'tools-reordered  5 calls, ',
    'The pictures are in .tokenrouter/cache-report.html.\n',
  ],
  'cost-test.ts': [
    'promptCache off: 6 calls, $0.09077, 0 % read',
    'promptCache auto: 6 calls, $',
    'pass 1\n',
    'fail 0\n',
  ],
  'openai.ts': [
    'gpt-4.1-nano-2025-04-14 stream=false in=14 out=7 $0.0000042\n',
    'The capital of France is Paris.\n',
    'gpt-5-nano-2025-08-07 stream=true in=191 out=4 $0.00001115\n',
    '7\n',
  ],
  'anthropic.ts': [
    'anthropic claude-sonnet-4-6 stream=false in=628 out=53 $0.002679\n',
    'notify({"msg":"Deploy finished."})\n',
    'anthropic claude-sonnet-4-6 stream=false in=697 out=2 $0.002121\n',
    'end_turn\n',
    'localhost claude-haiku-4-5-20251001 stream=true in=23 out=6 $0.000053\n',
    '4242\n',
  ],
  'gemini.ts': [
    'gemini-2.5-flash stream=false in=22 out=112 of it reasoning=106 $0.0002866\n',
    '{"result": 8}\n',
    'gemini-2.5-flash stream=true in=17 out=18 of it reasoning=17 $0.0000501\n',
    'Goodbye\n',
  ],
  'vercel-ai.ts': [
    'openai gpt-4.1-nano-2025-04-14 in=14 out=7 $0.0000042\n',
    'The capital of France is Paris.\n',
    'anthropic claude-haiku-4-5-20251001 in=40 out=3 $0.000055\n',
    'alpha\n',
    'localhost gpt-5-mini-2025-08-07 in=15 out=11 no price known\n',
    '4242\n',
  ],
  'langchain.ts': [
    'greet: openai gpt-4o-mini-2024-07-18 stream=false in=11 out=9 $0.00000705\n',
    'Hello! How can I assist you today?\n',
    'add: localhost gpt-5-mini-2025-08-07 stream=true in=15 out=11 no price known\n',
    '4242\n',
  ],
  'per-tenant.ts': [
    'acme - search $0.00000705\n',
    'globex u-42 - $0.0003225\n',
    'globex u-42 - $0.0000335\n',
    'initech - - $0.00000705\n',
    'acme: $0.00000705\n',
    'globex: $0.00035600\n',
    'initech: $0.00000705\n',
    '{ active: 0, activeStreams: 0, finished: { ok: 4 } }\n',
  ],
  'own-openai-compatible-server.ts': [
    'house stream=false uncached=200 cacheRead=1000 $0.0001545, the cache saved $0.00045\n',
    'Good day.\n',
    'house stream=true uncached=200 cacheRead=1000 $0.0001545, the cache saved $0.00045\n',
    'Good day.\n',
  ],
  'own-sink.ts': [
    '"gpt-4.1-nano-2025-04-14",14,7,"0.0000042"\n',
    'keeps all 23 promises of a sink\n',
  ],
  'record-traffic.ts': [
    'authorization: REDACTED\n',
    'set-cookie: REDACTED\n',
    'asked: I am Ms REDACTED. My key is REDACTED.\n',
    'answered: Noted, Ms REDACTED.\n',
    'replayed: ok 14 5\n',
  ],
  'report.ts': [
    '448 calls, 2026-11-02 to 2026-11-08, $',
    'By model\n',
    'claude-sonnet-4-6    182 ',
    'What prompt caches did\n',
    'What they could have done\n',
    'The slowest\n',
    'overloaded  anthropic  overloaded_error ',
    'cost-by-day.svg, cost-by-model.svg, cache-misses.svg are in .tokenrouter/report.\n',
  ],
  'plans.ts': [
    'student (free) from call ',
    ' on: 429 ERR_BUDGET_EXCEEDED\n',
    'startup (pro) had all its calls answered\n',
    'bank (enterprise) had all its calls answered\n',
    'tenant   plan        calls  refused ',
  ],
  'offline-unit-test.ts': ['it answers', 'it gives up', 'pass 2\n', 'fail 0\n'],
};

describe.concurrent('examples', () => {
  test.each(Object.entries(PROGRAMS))('%s', async (file, expected) => {
    const { code, stdout, stderr } = await run(file);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    let at = 0;
    for (const line of expected) {
      const found = stdout.indexOf(line, at);
      expect(found, `${line.trim()} in\n${stdout}`).toBeGreaterThanOrEqual(at);
      at = found + line.length;
    }
  });

  test('none is left out, here or in their list', () => {
    const files = readdirSync(examples).filter((name) => name.endsWith('.ts'));
    expect(files.toSorted()).toEqual(Object.keys(PROGRAMS).toSorted());
    const list = readFileSync(join(examples, 'README.md'), 'utf8');
    expect(files.filter((name) => !list.includes(`(${name})`))).toEqual([]);
  });

  test('a program that uses the network does not pass here', async () => {
    const child = spawn(
      process.execPath,
      [OFFLINE, '--input-type=module', '-e', 'await fetch("http://192.0.2.1/")'],
      { env: inherited, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    expect(await finish(child)).toMatchObject({ code: 99, stderr: 'connects to 192.0.2.1\n' });
  });
});

/** In the order in which the demo plays them. */
const PLAYED = [
  'a75190b169ba8958',
  'f849ba74679d6535',
  '09d31bfb1b32fc74',
  'd6493ffaee2452ab',
  'b80aeac7a80cf9e4',
  '3b91daa7d5ad94c8',
  '8589ae4294551dd6',
  '48b409a9ea57a09a',
  '7e6c092b239e797f',
  'b96a4d20be94ed8d',
  '8609aec7035d18a2',
  '99df6b24af8ddaae',
  '40d7fc8c86fe05f9',
  '895ec2a3ff88c74c',
  'a29a9c2801b2aff4',
];

/** What providers call themselves in the recordings and in records, where the two differ. */
const PROVIDERS: Readonly<Record<string, string>> = { mistral: 'mistral_ai', xai: 'x_ai' };

/** In nano-dollars per token, as the price book has them: it is the arithmetic that is checked here. */
const PRICES: Readonly<
  Record<string, { input: number; output: number; read?: number; write?: number }>
> = {
  'gpt-4o-mini-2024-07-18': { input: 150, output: 600 },
  'gpt-5-nano-2025-08-07': { input: 50, output: 400 },
  'gpt-5.6-sol': { input: 4000, output: 20_000, read: 400 },
  'llama-3.3-70b-versatile': { input: 590, output: 790 },
  'mistral-small-latest': { input: 100, output: 300 },
  'grok-4-fast-reasoning': { input: 200, output: 500, read: 50 },
  'claude-sonnet-4-5-20250929': { input: 3000, output: 15_000, read: 300, write: 3750 },
};

interface Expectation {
  id: string;
  provider: string;
  api: string;
  stream: boolean;
  model: string;
  usage: {
    input_total: number;
    cached_read: number | null;
    cache_write: number | null;
    output: number;
    reasoning: number | null;
  };
}

const expectations = new Map(
  readFileSync(new URL('fixtures/expected_usage.jsonl', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Expectation)
    .map((expectation) => [expectation.id, expectation]),
);

/** One line of the demo's tables, without its times. */
function expectedLine(id: string, index: number): string[] {
  const { provider, model, api, stream, usage } = expectations.get(id)!;
  const read = usage.cached_read ?? 0;
  const write = usage.cache_write ?? 0;
  const uncached = usage.input_total - read - write;
  const price = PRICES[model]!;
  const { input, output, read: readPrice = input, write: writePrice = input } = price;
  const cost = uncached * input + read * readPrice + write * writePrice + usage.output * output;
  const saved = read * (input - readPrice) - write * (writePrice - input);
  return [
    String(index + 1),
    PROVIDERS[provider] ?? provider,
    model,
    api,
    stream ? 'yes' : 'no',
    'ok',
    ...[uncached, usage.cached_read, usage.cache_write, usage.output, usage.reasoning].map(
      (count) => String(count ?? '-'),
    ),
    dollars(cost),
    saved === 0 ? '-' : dollars(saved),
  ];
}

/** From billionths of a dollar. */
function dollars(nano: number): string {
  return (nano / 1e9).toFixed(9).replace(/\.?0+$/, '');
}

/** The cells of the lines that begin with a number, joined over the two tables. */
function tableLines(stdout: string): string[][] {
  const joined = new Map<string, string[]>();
  for (const line of stdout.split('\n')) {
    const cells = line.trim().split(/ {2,}/);
    const [number = ''] = cells;
    if (cells.length < 5 || !/^\d{1,2}$/.test(number)) continue;
    joined.set(number, [...(joined.get(number) ?? [number]), ...cells.slice(1)]);
  }
  return [...joined.values()];
}

interface Row {
  call_id: string;
  final: number;
  provider: string;
  uncached_tokens: number | null;
  output_tokens: number;
  cost_usd: string | null;
  cost_pico_usd: number | null;
  outcome: string;
}

function rowsOf(path: string): Row[] {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return database.prepare('SELECT * FROM usage_records ORDER BY rowid').all() as unknown as Row[];
  } finally {
    database.close();
  }
}

describe.concurrent('the demo', () => {
  const demo = 'demo/main.ts';
  let started: Promise<Run> | undefined;
  const wholeRun = (): Promise<Run> => (started ??= run(demo, { args: ['--out', 'whole.sqlite'] }));

  test('shows every call with its tokens and cost, and leaves the records in SQLite', async () => {
    const { code, stdout, stderr } = await wholeRun();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });

    const expected = PLAYED.map(expectedLine);
    const lines = tableLines(stdout);
    expect(lines.map((cells) => cells.slice(0, -2))).toEqual(expected);
    for (const cells of lines) {
      const [first, total] = cells.slice(-2).map(Number);
      expect(total).toBeGreaterThanOrEqual(first!);
    }

    const rows = rowsOf(join(folder, 'whole.sqlite'));
    expect(rows.map((row) => [row.provider, row.final, row.outcome])).toEqual(
      expected.map((cells) => [cells[1], 1, 'ok']),
    );
    expect(new Set(rows.map((row) => row.call_id)).size).toBe(PLAYED.length);
    expect(rows.map((row) => [row.uncached_tokens, row.output_tokens, row.cost_usd])).toEqual(
      expected.map((cells) => [Number(cells[6]), Number(cells[9]), cells[11]]),
    );

    const cost = dollars(rows.reduce((sum, row) => sum + row.cost_pico_usd!, 0) / 1000);
    const saved = dollars(expected.reduce((sum, cells) => sum + (Number(cells[12]) || 0) * 1e9, 0));
    expect(stdout).toContain(
      `15 calls: 15849 tokens in, 583 out, $${cost}, prompt caches saved $${saved}\n`,
    );
    expect(stdout).toMatch(/ {2}9786 {3}5849 {4}214 {5}583 {6}129 {2}0\.02006329 {2}0\.0164934\n/);
  });

  test('shows the conversations, in 80 columns and without escapes', async () => {
    const { stdout } = await wholeRun();
    for (const said of [
      "user       What's the weather like in San Francisco?",
      'assistant  → get_current_weather({"location":"San Francisco, CA"})',
      'assistant  The current temperature in San Francisco is 72°F.',
      'assistant  EMPTY-OK, MANIFEST-OK, LABELS-OK, OPTIONAL-OK, ESCAPE-OK\n',
      'assistant  Olá!\n',
      '→ memory({"command":"view","path":"/memories"})\n',
      'assistant  → read({"path": ".agents/skills/e2e-flue-skill/SKILL.md"})\n',
      'assistant  SKILL_DONE\n',
    ]) {
      expect(stdout).toContain(said);
    }
    const isCommand = (line: string): boolean => /^ {2}(?:sqlite3|node) /.test(line);
    const wide = stdout.split('\n').filter((line) => line.length > 80 && !isCommand(line));
    expect(wide).toEqual([]);
    expect(stdout).not.toContain('\u001B');
  });

  test('says how to look at the records, and that works', async () => {
    const { stdout } = await wholeRun();
    expect(stdout).toContain('The records are in whole.sqlite.');
    expect(stdout).toContain('sqlite3 -box whole.sqlite "SELECT provider, ');
    const [, script = ''] = /^ {2}node -e "(.*)"$/m.exec(stdout) ?? [];
    const child = spawn(process.execPath, ['--no-warnings', '-e', script], {
      cwd: folder,
      env: inherited,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect((await finish(child)).stdout).toMatch(/'x_ai' +│ 0\.0000739 /);
  });

  test('writes JSON lines where node:sqlite is missing, and says so', async () => {
    const { code, stdout } = await run(demo, {
      node: [NO_SQLITE],
      args: ['--out', join(folder, 'fallback.sqlite')],
    });
    expect(code).toBe(0);
    expect(stdout).toContain('has no node:sqlite, so the records are lines of JSON.');
    const lines = readFileSync(join(folder, 'fallback.jsonl'), 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).final)).toEqual(PLAYED.map(() => true));
    expect(existsSync(join(folder, 'fallback.sqlite'))).toBe(false);
  });

  test('lets a terminal see streams arrive', async () => {
    const { stdout } = await run(demo, {
      node: [terminal(80)],
      env: { NO_COLOR: '1' },
      args: ['--out', join(folder, 'paced.sqlite')],
    });
    const streamed = tableLines(stdout).filter((cells) => cells[4] === 'yes');
    expect(streamed).toHaveLength(11);
    const arriving = streamed.map((cells) => {
      const [first, total] = cells.slice(-2).map(Number);
      return total! - first!;
    });
    // A short answer may come in two pieces; how long a piece takes is the machine's affair.
    expect(Math.min(...arriving)).toBeGreaterThan(0);
    expect(Math.max(...arriving)).toBeGreaterThan(100);
  });

  test('colours a terminal, uses its width, and heeds NO_COLOR', async () => {
    const options = {
      node: [terminal(200)],
      args: ['--fast', '--out', join(folder, 'wide.sqlite')],
    };
    const [coloured, plain] = await Promise.all([
      run(demo, options),
      run(demo, { ...options, env: { NO_COLOR: '1' } }),
    ]);
    expect(coloured.stdout).toContain('\u001B[36m  assistant');
    expect(plain.stdout).not.toContain('\u001B');
    const lines = plain.stdout.split('\n').filter((line) => /^ *\d+ +\w.* ok /.test(line));
    expect(lines.map((line) => line.trim().split(/ {2,}/).slice(0, -2))).toEqual(
      PLAYED.map(expectedLine),
    );
  });

  test('explains its options', async () => {
    const [help, wrong] = await Promise.all([
      run(demo, { args: ['--help'] }),
      run(demo, { args: ['--slow'] }),
    ]);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    for (const option of ['--fast', '--live', '--out', 'NO_COLOR']) {
      expect(help.stdout).toContain(option);
    }
    expect(wrong.code).toBe(2);
    expect(wrong.stdout).toContain("Unknown option '--slow'");
  });

  test('says when the records cannot be stored', async () => {
    const path = join(fileURLToPath(import.meta.url), 'demo.sqlite');
    const { code, stdout } = await run(demo, { args: ['--out', path] });
    expect(code).toBe(1);
    expect(stdout).toContain(`15 records could not be stored in ${path}: is it writable?\n`);
  });
});

/** Speaks both live formats: `answers` whole and streamed, `refuses` every key, `hangs` in the middle of a stream. */
async function provider(mode: 'answers' | 'refuses' | 'hangs'): Promise<Server> {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const piece of request.setEncoding('utf8')) body += String(piece);
    const isMessages = request.url === '/v1/messages';
    const isStream = JSON.parse(body).stream === true;
    if (mode === 'refuses') {
      const error = {
        type: 'authentication_error',
        message: `no: ${request.headers.authorization}`,
      };
      response.writeHead(401, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error }));
      return;
    }
    response.setHeader('content-type', isStream ? 'text/event-stream' : 'application/json');
    if (!isStream) {
      response.end(JSON.stringify(isMessages ? wholeMessage : wholeChat));
      return;
    }
    const events = isMessages ? messageEvents : chatEvents;
    const sent = mode === 'hangs' ? events.slice(0, 2) : events;
    for (const event of sent) response.write(event);
    if (mode !== 'hangs') response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const wholeChat = {
  id: 'c',
  object: 'chat.completion',
  model: 'gpt-4.1-nano',
  choices: [{ index: 0, message: { role: 'assistant', content: '13' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 21, completion_tokens: 1, total_tokens: 22 },
};
const chunk = (rest: object): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'gpt-4.1-nano', ...rest })}\n\n`;
const chatEvents = [
  chunk({ choices: [{ index: 0, delta: { content: 'Nothing ' } }] }),
  chunk({ choices: [{ index: 0, delta: { content: 'divides it.' } }] }),
  chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }),
  chunk({ choices: [], usage: { prompt_tokens: 40, completion_tokens: 5, total_tokens: 45 } }),
  'data: [DONE]\n\n',
];
const wholeMessage = {
  id: 'm',
  type: 'message',
  role: 'assistant',
  model: 'claude-haiku-4-5',
  content: [{ type: 'text', text: '13' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 23, output_tokens: 4 },
};
const named = (type: string, rest: object = {}): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`;
const messageEvents = [
  named('message_start', {
    message: { ...wholeMessage, content: [], usage: { input_tokens: 44, output_tokens: 1 } },
  }),
  named('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
  named('content_block_delta', {
    index: 0,
    delta: { type: 'text_delta', text: 'Only 1 and 13 do.' },
  }),
  named('content_block_stop', { index: 0 }),
  named('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 9 } }),
  named('message_stop'),
];

const KEY = 'sk-a-key-that-nobody-may-see';

function keysFor(server: Server): Record<string, string> {
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    OPENAI_API_KEY: KEY,
    OPENAI_BASE_URL: `${origin}/v1`,
    ANTHROPIC_API_KEY: KEY,
    ANTHROPIC_BASE_URL: origin,
  };
}

describe.concurrent('the demo, live', () => {
  const demo = 'demo/main.ts';

  test('needs a key, and says which', async () => {
    const { code, stdout } = await run(demo, { args: ['--live'] });
    expect(code).toBe(1);
    expect(stdout).toMatch(/set OPENAI_API_KEY, ANTHROPIC_API_KEY or both/);
  });

  test('talks to each provider that has one, whole and streamed', async () => {
    const server = await provider('answers');
    const path = join(folder, 'live.sqlite');
    const { code, stdout, stderr } = await run(demo, {
      args: ['--live', '--out', path],
      env: keysFor(server),
    });
    server.close();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('assistant  Nothing divides it.\n');
    expect(stdout).toContain('assistant  Only 1 and 13 do.\n');
    expect(tableLines(stdout).map((cells) => cells.slice(2, 10))).toEqual([
      ['gpt-4.1-nano', 'chat.completions', 'no', 'ok', '21', '-', '-', '1'],
      ['gpt-4.1-nano', 'chat.completions', 'yes', 'ok', '40', '-', '-', '5'],
      ['claude-haiku-4-5', 'messages', 'no', 'ok', '23', '-', '-', '4'],
      ['claude-haiku-4-5', 'messages', 'yes', 'ok', '44', '-', '-', '9'],
    ]);
    expect(rowsOf(path).map((row) => row.final)).toEqual([1, 1, 1, 1]);
  });

  test('says why a provider did not answer, and never shows a key', async () => {
    const server = await provider('refuses');
    const { code, stdout, stderr } = await run(demo, {
      args: ['--live', '--out', join(folder, 'refused.sqlite')],
      env: keysFor(server),
    });
    server.close();
    expect(code).toBe(1);
    expect(stdout).toContain('OpenAI did not answer: it refuses the key (401)\n');
    expect(stdout).toContain('Anthropic did not answer: it refuses the key (401)\n');
    expect(tableLines(stdout).map((cells) => cells[5])).toEqual(['client_error', 'client_error']);
    expect(stdout + stderr).not.toContain(KEY);
  });

  // Windows has no SIGINT to send: there it ends the process at once.
  test.skipIf(process.platform === 'win32')(
    'ends at Ctrl-C, with the call that was under way on record',
    async () => {
      const server = await provider('hangs');
      const path = join(folder, 'interrupted.sqlite');
      const child = start(demo, { args: ['--live', '--out', path], env: keysFor(server) });
      let seen = '';
      const interrupt = (text: Buffer | string): void => {
        // Each word is a write of its own, and any number of them arrives together.
        seen += String(text);
        if (!seen.includes('divides it.')) return;
        child.stdout.off('data', interrupt);
        // Twice, as npm's child gets it from the terminal and from npm.
        child.kill('SIGINT');
        child.kill('SIGINT');
      };
      child.stdout.on('data', interrupt);
      const { code, stdout, stderr } = await finish(child);
      server.closeAllConnections();
      server.close();
      expect({ code, stderr }).toEqual({ code: 130, stderr: '' });
      expect(stdout).toContain('Interrupted. What was called so far:\n');
      expect(rowsOf(path).map((row) => [row.final, row.outcome])).toEqual([
        [1, 'ok'],
        [1, 'aborted'],
      ]);
    },
  );
});
