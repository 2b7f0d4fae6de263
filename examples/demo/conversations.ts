/** Which recorded conversations the demo holds, and the provider that plays the other side of them. */
import { readFixtures, replayFetch } from 'tokenrouter/testing';
import type { Fixture, ReplayFetch } from 'tokenrouter/testing';

export interface Conversation {
  readonly title: string;
  /** Which SDK holds it, with which of its calls. */
  readonly api: 'chat.completions' | 'responses' | 'messages';
  /** Written out, so that an OPENAI_BASE_URL in the environment does not lead elsewhere. */
  readonly baseURL: string;
  readonly turns: readonly Fixture[];
}

/** Recordings by id, from test/fixtures. Where one begins late, the recording has the turns before it in its history. */
const PROGRAMME = [
  {
    title: 'OpenAI: a tool call, whole answers',
    api: 'chat.completions',
    baseURL: 'https://api.openai.com/v1',
    ids: ['a75190b169ba8958', 'f849ba74679d6535'],
  },
  {
    title: 'OpenAI: the end of a tool call, streamed',
    api: 'chat.completions',
    baseURL: 'https://api.openai.com/v1',
    ids: ['09d31bfb1b32fc74'],
  },
  {
    title: 'OpenAI: Responses API, streamed, most of the prompt from the cache',
    api: 'responses',
    baseURL: 'https://api.openai.com/v1',
    ids: ['d6493ffaee2452ab'],
  },
  {
    title: 'Groq through the OpenAI client: tools, streamed',
    api: 'chat.completions',
    baseURL: 'https://api.groq.com/openai/v1',
    ids: ['b80aeac7a80cf9e4', '3b91daa7d5ad94c8', '8589ae4294551dd6'],
  },
  {
    title: 'Mistral through the OpenAI client: tools and text, streamed',
    api: 'chat.completions',
    baseURL: 'https://api.mistral.ai/v1',
    ids: ['48b409a9ea57a09a', '7e6c092b239e797f', 'b96a4d20be94ed8d'],
  },
  {
    title: 'xAI through the OpenAI client: a reasoning model, streamed',
    api: 'chat.completions',
    baseURL: 'https://api.x.ai/v1',
    ids: ['8609aec7035d18a2'],
  },
  {
    title: 'Anthropic: the memory tool, whole answers',
    api: 'messages',
    baseURL: 'https://api.anthropic.com',
    ids: ['99df6b24af8ddaae', '40d7fc8c86fe05f9'],
  },
  {
    title: 'Anthropic: an agent with a cached prompt, streamed',
    api: 'messages',
    baseURL: 'https://api.anthropic.com',
    ids: ['895ec2a3ff88c74c', 'a29a9c2801b2aff4'],
  },
] as const;

const recordings = new URL('../../test/fixtures/interactions/', import.meta.url);

/** Reads the recordings. Throws when they are not there. */
export function readConversations(): Conversation[] {
  const files = ['openai', 'groq', 'mistral', 'xai', 'anthropic'];
  const fixtures = readFixtures(files.map((name) => new URL(`${name}.jsonl`, recordings)));
  const byId = new Map(fixtures.map((fixture) => [fixture.id, fixture]));
  return PROGRAMME.map(({ ids, ...conversation }) => ({
    ...conversation,
    turns: ids.map((id) => {
      const fixture = byId.get(id);
      if (fixture === undefined) throw new Error(`the recording ${id} is missing`);
      return fixture;
    }),
  }));
}

/** A provider in this process: it answers the recorded requests with the recorded bytes, and only those. */
export function embeddedProvider(
  conversations: readonly Conversation[],
  { paced }: { paced: boolean },
): ReplayFetch {
  const fixtures = conversations.flatMap(({ turns }) => turns);
  if (!paced) return replayFetch(fixtures, { chunks: 'event' });
  return replayFetch(fixtures.map(withPace), { timing: 'recorded' });
}

const HEADERS_MS = 120;
const EVENT_MS = 30;

/** The recordings do not say when bytes came, so the demo says it: event after event, slow enough to watch. */
function withPace(fixture: Fixture): Fixture {
  const { response } = fixture;
  if (response === null || response.body_encoding !== undefined) return fixture;
  const chunks = response.body.split(/(?<=\n\n)/).map((event) => Buffer.byteLength(event));
  const timesMs = chunks.map((_, i) => HEADERS_MS + (i + 1) * EVENT_MS);
  return { ...fixture, response: { ...response, headersMs: HEADERS_MS, chunks, timesMs } };
}
