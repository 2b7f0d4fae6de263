import type { AnswerFacts, StreamEvent, TokenUsage, Wire } from '../../src/types.ts';
import type { JsonView } from '../../src/util/json-view.ts';
import { errorNamed, readError } from '../shared/error-body.ts';
import { isObject, nonEmptyString } from '../shared/json-value.ts';
import { outputText } from '../shared/output-text.ts';
import { openaiErrorOutcomes } from './errors.ts';
import { chatUsage, embeddingsUsage, responsesUsage } from './usage.ts';

const CHAT_TEXT = {
  text: new Set([
    'content',
    'text',
    'reasoning',
    'reasoning_content',
    'refusal',
    'arguments',
    'name',
  ]),
};

/** Chat completions and legacy completions. `usage` differs between providers of the format. */
export function chatWire(name: string, usage: (raw: unknown) => TokenUsage): Wire {
  return {
    name,
    // Every usage object has prompt_tokens; "usage": null in each chunk is none of these.
    marks: ['"prompt_tokens"', '"error"', '[DONE]'],
    // Not every server sends [DONE].
    endMarks: ['finish_reason":"', 'finish_reason": "'],
    answer: readChat,
    event(event, facts) {
      if (event.data === '[DONE]') facts.complete = true;
      else {
        readChat(event.json, facts);
        if (event.name === 'error') facts.error ??= errorNamed(undefined);
        if (isFinished(event.json)) facts.complete = true;
      }
    },
    usage,
    outputText: (json) => outputText(json.get('choices'), CHAT_TEXT),
    errorOutcomes: openaiErrorOutcomes,
  };
}

function isFinished(json: JsonView): boolean {
  const choices = json.view('choices')?.elements() ?? [];
  return choices.some((choice) => nonEmptyString(choice.get('finish_reason')) !== undefined);
}

function readChat(json: JsonView, facts: AnswerFacts): void {
  readHead(json, facts);
  const usage = chatUsageObject(json);
  if (usage !== undefined) facts.usage = usage;
}

/** Groq also puts usage into `x_groq`, Moonshot into the choice. */
function chatUsageObject(json: JsonView): unknown {
  const usage = json.get('usage');
  if (isObject(usage)) return usage;
  const groq = json.view('x_groq')?.get('usage');
  if (isObject(groq)) return groq;
  const ofChoice = json.view('choices')?.elements()[0]?.get('usage');
  return isObject(ofChoice) ? ofChoice : undefined;
}

/** What answers and events of every OpenAI format say of themselves at the top level. */
function readHead(json: JsonView, facts: AnswerFacts): void {
  facts.model = nonEmptyString(json.get('model')) ?? facts.model;
  facts.serviceTier = nonEmptyString(json.get('service_tier')) ?? facts.serviceTier;
  facts.requestId ??= nonEmptyString(json.view('x_groq')?.get('id'));
  readError(json, facts);
}

export const chatCompletions: Wire = chatWire('chat.completions', chatUsage);

const RESPONSE_ENDS: ReadonlySet<string> = new Set([
  'response.completed',
  'response.incomplete',
  'response.failed',
]);

const RESPONSES_TEXT = {
  text: new Set(['text', 'refusal', 'arguments', 'name', 'input', 'code', 'delta']),
};

export const responses: Wire = {
  name: 'responses',
  // "error" also stands, as null, in the first event, which names the model.
  marks: ['response.completed', 'response.incomplete', 'response.failed', '"error"'],
  answer: readResponse,
  event(event, facts) {
    const type = event.json.string('type') ?? event.name;
    const response = event.json.view('response');
    if (response !== undefined) readResponse(response, facts);
    else readError(event.json, facts);
    // The event itself is the error, where it does not hold it in the shape of an error body.
    if (type === 'error') facts.error ??= errorNamed(undefined, event.json.get('code'));
    if (RESPONSE_ENDS.has(type)) facts.complete = true;
  },
  usage: responsesUsage,
  outputText(json) {
    const type = json.string('type');
    // Of an event only the increments count: `done` events and the final response say everything again.
    if (type !== undefined) return type.endsWith('.delta') ? (json.string('delta') ?? '') : '';
    return outputText(json.get('output'), RESPONSES_TEXT);
  },
  errorOutcomes: openaiErrorOutcomes,
};

function readResponse(json: JsonView, facts: AnswerFacts): void {
  readHead(json, facts);
  const usage = json.get('usage');
  if (isObject(usage)) facts.usage = usage;
  const searches = json.view('tool_usage')?.view('web_search')?.get('num_requests');
  if (typeof searches === 'number' && searches > 0) facts.hasOtherCharges = true;
  const status = json.get('status');
  if (status === 'queued' || status === 'in_progress') facts.usageOf = 'later';
  else if (facts.usageOf === 'later') facts.usageOf = undefined;
}

/**
 * Stored responses and batches, read again. A background response tells its usage only here; every other one told it when
 * it was made, and a batch's sum is that of calls of its own.
 */
export const stored: Wire = {
  ...responses,
  name: 'stored',
  answer(json, facts) {
    readResponse(json, facts);
    markStored(json, facts);
  },
  event(event, facts) {
    responses.event(event, facts);
    const response = event.json.view('response');
    if (response !== undefined) markStored(response, facts);
  },
};

function markStored(json: JsonView, facts: AnswerFacts): void {
  if (json.get('background') !== true) facts.usageOf = 'earlier';
}

export const embeddings: Wire = {
  name: 'embeddings',
  marks: [],
  answer: readResponse,
  event: (event, facts) => readResponse(event.json, facts),
  usage: embeddingsUsage,
  outputText: () => '',
  errorOutcomes: openaiErrorOutcomes,
};

/** Images and transcriptions: usage in the terms of the Responses format, where tokens are billed at all. */
export const media: Wire = {
  name: 'media',
  marks: ['"usage"', '"error"'],
  answer: readResponse,
  event(event: StreamEvent, facts: AnswerFacts) {
    readResponse(event.json, facts);
    const type = event.json.string('type') ?? '';
    if (type.endsWith('.completed') || type.endsWith('.done')) facts.complete = true;
  },
  usage: responsesUsage,
  outputText: (json) => json.string('text') ?? json.string('delta') ?? '',
  errorOutcomes: openaiErrorOutcomes,
};
