/** The tables of the documentation against the code, in both directions. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { builtInAdapters } from '../../adapters/index.ts';
import { presets } from '../../adapters/openai-compatible/presets.ts';
import { sqliteSink } from '../../adapters/sinks/sqlite.ts';
import { createDelivery } from '../../src/delivery/delivery.ts';
import type { DropReason } from '../../src/delivery/drop-reporter.ts';
import {
  createRouter,
  errorCodes,
  isRouterError,
  usageRecordSchema,
  type Middleware,
  type RouterOptions,
  type UsageRecord,
} from '../../src/index.ts';
import { optionsSchema } from '../../src/options.ts';
import { stages } from '../../src/pipeline.ts';
import { createPriceBook } from '../../src/pricing/price-book.ts';
import manifest from '../../package.json' with { type: 'json' };
import prices from '../../src/pricing/prices.json' with { type: 'json' };
import { createDedupe } from '../../src/dedupe/dedupe.ts';
import { createToolOrder } from '../../src/prompt-cache/arrange/tool-order.ts';
import { createPromptReader } from '../../src/prompt-cache/body/prompt-reader.ts';
import { createCacheKeeper } from '../../src/prompt-cache/cache-keeper.ts';
import { promptCacheSettings } from '../../src/prompt-cache/settings.ts';
import { retrySettings } from '../../src/retry/settings.ts';
import { createTraffic } from '../../src/schedule/traffic.ts';
import { createVirtualClock, sampleRecord } from '../../src/testing/index.ts';
import { createTokenCounter } from '../../src/tokens/token-counter.ts';
import { columnOf, numberIn, readPage, root, sectionOf, snippetsOf, tableIn } from './markdown.ts';

const expectSame = (a: Iterable<string>, b: Iterable<string>): void => {
  expect([...a].toSorted()).toEqual([...b].toSorted());
};

test('ARCHITECTURE.md lists the stages in their order', () => {
  const clock = createVirtualClock();
  const pass: Middleware = (request, next) => next(request);
  const prices = createPriceBook();
  const settings = promptCacheSettings();
  const traffic = createTraffic({
    clock,
    random: () => 0,
    schedule: undefined,
    limits: undefined,
    onLimit: () => {},
  });
  const inCode = stages({
    clock,
    random: () => 0,
    prices,
    modeOf: () => 'auto',
    promptReader: createPromptReader(),
    toolOrder: createToolOrder({ mode: 'stable' }),
    scopeOf: () => '',
    dedupe: createDedupe({ clock, mode: 'off' }),
    traffic,
    alarm: traffic.alarm,
    isPaced: () => true,
    retrySettings: () => retrySettings(),
    cacheKeeper: createCacheKeeper({ settings, clock, prices }),
    maxHoldMs: 0,
    onPlan: () => {},
    counter: createTokenCounter({ clock }),
    active: new Set(),
    onRecord: () => {},
    onPending: () => {},
    lookUp: (url) => ({ url: new URL(url), endpoint: { provider: 'x', api: 'other' } }),
    fetch: undefined,
    dispatcher: () => {
      throw new Error('nothing is sent here');
    },
    idleTimeoutMs: undefined,
    middleware: [pass],
  }).map(({ name }) => name);
  expect(columnOf(sectionOf('ARCHITECTURE.md', '## The stages, outermost first'))).toEqual(inCode);
});

describe('docs/errors.md', () => {
  test('lists the codes', () => {
    expectSame(columnOf(sectionOf('docs/errors.md', '## Codes')), Object.keys(errorCodes));
  });

  test('lists the outcomes', () => {
    expectSame(
      columnOf(sectionOf('docs/errors.md', '## Outcomes')),
      enumOf(recordShape.properties['outcome']),
    );
  });

  test('names the other codes as the code spells them', () => {
    const files = [
      'src/testing/match-fixture.ts',
      'src/delivery/sink-lane.ts',
      'src/testing/record-fetch.ts',
    ];
    const source = files.map((file) => readFileSync(join(root, file), 'utf8')).join('');
    for (const code of columnOf(sectionOf('docs/errors.md', '## Codes that are no `RouterError`')))
      expect(source).toContain(`'${code}'`);
  });
});

describe('docs/options.md', () => {
  const all = tableIn(sectionOf('docs/options.md', '## createRouter(options)'));
  /** Without those that only introduce their members. */
  const rows = all.filter(([name]) => !all.some(([other]) => other?.startsWith(`${name}.`)));

  interface Definition {
    readonly type: string;
    readonly innerType?: z.core.$ZodType;
    readonly out?: z.core.$ZodType;
    readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  }

  function keysIn(schema: z.core.$ZodType, path: string): string[] {
    const { type, innerType, out, shape } = schema._zod.def as unknown as Definition;
    if (type === 'optional' && innerType) return keysIn(innerType, path);
    if (type === 'pipe' && out) return keysIn(out, path);
    if (type !== 'object' || shape === undefined) return [path];
    const prefix = path === '' ? '' : `${path}.`;
    return Object.entries(shape).flatMap(([key, member]) => keysIn(member, `${prefix}${key}`));
  }

  /** What `createRouter` says of an option with a value that is never right. */
  function complaintOf(option: string): string {
    const options = option
      .split('.')
      .reduceRight<unknown>((value, name) => ({ [name]: value }), Symbol('wrong'));
    try {
      createRouter(options as RouterOptions);
    } catch (error) {
      if (isRouterError(error) && error.code === 'ERR_OPTIONS') return error.message;
      throw error;
    }
    return 'no complaint';
  }

  test('lists the options', () => {
    expectSame(
      rows.map(([name]) => name ?? ''),
      keysIn(optionsSchema, ''),
    );
  });

  test.each(rows.map(([name]) => name ?? ''))('%s is checked', (option) => {
    expect(complaintOf(option)).toContain(`→ at ${option}`);
    expect(complaintOf(option)).not.toContain('Unrecognized');
    expect(complaintOf(`${option}X`)).toContain('Unrecognized');
  });

  test('gives the defaults of delivery as they are', async () => {
    const documented = (name: string): number =>
      numberIn(rows.find(([option]) => option === `delivery.${name}`)?.[2]);
    const clock = createVirtualClock();
    const writes: Array<{ count: number; at: number }> = [];
    const stuck = { name: 'stuck', write: () => new Promise<void>(() => {}) };
    const delivery = createDelivery({
      clock,
      random: () => 0,
      sinks: [
        stuck,
        {
          name: 'seen',
          write: async (records) => void writes.push({ count: records.length, at: clock.now() }),
        },
      ],
    });
    const record = sampleRecord();
    delivery.push(record);
    await clock.advance(1000);
    expect(writes).toEqual([{ count: 1, at: documented('flushIntervalMs') }]);

    for (let i = 0; i < documented('maxMemoryRecords'); i++) delivery.push(record);
    await clock.advance(0);
    expect(writes[1]?.count).toBe(documented('batchSize'));
    // The stuck sink holds one record in its hands: one of the others had to go.
    expect(delivery.snapshot().sinks[0]?.dropped.overflow).toBe(1);
    expect(delivery.snapshot().sinks[0]?.pending).toBe(documented('maxMemoryRecords'));
  });

  test('gives the default of close as it is', async () => {
    const close = tableIn(sectionOf('docs/options.md', '## The router')).find(([name]) =>
      name?.startsWith('close'),
    );
    const clock = createVirtualClock();
    const router = createRouter({
      clock,
      fetch: async () => new Response(new ReadableStream()),
    });
    await router.fetch('https://api.openai.com/v1/models');
    let closed = false;
    void router.close().then(() => (closed = true));
    await clock.advance(numberIn(close?.[1]) - 1);
    expect(closed).toBe(false);
    await clock.advance(1);
    expect(closed).toBe(true);
  });

  test('lists the fields of a call context and the headers that set them', async () => {
    const context = tableIn(sectionOf('docs/options.md', '## Who makes a call'));
    const source = readFileSync(join(root, 'src/options.ts'), 'utf8');
    const schema = /^const contextSchema[\s\S]*?\{\n([\s\S]*?)^\}\);/m.exec(source)?.[1] ?? '';
    expectSame(
      context.map(([field]) => field ?? ''),
      [...schema.matchAll(/^ {2}(\w+):/gm)].map(([, key]) => key ?? ''),
    );

    const isOwnHeader = (name: string): boolean => /^x-(?:tokenrouter-|priority)/.test(name);
    const sent: string[] = [];
    const records: UsageRecord[] = [];
    const router = createRouter({
      fetch: async (_input, init) => {
        sent.push(...[...new Headers(init?.headers).keys()].filter(isOwnHeader));
        return new Response();
      },
    });
    router.on('usage', (record) => records.push(record));
    const headers = context.map(([, header = '']) => [header.replace('<name>', 'feature'), 'high']);
    await router.fetch('https://api.openai.com/v1/models', {
      headers: Object.fromEntries(headers) as Record<string, string>,
    });
    expect(sent).toEqual([]);
    expect(records[0]?.context).toEqual({
      priority: 'high',
      tenant: 'high',
      user: 'high',
      session: 'high',
      tags: { feature: 'high' },
    });
  });

  test('lists what a router can do', () => {
    const text = sectionOf('docs/options.md', '## The router');
    for (const member of Object.keys(createRouter())) {
      expect(text, `expected the table to name ${member}`).toMatch(new RegExp(`\`${member}\\(`));
    }
  });
});

describe('docs/records.md', () => {
  test('lists the fields of a record', () => {
    const inCode = pathsOf(recordShape).filter(
      (path) => !/^(context|dedupe|cache|trace|captured|usage\.(in|out)putTokens)\./.test(path),
    );
    expectSame(columnOf(sectionOf('docs/records.md', '## Fields')), inCode);
  });

  test('lists the buckets', () => {
    const inCode = pathsOf(recordShape)
      .filter((path) => /^usage\.(in|out)putTokens\./.test(path))
      .map((path) => path.slice('usage.'.length));
    expectSame(columnOf(sectionOf('docs/records.md', '## Buckets')), inCode);
  });

  test('lists grades, kinds of price and APIs', () => {
    expectSame(
      columnOf(sectionOf('docs/records.md', '## Grades')),
      enumOf(at(recordShape, 'usage', 'grade')),
    );
    expectSame(
      columnOf(sectionOf('docs/records.md', '## Price')),
      enumOf(at(recordShape, 'cost', 'price')),
    );
    const sentence = /^`api` is one of ([\s\S]*?):/m.exec(readPage('docs/records.md'))?.[1] ?? '';
    expectSame(
      [...sentence.matchAll(/`([\w.]+)`/g)].map(([, name]) => name ?? ''),
      enumOf(recordShape.properties['api']),
    );
  });
});

describe('docs/providers.md', () => {
  test('lists the built-in adapters in the order they are asked', () => {
    expect(columnOf(sectionOf('docs/providers.md', '## Built in'))).toEqual(
      builtInAdapters.map(({ name }) => name),
    );
  });

  test('lists the presets as they are', () => {
    const documented = tableIn(sectionOf('docs/providers.md', '## Presets'));
    const inCode = Object.entries(presets).map(([name, { provider, hosts, streamUsage }]) => [
      name,
      provider,
      hosts.join(' '),
      streamUsage ?? 'no',
    ]);
    const plain = documented.map(([name, provider, hosts = '', asks]) => [
      name,
      provider,
      hosts.replaceAll(/[`,]/g, ''),
      asks,
    ]);
    expect(plain).toEqual(inCode);
  });
});

test('docs/prices.md tells the date and the size of the list', () => {
  const models = Object.values(prices.providers).flatMap((provider) =>
    Object.keys(provider.models),
  );
  const providers = Object.keys(prices.providers).length;
  expect(readPage('docs/prices.md')).toContain(
    `Taken on ${prices.date}: ${providers} providers, ${models.length} models.`,
  );
});

describe('docs/sinks.md', () => {
  test('tells the defaults as they are', () => {
    const sources: ReadonlyArray<readonly [sink: string, file: string, code: RegExp]> = [
      ['memorySink', 'memory.ts', /(maxRecords) = ([\d_]+)/],
      ['fileSink', 'file.ts', /(maxFiles) = ([\d_]+)/],
      ['fileSink', 'file.ts', /(mode) = (0o\d+)/],
      ['sqliteSink', 'sqlite.ts', /(busyTimeoutMs) = ([\d_]+)/],
      ['sqliteSink', 'sqlite.ts', /(table) = '(\w+)'/],
    ];
    const rows = tableIn(readPage('docs/sinks.md'));
    for (const [sink, file, code] of sources) {
      const source = readFileSync(join(root, 'adapters/sinks', file), 'utf8');
      const [, name = '', value = ''] = code.exec(source) ?? [];
      const options = rows.find(([row]) => row === sink)?.[3] ?? '';
      const shown = options.replaceAll(/(?<=\d) (?=\d{3})/g, '').replaceAll('`', '');
      expect(shown).toMatch(new RegExp(`\\b${name} ${value.replaceAll(/(?<=\d)_(?=\d)/g, '')}\\b`));
    }
  });

  test('lists the sinks that can be imported', () => {
    const exported = Object.keys(manifest.exports)
      .filter((name) => name.startsWith('./sinks/'))
      .map((name) => name.replace('.', 'tokenrouter'));
    expectSame(columnOf(readPage('docs/sinks.md'), 1), exported);
  });

  test('lists the reasons for which records are dropped', () => {
    const reasons: Record<DropReason, true> = {
      overflow: true,
      poison: true,
      closed: true,
      'spool-full': true,
      'spool-corrupt': true,
    };
    expectSame(
      columnOf(sectionOf('docs/sinks.md', '## How records reach a sink')),
      Object.keys(reasons),
    );
  });

  test('asks its questions in SQL that SQLite answers', async () => {
    const database = new DatabaseSync(':memory:');
    const sink = sqliteSink({ database });
    const startedAt = new Date().toISOString();
    const cost = { usd: null, price: 'unpriced' } as const;
    await sink.write([
      sampleRecord({ startedAt }),
      sampleRecord({ startedAt, stream: true }),
      sampleRecord({
        startedAt,
        outcome: 'rate_limited',
        errorCode: 'slow_down',
        status: 429,
        cost,
      }),
    ]);
    const questions = snippetsOf('docs/sinks.md').filter(({ language }) => language === 'sql');
    expect(questions.length).toBeGreaterThan(4);
    const answers = questions.map(({ code }) => database.prepare(code).all());
    for (const answer of answers) expect(answer.length).toBeGreaterThan(0);
    expect(answers[0]?.[0]).toMatchObject({ calls: 3, input_tokens: 3600, unpriced: 1 });
    expect(answers[0]?.[0]?.['usd']).toBeCloseTo(0.00027, 12);
  });
});

describe('README.md', () => {
  test('is short and shows code at once', () => {
    const lines = readPage('README.md').split('\n');
    expect(lines.length).toBeLessThan(250);
    expect(lines.findIndex((line) => line.startsWith('import'))).toBeLessThan(20);
  });
});

interface Shape {
  readonly properties: Record<string, Shape | undefined>;
  readonly enum?: readonly string[];
}
const shapeSchema: z.ZodType<Shape> = z.object({
  get properties() {
    return z.record(z.string(), shapeSchema).default({});
  },
  enum: z.array(z.string()).optional(),
}) as z.ZodType<Shape>;

const recordShape = shapeSchema.parse(
  z.toJSONSchema(usageRecordSchema, { unrepresentable: 'any' }),
);

function at(shape: Shape, ...path: string[]): Shape | undefined {
  return path.reduce<Shape | undefined>((inner, name) => inner?.properties[name], shape);
}

function enumOf(shape: Shape | undefined): readonly string[] {
  return shape?.enum ?? [];
}

/** `usage.inputTokens.total` and so on; an object that the page describes as a whole stands for itself. */
function pathsOf(shape: Shape, prefix = ''): string[] {
  return Object.entries(shape.properties).flatMap(([name, inner]) => {
    const path = `${prefix}${name}`;
    const below = inner === undefined ? [] : pathsOf(inner, `${path}.`);
    const isWhole = /^(context|dedupe|cache|trace|captured|usage\.(in|out)putTokens)$/.test(path);
    return below.length === 0 ? [path] : isWhole ? [path, ...below] : below;
  });
}
