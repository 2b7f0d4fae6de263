/**
 * What every provider adapter promises, as checks that any test framework can run:
 *
 * ```ts
 * for (const check of adapterContract(myAdapter(), cases)) test(check.name, check.run)
 * ```
 */
import assert from 'node:assert/strict';
import type { AnswerFacts, ProviderAdapter, TokenUsage, Wire } from '../types.ts';
import { JsonView } from '../util/json-view.ts';

/** One recorded answer of the provider and what is known of it. */
export interface AdapterCase {
  readonly name: string;
  /** Where the request went. */
  readonly url: string;
  /** The body of a whole JSON answer, as received. Either this or `events`. */
  readonly answer?: string | undefined;
  /** The events of a streamed answer in order: their data, and their name where they have one. */
  readonly events?: ReadonlyArray<string | { readonly name: string; readonly data: string }>;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly expect: {
    readonly provider?: string | undefined;
    readonly api?: string | undefined;
    readonly model?: string | undefined;
    readonly input?: TokenUsage['inputTokens'] | undefined;
    readonly output?: TokenUsage['outputTokens'] | undefined;
    readonly grade?: TokenUsage['grade'] | undefined;
    readonly error?: AnswerFacts['error'];
    readonly complete?: boolean | undefined;
  };
}

export interface ContractCheck {
  readonly name: string;
  /** Throws an `AssertionError` when the promise is broken. */
  readonly run: () => void;
}

/** Each mark costs one pass over every stream. */
const MAX_MARKS = 5;

/** Checks of one adapter; give it at least one whole answer, one stream and one error of the provider. */
export function adapterContract(
  adapter: ProviderAdapter,
  cases: readonly AdapterCase[],
): ContractCheck[] {
  const wires = [...new Set(cases.map((each) => adapter.match(new URL(each.url))?.wire))].filter(
    (wire) => wire !== undefined,
  );
  return [
    {
      name: `${adapter.name}: leaves URLs alone that say nothing`,
      run: () => leavesOthers(adapter),
    },
    ...cases.map((each) => ({
      name: `${adapter.name}: reads ${each.name}`,
      run: () => readsCase(adapter, each),
    })),
    ...wires.flatMap((wire) => [
      { name: `${adapter.name}: ${wire.name} has few marks`, run: () => hasFewMarks(wire) },
      { name: `${adapter.name}: ${wire.name} takes any usage`, run: () => takesAnyUsage(wire) },
      { name: `${adapter.name}: ${wire.name} takes any text`, run: () => takesAnyText(wire) },
      {
        name: `${adapter.name}: ${wire.name} keeps messages out`,
        run: () => keepsMessagesOut(wire),
      },
    ]),
  ];
}

function leavesOthers(adapter: ProviderAdapter): void {
  for (const url of ['https://unknown.invalid/', 'https://unknown.invalid/index.html']) {
    assert.equal(adapter.match(new URL(url)), undefined, `matched ${url}`);
  }
}

function readsCase(adapter: ProviderAdapter, each: AdapterCase): void {
  const { expect } = each;
  const endpoint = adapter.match(new URL(each.url));
  assert.ok(endpoint !== undefined, `expected ${adapter.name} to match ${each.url}`);
  assert.deepEqual(
    adapter.match(new URL(each.url)),
    endpoint,
    'expected a URL to mean the same twice',
  );
  if (expect.provider !== undefined) assert.equal(endpoint.provider, expect.provider);
  if (expect.api !== undefined) assert.equal(endpoint.api, expect.api);
  if (endpoint.wire === undefined) {
    assert.ok(
      each.answer === undefined && each.events === undefined,
      'expected a wire to read with',
    );
    return;
  }
  const facts = factsOf(endpoint.wire, each, true);
  assert.deepEqual(
    facts,
    factsOf(endpoint.wire, each, false),
    'expected the marks to miss nothing',
  );
  const usage = endpoint.wire.usage(facts.usage);
  assertTokenUsage(usage);
  if (expect.model !== undefined) assert.equal(facts.model, expect.model);
  if (expect.complete !== undefined) assert.equal(facts.complete === true, expect.complete);
  if (expect.grade !== undefined) assert.equal(usage.grade, expect.grade);
  if (expect.error !== undefined) assert.deepEqual(known(facts.error), known(expect.error));
  if (expect.input !== undefined) assert.deepEqual(known(usage.inputTokens), known(expect.input));
  if (expect.output !== undefined)
    assert.deepEqual(known(usage.outputTokens), known(expect.output));
}

/** What a wire learns from a case; with its marks it is only shown the first event and those that hold one. */
function factsOf(wire: Wire, each: AdapterCase, withMarks: boolean): AnswerFacts {
  const facts: AnswerFacts = {};
  wire.headers?.((name) => each.headers?.[name.toLowerCase()], facts);
  if (each.answer !== undefined) wire.answer(new JsonView(each.answer), facts);
  for (const [index, event] of (each.events ?? []).entries()) {
    const { name, data } = typeof event === 'string' ? { name: '', data: event } : event;
    const isMarked = wire.marks.length === 0 || wire.marks.some((mark) => data.includes(mark));
    if (isMarked || index === 0 || !withMarks) {
      wire.event({ name, data, json: new JsonView(data) }, facts);
    }
  }
  return facts;
}

function hasFewMarks(wire: Wire): void {
  assert.ok(
    wire.marks.length <= MAX_MARKS,
    `expected at most ${MAX_MARKS}, got ${wire.marks.length}`,
  );
  assert.ok(!wire.marks.includes(''), 'an empty mark is in every event');
}

const ODD_VALUES: readonly unknown[] = [
  undefined,
  null,
  -1,
  0.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  1e300,
  '12',
  true,
  [],
  {},
  7,
];

/** Replaces each number of the usage that the wire understands by each odd value, and whole usages too. */
function takesAnyUsage(wire: Wire): void {
  for (const odd of ODD_VALUES) {
    assertTokenUsage(wire.usage(odd));
    for (const name of USAGE_NAMES) {
      for (const details of [odd, { [name]: odd }]) {
        assertTokenUsage(wire.usage({ ...PLAIN_USAGE, [name]: details }));
      }
    }
  }
  assert.equal(wire.usage(undefined).grade, 'none', 'expected no usage to be graded "none"');
}

const USAGE_NAMES = [
  'prompt_tokens',
  'completion_tokens',
  'total_tokens',
  'input_tokens',
  'output_tokens',
  'cache_read_input_tokens',
  'cache_creation_input_tokens',
  'cache_creation',
  'prompt_tokens_details',
  'completion_tokens_details',
  'input_tokens_details',
  'output_tokens_details',
  'promptTokenCount',
  'candidatesTokenCount',
  'thoughtsTokenCount',
  'cachedContentTokenCount',
  'totalTokenCount',
  'inputTokens',
  'outputTokens',
  'cacheReadInputTokens',
  'cacheDetails',
  'tokens',
];

const PLAIN_USAGE = { prompt_tokens: 5, completion_tokens: 3, input_tokens: 5, output_tokens: 3 };

function takesAnyText(wire: Wire): void {
  for (const text of [
    '',
    '{',
    '{}',
    '[]',
    '[[',
    'null',
    '"text"',
    '{"usage":',
    '\u0000',
    '[DONE]',
  ]) {
    const json = new JsonView(text);
    wire.answer(json, {});
    wire.event({ name: '', data: text, json }, {});
    assert.equal(typeof wire.outputText(json), 'string');
  }
}

const SECRET = 'The prompt said: do not tell anyone, 12345!';

function keepsMessagesOut(wire: Wire): void {
  const bodies = [
    { error: { message: SECRET, type: SECRET, code: SECRET, status: SECRET } },
    { error: SECRET, code: SECRET },
    { type: 'error', error: { type: 'x', message: SECRET } },
    { object: 'error', message: SECRET, type: SECRET },
    { message: SECRET, detail: SECRET, title: SECRET, status: 429 },
  ];
  for (const body of bodies) {
    const text = JSON.stringify(body);
    for (const source of [text, `[${text}]`]) {
      const json = new JsonView(source);
      const ofAnswer: AnswerFacts = {};
      const ofEvent: AnswerFacts = {};
      wire.answer(json, ofAnswer);
      wire.event({ name: 'error', data: source, json }, ofEvent);
      const told = JSON.stringify([ofAnswer, ofEvent]);
      assert.ok(!told.includes(SECRET), 'expected no error text in the facts');
    }
  }
}

/** Throws unless the buckets are whole numbers, disjoint, and no part is larger than its whole. */
export function assertTokenUsage(usage: TokenUsage): void {
  const { inputTokens: input, outputTokens: output } = usage;
  for (const count of [...Object.values(input), ...Object.values(output)]) {
    assert.ok(
      count === undefined || (Number.isSafeInteger(count) && count >= 0),
      `expected a whole number of tokens or undefined, got ${String(count)}`,
    );
  }
  const parts = [input.uncached, input.cacheRead, input.cacheWrite, input.cacheWrite1h];
  const sum = parts.reduce<number>((total, part) => total + (part ?? 0), 0);
  if (input.total !== undefined) assert.equal(sum, input.total, 'expected the buckets to add up');
  if (output.total !== undefined) {
    assert.ok((output.reasoning ?? 0) <= output.total, 'expected reasoning within the output');
  }
  const isNothingKnown = [...parts, input.total, output.total, output.reasoning].every(
    (count) => count === undefined,
  );
  assert.equal(usage.grade === 'none', isNothingKnown, `grade ${usage.grade} does not fit`);
}

/** Without members that are undefined. */
function known(value: object | undefined): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value ?? {}).filter(([, each]) => each !== undefined));
}
