import type { Api } from '../../../types.ts';
import type { PromptApi } from '../../types.ts';
import { chat } from './chat.ts';
import { converse } from './converse.ts';
import type { Dialect } from './dialect.ts';
import { generateContent } from './generate-content.ts';
import { messages } from './messages.ts';
import { responses } from './responses.ts';

const DIALECTS: ReadonlyMap<Api | PromptApi, Dialect> = new Map(
  [chat, responses, messages, generateContent, converse].map((dialect) => [dialect.api, dialect]),
);

/** The dialect of an endpoint; `undefined` where its bodies are not read. */
export function dialectOf(api: Api | PromptApi): Dialect | undefined {
  return DIALECTS.get(api);
}
