import type { AnswerFacts, Wire } from '../../src/types.ts';
import type { JsonView } from '../../src/util/json-view.ts';
import { readError } from '../shared/error-body.ts';
import { nonEmptyString, overlay } from '../shared/json-value.ts';
import { outputText } from '../shared/output-text.ts';
import { ollamaEmbedUsage, ollamaUsage } from './usage.ts';

const TEXT = {
  text: new Set(['content', 'thinking', 'response', 'name']),
  json: new Set(['arguments']),
};

/** The members that count; the answer has no usage object of its own. */
const COUNTS = ['prompt_eval_count', 'eval_count'];

/** `/api/chat` and `/api/generate`: JSON lines, the last with `"done": true`. */
export const ollamaChat: Wire = {
  name: 'ollama',
  marks: ['"done":true', '"done": true', '"error"'],
  answer: readAnswer,
  event(event, facts) {
    readAnswer(event.json, facts);
    if (event.json.get('done') === true) facts.complete = true;
  },
  usage: ollamaUsage,
  outputText: (json) =>
    outputText(
      {
        message: json.get('message'),
        response: json.get('response'),
        thinking: json.get('thinking'),
      },
      TEXT,
    ),
};

export const ollamaEmbed: Wire = {
  name: 'ollama.embed',
  marks: [],
  answer: readAnswer,
  event: (event, facts) => readAnswer(event.json, facts),
  usage: ollamaEmbedUsage,
  outputText: () => '',
};

function readAnswer(json: JsonView, facts: AnswerFacts): void {
  facts.model = nonEmptyString(json.get('model')) ?? facts.model;
  readError(json, facts);
  for (const member of COUNTS) {
    if (json.has(member)) facts.usage = overlay(facts.usage, { [member]: json.get(member) });
  }
}
