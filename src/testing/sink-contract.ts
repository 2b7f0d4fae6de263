import assert from 'node:assert/strict';

import type { Sink, UsageRecord } from '../types.ts';
import { sampleRecord } from './sample-record.ts';

/** One thing every sink promises; `run` rejects when this one does not keep it. For any test runner. */
export interface ContractCase {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** A sink with nothing stored yet, and how to look into its store. */
export interface SinkUnderTest {
  sink: Sink;
  /**
   * What a reader finds, in the order of arrival: whole records, or only their ids. When readers are told to leave out
   * repeated ids, this does so too. Also works after the sink was closed.
   */
  readAll(): Promise<readonly UsageRecord[] | readonly string[]>;
  /** A new sink on the same store, after the first was closed. Needed when `durable` is set. */
  reopen?(): Promise<Sink>;
  /** Closes and removes what `create` and `reopen` made. */
  dispose(): Promise<void>;
}

export interface SinkContractOptions {
  /** Called once for each case. */
  create(): Promise<SinkUnderTest>;
  /** Whether records are still there when the sink is opened again. Default `false`. */
  durable?: boolean | undefined;
}

/**
 * What delivery and readers expect of every sink, as cases to run one by one:
 *
 * `for (const { name, run } of sinkContract({ create })) test(name, run)`
 */
export function sinkContract(options: SinkContractOptions): readonly ContractCase[] {
  function contractCase(
    name: string,
    check: (subject: SinkUnderTest) => Promise<void>,
  ): ContractCase {
    return {
      name,
      run: async () => {
        const subject = await options.create();
        try {
          await check(subject);
        } finally {
          await subject.dispose();
        }
      },
    };
  }

  const cases = [
    contractCase('has a name', async ({ sink }) => {
      assert.match(sink.name, /^\S+$/, 'name must be a word');
    }),
    contractCase('stores every record of a batch', async (subject) => {
      const records = samples(3);
      await subject.sink.write(records);
      await expectStored(subject, records);
    }),
    contractCase('keeps the order within and between batches', async (subject) => {
      const records = samples(30);
      for (let at = 0; at < records.length; at += 10) {
        await subject.sink.write(records.slice(at, at + 10));
      }
      await expectStored(subject, records);
    }),
    contractCase('stores a batch that is delivered twice only once', async (subject) => {
      const records = samples(5);
      await subject.sink.write(records);
      await subject.sink.write(records);
      await expectStored(subject, records);
    }),
    contractCase('stores the new records of a batch that holds old ones too', async (subject) => {
      const records = samples(6);
      await subject.sink.write(records.slice(0, 4));
      await subject.sink.write(records.slice(2));
      await expectStored(subject, records);
    }),
    contractCase('takes an empty batch', async (subject) => {
      await subject.sink.write([]);
      await expectStored(subject, []);
    }),
    contractCase('takes a batch of 5,000', async (subject) => {
      const records = samples(5_000);
      await subject.sink.write(records);
      await expectStored(subject, records);
    }),
    contractCase('neither changes nor needs to change what it is given', async (subject) => {
      const records = samples(2);
      for (const record of records) deepFreeze(record);
      await subject.sink.write(Object.freeze(records));
      await expectStored(subject, records);
    }),
    contractCase('is not affected when the batch changes after the write', async (subject) => {
      const records = samples(3);
      const batch = [...records];
      await subject.sink.write(batch);
      batch.length = 0;
      await expectStored(subject, records);
    }),
    ...Object.entries(hostileRecords).map(([what, hostile]) =>
      contractCase(`stores a record with ${what}, and its neighbours`, async (subject) => {
        const [before, after] = [sampleRecord(), sampleRecord()];
        const record = hostile();
        await subject.sink.write([before, record, after]);
        await expectStored(subject, [before, record, after], record.id);
      }),
    ),
    contractCase('flushes before, during and after a write', async (subject) => {
      const { sink } = subject;
      const records = samples(20);
      await sink.flush?.();
      await Promise.all([sink.write(records), sink.flush?.(), sink.flush?.()]);
      await sink.flush?.();
      await expectStored(subject, records);
    }),
    contractCase('keeps what was written when it is closed, also twice', async (subject) => {
      const records = samples(2);
      await subject.sink.write(records);
      await subject.sink.close?.();
      await subject.sink.close?.();
      await expectStored(subject, records);
    }),
    contractCase('closes without ever having written', async (subject) => {
      await subject.sink.close?.();
      await expectStored(subject, []);
    }),
    contractCase('rejects a write after close and says so', async (subject) => {
      const records = samples(1);
      await subject.sink.write(records);
      assert.ok('close' in subject.sink, 'a sink without close never learns when to let go');
      await subject.sink.close?.();
      await assert.rejects(async () => subject.sink.write(samples(1)), /clos/i);
      await expectStored(subject, records);
    }),
  ];

  if (options.durable !== true) return cases;
  return [
    ...cases,
    contractCase('keeps its records when it is opened again, and adds to them', async (subject) => {
      const records = samples(6);
      await subject.sink.write(records.slice(0, 3));
      await subject.sink.close?.();
      const again = await subject.reopen?.();
      assert.ok(again, 'a durable sink must be tested with reopen');
      await again.write(records.slice(2));
      await again.close?.();
      await expectStored(subject, records);
    }),
  ];
}

function samples(count: number): UsageRecord[] {
  return Array.from({ length: count }, () => sampleRecord());
}

/** Each must not cost a batch its other records. Text may come back cleaned where a store cannot hold it. */
const hostileRecords: Readonly<Record<string, () => UsageRecord>> = {
  'a NUL in its text': () => withText('a\u0000b'),
  'lone surrogates': () => withText('\ud800 and \udfff'),
  emoji: () => withText('👩‍👩‍👧‍👦 🏳️‍🌈'),
  'line ends of all kinds': () => withText('a\nb\r\nc\rd\u0085e\u2028f\u2029g'),
  'quotes, braces and SQL': () => withText(`"}],'); DROP TABLE usage_records; --\\`),
  'names of built-in members as tags': () =>
    sampleRecord({
      context: {
        priority: 'normal',
        tags: Object.fromEntries([
          ['__proto__', 'x'],
          ['constructor', 'y'],
          ['toJSON', 'z'],
        ]),
      },
    }),
  'a tag of 10 MB': () =>
    sampleRecord({ context: { priority: 'normal', tags: { big: 'x'.repeat(10_000_000) } } }),
  'huge numbers': () =>
    sampleRecord({
      usage: {
        inputTokens: { total: Number.MAX_SAFE_INTEGER, uncached: Number.MAX_VALUE },
        outputTokens: { total: 1e21 },
        grade: 'partial',
        raw: { tokens: Number.MAX_SAFE_INTEGER },
      },
      cost: { usd: `${'9'.repeat(40)}.${'9'.repeat(40)}`, price: 'approximate' },
    }),
  'nothing that is optional': () => ({
    ...sampleRecord(),
    requestModel: undefined,
    responseModel: undefined,
    status: undefined,
    providerRequestId: undefined,
    usage: { inputTokens: {}, outputTokens: {}, grade: 'none' },
    cost: { usd: null, price: 'unpriced' },
    saved: {},
    timing: { queuedMs: 0, heldMs: 0, durationMs: 0 },
    context: { priority: 'normal' },
  }),
  'a bigint and a cycle in the raw usage': () => {
    const raw: Record<string, unknown> = { tokens: 10n };
    raw['self'] = raw;
    return sampleRecord({
      usage: { inputTokens: {}, outputTokens: {}, grade: 'partial', raw },
    });
  },
};

/** The same text in every member that takes text from outside. */
function withText(text: string): UsageRecord {
  return sampleRecord({
    provider: text,
    requestModel: text,
    responseModel: text,
    route: text,
    target: text,
    errorCode: text,
    providerRequestId: text,
    dedupe: { role: 'follower', leaderId: text },
    cache: { prefix: text, marks: 1, miss: { reason: 'evicted' } },
    context: {
      priority: 'normal',
      tenant: text,
      user: text,
      session: text,
      tags: { [text]: text },
    },
  });
}

/** The same ids in the same order, and where records are read the same content; of `looseId` the id is enough. */
async function expectStored(
  subject: SinkUnderTest,
  expected: readonly UsageRecord[],
  looseId?: string,
): Promise<void> {
  const stored = await subject.readAll();
  assert.deepEqual(
    stored.map((entry) => (typeof entry === 'string' ? entry : entry.id)),
    expected.map((record) => record.id),
  );
  for (const [index, entry] of stored.entries()) {
    if (typeof entry === 'string' || entry.id === looseId) continue;
    assert.deepEqual(plain(entry), plain(expected[index]));
  }
}

/** Without members that are `undefined`, which a store need not keep apart from missing ones. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function deepFreeze(value: object): void {
  for (const inner of Object.values(value)) {
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner);
  }
  Object.freeze(value);
}
