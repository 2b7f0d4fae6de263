import type { Api } from '../../types.ts';
import type { PromptApi } from '../types.ts';
import type { Body } from './body.ts';
import { buildPrompt, type Arrangement, type BodyPrompt } from './body-prompt.ts';
import { createConversations, type Found } from './conversations.ts';
import { dialectOf } from './dialects/index.ts';
import { readBody } from './read-body.ts';

/** A body on its way to be a prompt. Stages write `arrangement`; `build` makes the prompt of it. */
export interface Draft {
  readonly body: Body;
  arrangement: Arrangement;
  /** The conversation that it goes on with. */
  readonly found: Found | undefined;
  /** Set by `build`. */
  prompt: BodyPrompt | undefined;
  /** The prompt whose first `sameMessages` messages are the first of this one. */
  known: { readonly prompt: BodyPrompt; readonly count: number } | undefined;
}

export interface PromptReader {
  /** Takes a body apart; `undefined` where its format is not known or it is not JSON. */
  read(source: string, api: Api | PromptApi): Draft | undefined;
  /** Makes the prompt, and remembers it for the next turn of its conversation. */
  build(draft: Draft): BodyPrompt;
  clear(): void;
  /** Memory of what is remembered. */
  readonly bytes: number;
}

export interface PromptReaderOptions {
  /** Bound of what is remembered of conversations. Default 64 MiB. */
  readonly maxBytes?: number | undefined;
  /** Whether prompts are canonical; else bodies stay as they came but for what is arranged. Default: true. */
  readonly canonical?: boolean | undefined;
}

/** Reads bodies; the next turn of a known conversation costs only what is new in it. */
export function createPromptReader({
  maxBytes = 64 * 1024 * 1024,
  canonical = true,
}: PromptReaderOptions = {}): PromptReader {
  const conversations = createConversations(maxBytes);

  return {
    read(source, api) {
      const dialect = dialectOf(api);
      if (dialect === undefined) return undefined;
      const found = conversations.find(source, dialect);
      const body = readBody(source, dialect, found, canonical);
      if (body === undefined) return undefined;
      return {
        body,
        arrangement: { tools: body.tools, messages: body.messages },
        found,
        prompt: undefined,
        known: undefined,
      };
    },
    build(draft) {
      const { body, arrangement, found } = draft;
      const count = found === undefined ? 0 : sameMessages(arrangement, found);
      draft.known = found && { prompt: found.prompt, count };
      draft.prompt = buildPrompt(body, arrangement, draft.known);
      conversations.remember(body, draft.prompt, found);
      return draft.prompt;
    },
    clear() {
      conversations.clear();
    },
    get bytes() {
      return conversations.bytes;
    },
  };
}

/** How many messages at the front are those of the prompt that was found. */
function sameMessages({ messages }: Arrangement, { prompt }: Found): number {
  const { elements } = prompt.layout;
  let count = 0;
  while (count < messages.length && messages[count] === elements[count]) count++;
  return count;
}
