/**
 * `npm run demo`: real OpenAI and Anthropic clients hold recorded conversations through the router, without a network.
 * Then a table of what each call used and cost, and the records in a SQLite file. `--help` lists the options.
 */
import { parseArgs } from 'node:util';
import { createRouter, type UsageRecord } from 'tokenrouter';
import { embeddedProvider, readConversations } from './conversations.ts';
import { holdRecorded } from './hold.ts';
import { holdLive, liveProviders } from './live.ts';
import { openRecordFile } from './record-file.ts';
import { paint, print } from './screen.ts';
import { totals, usageTable } from './table.ts';

const HELP = `tokenrouter demo

  npm run demo                 recorded conversations, no network, no keys
  npm run demo -- --fast       the same without the pauses of a real stream
  npm run demo -- --live       real providers; needs OPENAI_API_KEY or ANTHROPIC_API_KEY
                               (four short calls, well under a cent)
  npm run demo -- --out FILE   add the records to this SQLite file
                               (default: .tokenrouter/demo.sqlite, new every time)
  npm run demo -- --help       this text

NO_COLOR=1 turns colours off. Ctrl-C ends it; what was called so far is still recorded.`;

interface Options {
  readonly live: boolean;
  readonly fast: boolean;
  readonly out: string | undefined;
}

/** What to do, or the text to print instead. */
function readOptions(args: string[]): Options | { text: string; code: number } {
  try {
    const { values } = parseArgs({
      args,
      options: {
        live: { type: 'boolean', default: false },
        fast: { type: 'boolean', default: false },
        out: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) return { text: HELP, code: 0 };
    return { live: values.live, fast: values.fast, out: values.out };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { text: `${problem}\n\n${HELP}`, code: 2 };
  }
}

async function run({ live, fast, out }: Options, signal: AbortSignal): Promise<number> {
  const providers = live ? liveProviders(process.env) : [];
  if (live && providers.length === 0) {
    print('--live talks to real providers and needs a key:');
    print('set OPENAI_API_KEY, ANTHROPIC_API_KEY or both. Without --live no key is needed.');
    return 1;
  }
  const conversations = live ? [] : readConversations();
  const paced = !fast && process.stdout.isTTY;
  const file = openRecordFile(out);
  const records: UsageRecord[] = [];
  let lost = 0;
  const router = createRouter({
    ...(live ? {} : { fetch: embeddedProvider(conversations, { paced }) }),
    sinks: [file.sink],
  });
  router.on('usage', (record) => records.push(record));
  router.on('drop', (drop) => (lost += drop.count));

  let failures = 0;
  try {
    if (!live) await holdRecorded(router, conversations, signal);
    for (const provider of providers) {
      if (!(await holdLive(router, provider, signal))) failures++;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    print(`\n${paint('red', 'Interrupted.')} What was called so far:`);
  } finally {
    // Also what was aborted is a record, and all of them are in the file after this.
    await router.close({ timeoutMs: 2000 });
  }

  print(`\n${usageTable(records, process.stdout.columns ?? 80)}\n`);
  print(paint('green', totals(records)));
  if (paced)
    print(paint('dim', 'Recordings carry no times: the pace of the streams is the demo’s.'));
  if (file.note !== undefined) print(`\n${file.note}`);
  if (lost > 0) {
    print(paint('red', `\n${lost} records could not be stored in ${file.path}: is it writable?`));
    return 1;
  }
  print(`\nThe records are in ${paint('bold', file.path)}. To look at them:`);
  for (const hint of file.hints) print(`\n  ${hint}`);
  if (signal.aborted) return 130;
  return failures > 0 ? 1 : 0;
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if ('text' in options) {
    print(options.text);
    return options.code;
  }
  const stop = new AbortController();
  let stoppedAt = 0;
  process.on('SIGINT', () => {
    // npm passes Ctrl-C on, so one may come twice. A second one of the user's ends the process at once.
    if (stop.signal.aborted && performance.now() - stoppedAt > 500) process.exit(130);
    stoppedAt = performance.now();
    stop.abort();
  });
  // A reader that has seen enough, such as `head`.
  process.stdout.on('error', () => {
    stop.abort();
  });
  try {
    return await run(options, stop.signal);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    print(`\n${paint('red', 'The demo failed:')} ${problem}`);
    print('It needs the whole checkout, with test/fixtures, and its installed dependencies.');
    return 1;
  }
}

process.exitCode = await main();
