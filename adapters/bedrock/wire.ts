import type { AnswerFacts, HeaderLookup, StreamEvent, Wire } from '../../src/types.ts';
import { JsonView } from '../../src/util/json-view.ts';
import { messages } from '../anthropic/wire.ts';
import { readErrorLimits } from '../shared/error-limits.ts';
import { isObject, nonEmptyString, overlay } from '../shared/json-value.ts';
import { outputText } from '../shared/output-text.ts';
import { sumCounts } from '../shared/token-usage.ts';
import { bedrockErrorOf, bedrockErrorOutcomes, exceptionNamed } from './errors.ts';
import { converseUsage, invokeUsage } from './usage.ts';

const CONVERSE_TEXT = { text: new Set(['text', 'input', 'name']), json: new Set(['input']) };

export const converse: Wire = {
  name: 'converse',
  // The last is the body of every exception; in the model's own strings the quotes would be escaped.
  marks: ['"usage":', '"stopReason":', '"message":', '"Message":'],
  answer(json, facts) {
    readError(json, facts);
    const usage = json.get('usage');
    if (isObject(usage)) facts.usage = usage;
  },
  event(event, facts) {
    const { json } = event;
    if (isException(event)) facts.error = exceptionNamed(event.name);
    const usage = json.get('usage');
    if (isObject(usage)) facts.usage = overlay(facts.usage, usage);
    if (json.string('stopReason') !== undefined) facts.complete = true;
  },
  headers: readErrorHeader,
  usage: converseUsage,
  outputText: (json) =>
    outputText(json.get('delta') ?? json.view('output')?.get('message'), CONVERSE_TEXT),
  errorOutcomes: bedrockErrorOutcomes,
};

/** Members of invoke bodies that count tokens: Titan's and Llama's. */
const COUNTS = [
  'inputTextTokenCount',
  'totalOutputTextTokenCount',
  'prompt_token_count',
  'generation_token_count',
];

const METRICS = 'amazon-bedrock-invocationMetrics';

export const invoke: Wire = {
  name: 'invoke',
  // The model's own events stand base64-encoded inside Bedrock's.
  marks: [],
  answer(json, facts) {
    readError(json, facts);
    readBody(json, facts);
    const titan = titanOutput(json);
    if (titan !== undefined) {
      facts.usage = overlay(facts.usage, { totalOutputTextTokenCount: titan });
    }
  },
  event(event, facts) {
    if (isException(event)) {
      facts.error = exceptionNamed(event.name);
      return;
    }
    const json = unwrap(event.json);
    const type = json.string('type');
    if (type === 'message_start' || type === 'message_delta' || type === 'error') {
      messages.event({ name: type, data: event.data, json }, facts);
    } else readBody(json, facts);
    // Bedrock adds its metrics to the last event, whatever the model.
    const metrics = json.get(METRICS);
    if (isObject(metrics)) {
      facts.usage = overlay(facts.usage, metrics);
      facts.complete = true;
    }
    // A guardrail that steps in ends the answer, without metrics.
    if (json.get('amazon-bedrock-guardrailAction') === 'INTERVENED') facts.complete = true;
  },
  headers(headers, facts) {
    readErrorHeader(headers, facts);
    const counts: Record<string, unknown> = {};
    for (const [name, member] of COUNT_HEADERS) {
      const value = headers(`x-amzn-bedrock-${name}-token-count`);
      if (value !== undefined) counts[member] = Number(value);
    }
    if (Object.keys(counts).length > 0) facts.usage = overlay(facts.usage, counts);
  },
  usage: invokeUsage,
  outputText(wrapped) {
    const json = unwrap(wrapped);
    const written = WRITTEN.map((member) => [member, json.get(member)]);
    return outputText(Object.fromEntries(written), INVOKE_TEXT);
  },
  errorOutcomes: bedrockErrorOutcomes,
};

/** The counts that Bedrock reports in headers, under the names it uses for them in its metrics. */
const COUNT_HEADERS = [
  ['input', 'inputTokenCount'],
  ['output', 'outputTokenCount'],
  ['cache-read-input', 'cacheReadInputTokenCount'],
  ['cache-write-input', 'cacheWriteInputTokenCount'],
] as const;

/** Where the models of several makers put what they write. */
const WRITTEN = [
  'choices',
  'completion',
  'completions',
  'content',
  'contentBlockDelta',
  'delta',
  'generation',
  'generations',
  'output',
  'outputs',
  'outputText',
  'results',
  'text',
];

const INVOKE_TEXT = {
  text: new Set([
    'arguments',
    'completion',
    'content',
    'generation',
    'input',
    'name',
    'outputText',
    'partial_json',
    'text',
    'thinking',
  ]),
  json: new Set(['input']),
};

function readBody(json: JsonView, facts: AnswerFacts): void {
  facts.model = nonEmptyString(json.get('model')) ?? facts.model;
  const usage = json.get('usage') ?? json.view('metadata')?.get('usage'); // the latter: Nova's streams
  if (isObject(usage)) facts.usage = overlay(facts.usage, usage);
  for (const member of COUNTS) {
    if (json.has(member)) facts.usage = overlay(facts.usage, { [member]: json.get(member) });
  }
}

/** Titan's whole answers count each result by itself; its embeddings write nothing. */
function titanOutput(json: JsonView): number | undefined {
  if (!json.has('inputTextTokenCount')) return undefined;
  if (json.has('embedding')) return 0;
  const results = json.view('results')?.elements() ?? [];
  return sumCounts(...results.map((result) => result.get('tokenCount')));
}

function unwrap(json: JsonView): JsonView {
  const bytes = json.string('bytes');
  return bytes === undefined ? json : new JsonView(Buffer.from(bytes, 'base64').toString('utf8'));
}

/** Named `throttlingException` or, where the connection itself fails, like `InternalFailure`. */
function isException(event: StreamEvent): boolean {
  return /(?:Exception|Error|Failure)$/.test(event.name);
}

function readError(json: JsonView, facts: AnswerFacts): void {
  facts.error ??= bedrockErrorOf(json);
  if (facts.error !== undefined) readErrorLimits(json, facts);
}

function readErrorHeader(headers: HeaderLookup, facts: AnswerFacts): void {
  const type = headers('x-amzn-errortype');
  if (type !== undefined) facts.error = exceptionNamed(type);
}
