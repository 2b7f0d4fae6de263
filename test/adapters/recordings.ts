/**
 * Reads recorded exchanges and plays their answers through an adapter the way the router does, but from whole
 * bodies: framing is split by an independent parser (eventsource-parser for SSE).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { createParser } from 'eventsource-parser';
import { builtInAdapters } from '../../adapters/index.ts';
import type {
  AnswerFacts,
  Endpoint,
  ProviderAdapter,
  StreamEvent,
  TokenUsage,
  Wire,
} from '../../src/types.ts';
import { JsonView } from '../../src/util/json-view.ts';
import { fullFixturesDir } from '../helpers/full-fixtures.ts';

export interface Recording {
  id: string;
  provider: string;
  api: string;
  stream: boolean;
  request: { method: string; url: string; headers: Record<string, string>; body: string } | null;
  response: {
    status: number;
    headers: Record<string, string>;
    body: string | null;
    body_encoding?: 'base64';
  };
}

export interface Expected {
  id: string;
  usage: Record<
    'input_total' | 'cached_read' | 'cache_write' | 'cache_write_1h' | 'output' | 'reasoning',
    number | null
  > | null;
  ambiguous: string[];
  model: string | null;
  error: { type: string | number | null; code: string | number | null } | null;
  stream_complete: 'done' | 'truncated' | 'finish-no-DONE' | null;
  status: number;
}

/** The repository's own selection of recordings, and the whole collection where it is at hand. */
export const recordingFolders: ReadonlyArray<{ name: string; folder: URL | undefined }> = [
  { name: 'selected fixtures', folder: new URL('../fixtures/', import.meta.url) },
  { name: 'full fixtures', folder: folderUrl(fullFixturesDir()) },
];

export function folderUrl(folder: string | undefined): URL | undefined {
  return folder === undefined ? undefined : pathToFileURL(`${folder}/`);
}

export function readLines<T>(file: URL): T[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

export function recordingsIn(folder: URL): Recording[] {
  const interactions = new URL('interactions/', folder);
  return readdirSync(interactions)
    .filter((name) => name.endsWith('.jsonl'))
    .toSorted()
    .flatMap((name) => readLines<Recording>(new URL(name, interactions)));
}

/** Where the reference reading is known to miss what the answer says; our reading is checked against the body. */
export const REFERENCE_MISSES: Record<string, string> = {
  b3352279b1060f4e:
    'Titan reports its 100 output tokens in the last chunk, the reference reads the first only',
};

/** Where recordings were kept without their request: the URL such a request goes to. */
const URLS: Record<string, string> = {
  'alibaba chat.completions': 'https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions',
  'anthropic messages': 'https://api.anthropic.com/v1/messages',
  'azure chat.completions': 'https://x.openai.azure.com/openai/v1/chat/completions',
  'azure responses': 'https://x.openai.azure.com/openai/v1/responses',
  'bedrock converse': 'https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse',
  'cohere cohere.chat': 'https://api.cohere.com/v2/chat',
  'cohere embeddings': 'https://api.cohere.com/v2/embed',
  'deepseek chat.completions': 'https://api.deepseek.com/chat/completions',
  'google embeddings':
    'https://generativelanguage.googleapis.com/v1beta/models/m:batchEmbedContents',
  'google generateContent':
    'https://generativelanguage.googleapis.com/v1beta/models/m:generateContent',
  'google interactions': 'https://generativelanguage.googleapis.com/v1beta/interactions',
  'groq chat.completions': 'https://api.groq.com/openai/v1/chat/completions',
  'lmstudio responses': 'http://localhost:1234/v1/responses',
  'mistral chat.completions': 'https://api.mistral.ai/v1/chat/completions',
  'moonshot chat.completions': 'https://api.moonshot.ai/v1/chat/completions',
  'ollama ollama.chat': 'http://localhost:11434/api/chat',
  'openai chat.completions': 'https://api.openai.com/v1/chat/completions',
  'openai completions': 'https://api.openai.com/v1/completions',
  'openai responses': 'https://api.openai.com/v1/responses',
  'openai-compatible chat.completions': 'http://localhost:9999/v1/chat/completions',
  'openrouter chat.completions': 'https://openrouter.ai/api/v1/chat/completions',
  'openrouter embeddings': 'https://openrouter.ai/api/v1/embeddings',
  'perplexity chat.completions': 'https://api.perplexity.ai/chat/completions',
  'voyage embeddings': 'https://api.voyageai.com/v1/embeddings',
  'xai chat.completions': 'https://api.x.ai/v1/chat/completions',
  'xai responses': 'https://api.x.ai/v1/responses',
  'zai chat.completions': 'https://api.z.ai/api/paas/v4/chat/completions',
};

export function urlOf(recording: Recording): string {
  // Replaced parts of recorded URLs are no host names.
  return (
    recording.request?.url.replace('https://RESOURCE.', 'https://resource.') ??
    URLS[`${recording.provider} ${recording.api}`] ??
    `https://unknown.invalid/${recording.provider}/${recording.api}`
  );
}

export function matchUrl(
  url: string,
  adapters: readonly ProviderAdapter[] = builtInAdapters,
): Endpoint | undefined {
  for (const adapter of adapters) {
    const endpoint = adapter.match(new URL(url));
    if (endpoint !== undefined) return endpoint;
  }
  return undefined;
}

export interface Read {
  facts: AnswerFacts;
  usage: TokenUsage | undefined;
}

/** What a wire learns from a recorded answer. `marks: false` hands it every event, as if its marks were empty. */
export function readAnswer(wire: Wire, recording: Recording, options = { marks: true }): Read {
  const facts: AnswerFacts = {};
  const { headers, body } = recording.response;
  wire.headers?.((name) => headers[name.toLowerCase()], facts);
  const bytes = Buffer.from(body ?? '', recording.response.body_encoding ?? 'utf8');
  const events = eventsIn(bytes, recording);
  if (events === undefined) wire.answer(JsonView.ofBytes(bytes), facts);
  else {
    for (const [index, event] of events.entries()) {
      const text = event.data;
      const isMarked =
        index === 0 ||
        wire.marks.length === 0 ||
        [...wire.marks, ...(wire.endMarks ?? [])].some((mark) => text.includes(mark));
      const isException = event.name.endsWith('Exception');
      if (isMarked || isException || !options.marks) wire.event(event, facts);
    }
  }
  return { facts, usage: facts.usage === undefined ? undefined : wire.usage(facts.usage) };
}

/** The events of a streamed answer, `undefined` when it is one JSON document. */
function eventsIn(bytes: Buffer, recording: Recording): StreamEvent[] | undefined {
  const type = recording.response.headers['content-type'] ?? '';
  if (type.includes('amazon.eventstream') || (bytes[0] === 0 && bytes.length > 16)) {
    return awsEvents(bytes);
  }
  const text = bytes.toString('utf8');
  if (/^\s*[[{]/.test(text)) {
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    const isLines = lines.length > 1 && lines.every((line) => new JsonView(line).isObject);
    return isLines ? lines.map((line) => eventOf('', line)) : undefined;
  }
  return sseEvents(text);
}

function sseEvents(text: string): StreamEvent[] {
  const events: StreamEvent[] = [];
  const parser = createParser({
    onEvent: (event) => events.push(eventOf(event.event ?? '', event.data)),
  });
  parser.feed(text);
  parser.feed('\n\n'); // the last event may lack its blank line
  return events;
}

function eventOf(name: string, data: string): StreamEvent {
  return { name, data, json: new JsonView(data) };
}

/** Frames of an AWS event stream: total and header length, a checksum, headers, payload, a checksum. */
function awsEvents(bytes: Buffer): StreamEvent[] {
  const events: StreamEvent[] = [];
  let at = 0;
  while (at + 16 <= bytes.length) {
    const length = bytes.readUInt32BE(at);
    const headersEnd = at + 12 + bytes.readUInt32BE(at + 4);
    const headers = bytes.subarray(at + 12, headersEnd);
    const payload = bytes.toString('utf8', headersEnd, at + length - 4);
    const name = awsHeader(headers, ':event-type') ?? awsHeader(headers, ':exception-type') ?? '';
    events.push(eventOf(name, payload));
    at += length;
  }
  return events;
}

/** A header's value: its name, the type of a string (7), two bytes of length, the text. */
function awsHeader(headers: Buffer, name: string): string | undefined {
  const at = headers.indexOf(name);
  if (at < 0) return undefined;
  const start = at + name.length + 3;
  return headers.toString('utf8', start, start + headers.readUInt16BE(start - 2));
}
