import type { AnswerFacts, Wire } from '../../src/types.ts';
import type { JsonView } from '../../src/util/json-view.ts';
import { chatWire } from '../openai/wire.ts';
import { errorNamed, readError } from '../shared/error-body.ts';
import { asObject, isObject, nonEmptyString, overlay } from '../shared/json-value.ts';
import { outputText } from '../shared/output-text.ts';
import { geminiErrorOutcomes } from './errors.ts';
import { compatibleUsage, embedUsage, generateContentUsage, interactionsUsage } from './usage.ts';

const TEXT = {
  text: new Set(['text', 'name', 'code']),
  json: new Set(['args', 'arguments']),
};

export const generateContent: Wire = {
  name: 'generateContent',
  // Every chunk brings usage, any chunk may be the last, and fields of earlier ones can be missing in later ones.
  marks: [],
  answer(json, facts) {
    // streamGenerateContent without alt=sse answers with one array of all chunks.
    const chunks = json.isObject ? [json] : json.elements();
    for (const chunk of chunks) readChunk(chunk, facts);
  },
  event(event, facts) {
    if (event.json.isObject) readChunk(event.json, facts);
  },
  usage: generateContentUsage,
  outputText(json) {
    const chunks = json.isObject ? [json] : json.elements();
    return chunks.map((chunk) => outputText(chunk.get('candidates'), TEXT)).join('');
  },
  errorOutcomes: geminiErrorOutcomes,
};

function readChunk(json: JsonView, facts: AnswerFacts): void {
  facts.model = nonEmptyString(json.get('modelVersion')) ?? facts.model;
  facts.requestId ??= nonEmptyString(json.get('responseId'));
  readError(json, facts);
  const usage = json.get('usageMetadata');
  if (isObject(usage)) {
    facts.usage = overlay(facts.usage, usage);
    facts.serviceTier = nonEmptyString(usage['serviceTier']) ?? facts.serviceTier;
  }
  if (isFinished(json)) facts.complete = true;
}

function isFinished(json: JsonView): boolean {
  const reasons = [
    json.view('promptFeedback')?.get('blockReason'),
    ...(json.view('candidates')?.elements() ?? []).map((each) => each.get('finishReason')),
  ];
  // Enums are names, or numbers above 0 where a client asks so.
  return reasons.some((reason) => nonEmptyString(reason) !== undefined || Number(reason) > 0);
}

/** Ends of an interaction's stream; the statuses that follow `interaction.` are those of the API, 2026-10. */
const INTERACTION_ENDS: ReadonlySet<string> = new Set([
  'interaction.complete',
  'interaction.completed',
  'interaction.incomplete',
  'interaction.failed',
  'interaction.cancelled',
]);

export const interactions: Wire = {
  name: 'interactions',
  marks: ['"interaction"', '"usage"', '"error"', '[DONE]'],
  answer: readInteraction,
  event(event, facts) {
    if (event.data === '[DONE]') facts.complete = true;
    const { json } = event;
    const type = json.string('event_type') ?? event.name;
    // A step reports the usage so far; the interaction's own, at its end, replaces it.
    const soFar = json.view('metadata')?.get('usage');
    if (isObject(soFar)) facts.usage = soFar;
    const interaction = json.view('interaction');
    if (interaction !== undefined) readInteraction(interaction, facts);
    else readError(json, facts);
    if (type === 'error') facts.error ??= errorNamed(undefined);
    if (INTERACTION_ENDS.has(type)) facts.complete = true;
  },
  usage: interactionsUsage,
  outputText: (json) => outputText(json.get('delta') ?? json.get('steps'), TEXT),
  errorOutcomes: geminiErrorOutcomes,
};

function readInteraction(json: JsonView, facts: AnswerFacts): void {
  facts.model = nonEmptyString(json.get('model')) ?? facts.model;
  facts.serviceTier = nonEmptyString(json.get('service_tier')) ?? facts.serviceTier;
  readError(json, facts);
  const usage = json.get('usage');
  if (isObject(usage)) facts.usage = usage;
}

export const compatibleChat: Wire = {
  ...chatWire('chat.completions', compatibleUsage),
  errorOutcomes: geminiErrorOutcomes,
};

/** embedContent, batchEmbedContents and Vertex `predict`. */
export const embed: Wire = {
  name: 'embedContent',
  marks: [],
  answer: readEmbeddings,
  event: (event, facts) => readEmbeddings(event.json, facts),
  usage: embedUsage,
  outputText: () => '',
  errorOutcomes: geminiErrorOutcomes,
};

function readEmbeddings(json: JsonView, facts: AnswerFacts): void {
  readError(json, facts);
  const usage = json.get('usageMetadata');
  if (isObject(usage)) facts.usage = usage;
  else if (json.has('predictions')) facts.usage = { predictions: countsOf(json) };
}

/** The counts of a `predict` answer without its vectors, which are far larger. */
function countsOf(json: JsonView): unknown[] {
  const predictions = json.view('predictions')?.elements() ?? [];
  return predictions.map((prediction) => ({
    embeddings: { statistics: asObject(prediction.view('embeddings')?.get('statistics')) },
  }));
}
