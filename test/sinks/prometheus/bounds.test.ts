import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { prometheusSink } from '../../../adapters/sinks/prometheus/index.ts';
import { LabelValues } from '../../../adapters/sinks/prometheus/labels.ts';
import { sampleRecord } from '../../../src/testing/index.ts';
import { linesOf, sumOf } from './page.ts';

const secrets = { tenant: 'acme-t', user: 'bob-u', session: 'chat-s', tags: { squad: 'red-g' } };

describe('10,000 models, hosts and tenants', () => {
  const records = Array.from({ length: 10_000 }, (_, n) =>
    sampleRecord({
      provider: `host-${n}.example`,
      api: 'other',
      requestModel: `model-${n}`,
      responseModel: `answered-${n}`,
      errorCode: `code-${n}`,
      context: {
        priority: 'normal',
        tenant: `acme-${n}`,
        user: `bob-${n}`,
        session: `chat-${n}`,
        tags: { [`tag-${n}`]: `red-${n}` },
      },
    }),
  );

  test('make no more series than there are places', async () => {
    const sink = prometheusSink({ models: ['model-1', 'model-2'] });
    await sink.write(records);
    const calls = linesOf(sink.metrics(), 'requests_total');
    expect(calls).toHaveLength(31);
    expect(calls.at(-1)).toBe(
      '{provider="other",api="other",model="other",priority="normal",outcome="ok"} 9970',
    );
    expect(sink.metrics().split('\n').length).toBeLessThan(3000);
    expect(sumOf(sink.metrics(), 'requests_total')).toBe(10_000n);
  });

  test('do not crowd out a provider whose format is known', async () => {
    const sink = prometheusSink();
    await sink.write(records);
    await sink.write([sampleRecord({ provider: 'openai' })]);
    expect(sumOf(sink.metrics(), 'requests_total', 'provider="openai"')).toBe(1n);
  });

  test('are bounded among known formats too', async () => {
    const sink = prometheusSink();
    await sink.write(records.map((record) => ({ ...record, api: 'messages' })));
    expect(linesOf(sink.metrics(), 'requests_total')).toHaveLength(51);
  });
});

test('a model has its own series only when it is listed, by either of its names', async () => {
  const sink = prometheusSink({ models: ['gpt-4o-mini', 'claude-x-20260101'] });
  await sink.write([
    sampleRecord(),
    sampleRecord({ requestModel: 'claude-x', responseModel: 'claude-x-20260101' }),
    sampleRecord({ requestModel: 'gpt-5', responseModel: 'gpt-5' }),
    sampleRecord({ requestModel: undefined, responseModel: undefined }),
  ]);
  const models = linesOf(sink.metrics(), 'requests_total').map((line) =>
    line.replace(/.*model="(.*?)".* (\d)$/, '$1 $2'),
  );
  expect(models).toEqual(['gpt-4o-mini 1', 'claude-x-20260101 1', 'other 2']);
});

test('nobody is named', async () => {
  const sink = prometheusSink({ models: ['gpt-4o-mini'] });
  await sink.write([
    sampleRecord({ context: { priority: 'normal', ...secrets }, providerRequestId: 'req-id' }),
    sampleRecord({ trace: { traceId: 'trace-id', spanId: 'span-id', sampled: true } }),
    sampleRecord({ captured: { request: 'asked-q', answer: 'said-a' } }),
  ]);
  expect(sink.metrics()).not.toMatch(
    /acme-t|bob-u|chat-s|red-g|squad|req-id|trace-id|span-id|asked-q|said-a/,
  );
});

describe('text from outside', () => {
  test('is escaped', async () => {
    const sink = prometheusSink();
    await sink.write([sampleRecord({ provider: 'a"b\\c\nd' })]);
    expect(linesOf(sink.metrics(), 'requests_total')[0]).toContain(
      String.raw`provider="a\"b\\c\nd",`,
    );
  });

  test('is cut and loses what cannot be written', async () => {
    const sink = prometheusSink();
    await sink.write([sampleRecord({ provider: `\u0000\ud800${'x'.repeat(10_000_000)}` })]);
    expect(linesOf(sink.metrics(), 'requests_total')[0]).toContain(
      `provider="\ufffd\ufffd${'x'.repeat(98)}",`,
    );
  });

  test('never breaks a line, a label or a pair of surrogates', async () => {
    const whole = /^tokenrouter_\w+(?:\{(?:\w+="(?:[^"\\\n]|\\["\\n])*",?)+\})? -?[\d.]+$/;
    const anything = fc.string({ unit: 'binary', maxLength: 120 });
    await fc.assert(
      fc.asyncProperty(fc.array(anything, { maxLength: 60 }), async (providers) => {
        const sink = prometheusSink({ models: providers });
        await sink.write(
          providers.map((provider) => sampleRecord({ provider, requestModel: provider })),
        );
        const page = sink.metrics();
        expect(Buffer.from(page).toString()).toBe(page);
        const lines = page.split('\n').filter((line) => line !== '' && !line.startsWith('# '));
        expect(lines.filter((line) => !whole.test(line))).toEqual([]);
        expect(new Set(lines.map((line) => line.slice(0, line.lastIndexOf(' ')))).size).toBe(
          lines.length,
        );
      }),
      { numRuns: 50 },
    );
  });
});

test('values are first come, first served, and those that were served stay', () => {
  const values = new LabelValues(3);
  const given = ['a', 'b', 'a', 'c', 'd', 'a'].map((value) => values.of(value));
  expect(given).toEqual(['a', 'b', 'a', 'c', 'other', 'a']);
});
