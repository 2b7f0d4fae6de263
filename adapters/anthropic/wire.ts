import type { AnswerFacts, Wire } from '../../src/types.ts';
import type { JsonView } from '../../src/util/json-view.ts';
import { errorNamed, readError } from '../shared/error-body.ts';
import { asObject, isObject, nonEmptyString, overlay } from '../shared/json-value.ts';
import { outputText } from '../shared/output-text.ts';
import { anthropicErrorOutcomes } from './errors.ts';
import { messagesUsage } from './usage.ts';

const TEXT = {
  text: new Set(['text', 'thinking', 'partial_json', 'name']),
  json: new Set(['input']),
};

/** The Messages format, also as Bedrock and Vertex pass it on. */
export const messages: Wire = {
  name: 'messages',
  marks: ['message_start', 'message_delta', 'message_stop', '"error"'],
  answer(json, facts) {
    readMessage(json, facts);
    readError(json, facts);
    if (facts.error !== undefined) facts.requestId ??= nonEmptyString(json.get('request_id'));
  },
  event(event, facts) {
    const { json } = event;
    switch (json.string('type') ?? event.name) {
      case 'message_start': {
        const message = json.view('message');
        if (message !== undefined) readMessage(message, facts);
        break;
      }
      case 'message_delta': {
        // Cumulative, but without the split of cache writes by lifetime, and with nulls for what did not change.
        const usage = json.get('usage');
        if (isObject(usage)) facts.usage = overlay(facts.usage, usage);
        if (nonEmptyString(asObject(json.get('delta'))['stop_reason']) !== undefined) {
          facts.complete = true;
        }
        break;
      }
      case 'message_stop':
        facts.complete = true;
        break;
      case 'error':
        readError(json, facts);
        facts.error ??= errorNamed(undefined);
        facts.requestId ??= nonEmptyString(json.get('request_id'));
        break;
      default:
        break;
    }
  },
  usage: messagesUsage,
  outputText(json) {
    const type = json.string('type');
    if (type === 'content_block_delta') return outputText(json.get('delta'), TEXT);
    if (type === 'content_block_start') return json.view('content_block')?.string('name') ?? '';
    return outputText(json.get('content'), TEXT);
  },
  errorOutcomes: anthropicErrorOutcomes,
};

function readMessage(json: JsonView, facts: AnswerFacts): void {
  facts.model = nonEmptyString(json.get('model')) ?? facts.model;
  const usage = json.get('usage');
  if (!isObject(usage)) return;
  facts.usage = usage;
  facts.serviceTier = nonEmptyString(usage['service_tier']) ?? facts.serviceTier;
}
