import type { Api } from '../../../types.ts';
import { chat } from './chat.ts';
import type { Dialect } from './dialect.ts';
import { generateContent } from './generate-content.ts';
import { messages } from './messages.ts';
import { responses } from './responses.ts';

const DIALECTS: ReadonlyMap<Api, Dialect> = new Map(
  [chat, responses, messages, generateContent].map((dialect) => [dialect.api, dialect]),
);

/** The dialect of an endpoint; `undefined` where its bodies are not read. */
export function dialectOf(api: Api): Dialect | undefined {
  return DIALECTS.get(api);
}
