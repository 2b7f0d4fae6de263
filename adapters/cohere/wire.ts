import type { AnswerFacts, Wire } from '../../src/types.ts';
import type { JsonView } from '../../src/util/json-view.ts';
import { errorNamed, hasText, readError } from '../shared/error-body.ts';
import { readErrorLimits } from '../shared/error-limits.ts';
import { isObject } from '../shared/json-value.ts';
import { outputText } from '../shared/output-text.ts';
import { cohereEmbedUsage, cohereUsage } from './usage.ts';

const TEXT = {
  text: new Set(['text', 'thinking', 'arguments', 'name', 'tool_plan']),
  json: new Set(['parameters']),
};

/** Chat of both versions: version 2 streams SSE, version 1 JSON lines. */
export const cohereChat: Wire = {
  name: 'cohere.chat',
  marks: ['message-end', 'stream-end', '"error"', '[DONE]'],
  answer: readAnswer,
  event(event, facts) {
    const { json } = event;
    const type = json.string('type') ?? json.string('event_type') ?? event.name;
    if (event.data === '[DONE]') facts.complete = true;
    else if (type === 'message-end') {
      const delta = json.view('delta');
      facts.complete = true;
      if (delta !== undefined) readAnswer(delta, facts);
      if (delta?.string('finish_reason') === 'ERROR') facts.error ??= errorNamed('ERROR');
    } else if (type === 'stream-end') {
      const response = json.view('response');
      facts.complete = true;
      if (response !== undefined) readAnswer(response, facts);
      if (json.string('finish_reason') === 'ERROR') facts.error ??= errorNamed('ERROR');
    } else readError(json, facts);
  },
  usage: cohereUsage,
  outputText(json) {
    const type = json.string('type') ?? json.string('event_type');
    if (type === 'stream-end') return '';
    return outputText(
      { text: json.get('text'), message: json.get('message'), delta: json.get('delta') },
      TEXT,
    );
  },
};

export const cohereEmbed: Wire = {
  name: 'cohere.embed',
  marks: [],
  answer: readAnswer,
  event: (event, facts) => readAnswer(event.json, facts),
  usage: cohereEmbedUsage,
  outputText: () => '',
};

function readAnswer(json: JsonView, facts: AnswerFacts): void {
  const usage = json.get('usage') ?? json.get('meta'); // the latter: version 1 and embeddings
  if (isObject(usage)) facts.usage = usage;
  readError(json, facts);
  // An error is `{message: "…"}`, while an answer's message is an object.
  if (facts.error === undefined && hasText(json, 'message')) {
    facts.error = errorNamed(undefined);
    readErrorLimits(json, facts);
  }
}
