import { GoogleGenAI } from '@google/genai';
import { eventsOf, headerFacts, outcomeOf, type Fetch } from './parity.ts';
import { recordedCalls, type RecordedCall } from './recorded-calls.ts';

export const googleCalls: readonly RecordedCall[] = recordedCalls(
  ({ provider, api }) => provider === 'google' && api === 'generateContent',
  /\/v1(?:beta)?\/models\/[^/]+:(?:stream)?[gG]enerateContent$/,
);

/** Chunks or the whole answer as the SDK parses them. */
export function parsed({ baseURL, path, recording }: RecordedCall, fetch: Fetch): Promise<unknown> {
  // The package's way to another transport: httpOptions.fetch, since 3.1.
  const client = new GoogleGenAI({ apiKey: 'test', httpOptions: { fetch, baseUrl: baseURL } });
  const model = decodeURIComponent(/models\/([^:]+):/.exec(path)?.[1] ?? '');
  const request = { model, contents: 'Hi' };
  return outcomeOf(async () => {
    if (!recording.stream) return answerFacts(await client.models.generateContent(request));
    const { events, error } = await eventsOf(await client.models.generateContentStream(request));
    return { chunks: events.map(answerFacts), error };
  });
}

/** Plain data, with the package's own class beside it and the router's headers left out. */
export function answerFacts(answer: {
  sdkHttpResponse?: { headers?: Record<string, string> };
}): unknown {
  const { headers } = answer.sdkHttpResponse ?? {};
  return { class: answer.constructor, ...answer, sdkHttpResponse: headers && headerFacts(headers) };
}
