/** What three APIs answer, streamed or whole, as one sequence of pieces for the screen. */
import type Anthropic from '@anthropic-ai/sdk';
import type OpenAI from 'openai';

/** A bit of text, the name of a tool that is called, or a bit of its arguments. */
export interface Piece {
  readonly kind: 'text' | 'tool' | 'arguments';
  readonly text: string;
}

export interface CallOptions {
  readonly signal: AbortSignal;
  readonly query?: Record<string, string>;
}

type Answer = AsyncGenerator<Piece, void, undefined>;

export async function* chatAnswer(
  client: OpenAI,
  request: OpenAI.ChatCompletionCreateParams,
  options: CallOptions,
): Answer {
  const answer = await client.chat.completions.create(request, options);
  if ('choices' in answer) {
    const message = answer.choices[0]?.message;
    if (message?.content) yield { kind: 'text', text: message.content };
    for (const call of message?.tool_calls ?? []) {
      if (call.type !== 'function') continue;
      yield { kind: 'tool', text: call.function.name };
      yield { kind: 'arguments', text: call.function.arguments };
    }
    return;
  }
  for await (const chunk of answer) {
    const delta = chunk.choices[0]?.delta;
    if (delta?.content) yield { kind: 'text', text: delta.content };
    for (const call of delta?.tool_calls ?? []) {
      if (call.function?.name) yield { kind: 'tool', text: call.function.name };
      if (call.function?.arguments) yield { kind: 'arguments', text: call.function.arguments };
    }
  }
}

export async function* responsesAnswer(
  client: OpenAI,
  request: OpenAI.Responses.ResponseCreateParams,
  options: CallOptions,
): Answer {
  const answer = await client.responses.create(request, options);
  if ('output_text' in answer) {
    yield { kind: 'text', text: answer.output_text };
    return;
  }
  for await (const event of answer) {
    if (event.type === 'response.output_text.delta') yield { kind: 'text', text: event.delta };
  }
}

export async function* messagesAnswer(
  client: Anthropic,
  request: Anthropic.MessageCreateParams,
  options: CallOptions,
): Answer {
  const answer = await client.messages.create(request, options);
  if ('content' in answer) {
    for (const block of answer.content) {
      if (block.type === 'text') yield { kind: 'text', text: block.text };
      if (block.type !== 'tool_use') continue;
      yield { kind: 'tool', text: block.name };
      yield { kind: 'arguments', text: JSON.stringify(block.input) };
    }
    return;
  }
  for await (const event of answer) {
    if (event.type === 'content_block_start' && event.content_block.type === 'tool_use') {
      yield { kind: 'tool', text: event.content_block.name };
    }
    if (event.type !== 'content_block_delta') continue;
    if (event.delta.type === 'text_delta') yield { kind: 'text', text: event.delta.text };
    if (event.delta.type === 'input_json_delta') {
      yield { kind: 'arguments', text: event.delta.partial_json };
    }
  }
}
