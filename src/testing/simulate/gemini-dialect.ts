import { piecesOf } from './answer.ts';
import { idOf } from './reply.ts';
import type { Dialect, JsonObject, Refusal, Reply, SimulatedEndpoint } from './reply.ts';

const JSON_TYPE = 'application/json; charset=UTF-8';

/** `generateContent` and `streamGenerateContent`: shapes as recorded in 2026. */
export const geminiDialect: Dialect = {
  endpoint({ pathname, searchParams }) {
    const [, model, method] = METHOD.exec(pathname) ?? [];
    if (model === undefined) return undefined;
    const isStream = method === 'streamGenerateContent';
    return generateContent(decoded(model), isStream, searchParams.get('alt') === 'sse');
  },
  error: ({ status, message }) => ({
    error: { code: status, message, status: status === 404 ? 'NOT_FOUND' : 'INVALID_ARGUMENT' },
  }),
  // No id in headers: an answer carries its own in `responseId`.
  headers: () => ({ 'x-gemini-service-tier': 'standard' }),
  jsonType: JSON_TYPE,
  requestId: (number) => idOf('', number),
};

const METHOD = /\/models\/([^/:]+):(generateContent|streamGenerateContent)$/;

/** As it stands when it is not properly percent-encoded. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function generateContent(model: string, isStream: boolean, isSse: boolean): SimulatedEndpoint {
  return {
    model,
    streamType: isSse ? 'text/event-stream' : JSON_TYPE,
    isStream: () => isStream,
    check: checkContents,
    whole: (reply) => answer(reply, parts(reply), true),
    chunks(reply) {
      const all = streamed(reply);
      const texts = all.map((each, index) =>
        JSON.stringify(answer(reply, each, index === all.length - 1)),
      );
      if (isSse) return texts.map((text) => `data: ${text}\r\n\r\n`);
      // Without `alt=sse` a stream is one JSON array that grows.
      return texts.map(
        (text, index) =>
          `${index === 0 ? '[' : ',\r\n'}${text}${index === texts.length - 1 ? ']' : ''}`,
      );
    },
  };
}

function checkContents(body: JsonObject): Refusal | undefined {
  const contents = body['contents'];
  if (Array.isArray(contents) && contents.length > 0) return undefined;
  return {
    status: 400,
    message: '* GenerateContentRequest.contents: contents is not specified\n',
  };
}

function parts(reply: Reply): readonly JsonObject[] {
  const { text } = reply.answer;
  return [...(text === '' ? [] : [{ text }]), ...callParts(reply)];
}

function callParts({ answer: { toolCalls } }: Reply): readonly JsonObject[] {
  return toolCalls.map(({ name, value }) => ({ functionCall: { name, args: value } }));
}

/** What each chunk brings: a piece of the text, then all calls at once. There is at least one chunk. */
function streamed(reply: Reply): ReadonlyArray<readonly JsonObject[]> {
  const calls = callParts(reply);
  const pieces = piecesOf(reply.answer.text).map((text) => [{ text }]);
  return calls.length > 0 || pieces.length === 0 ? [...pieces, calls] : pieces;
}

function answer(reply: Reply, content: readonly JsonObject[], isLast: boolean): JsonObject {
  return {
    candidates: [
      {
        content: { parts: content, role: 'model' },
        ...(isLast && { finishReason: 'STOP' }),
        index: 0,
      },
    ],
    usageMetadata: usage(reply, isLast),
    modelVersion: reply.model,
    responseId: idOf('', reply.number),
  };
}

/** Every chunk tells the prompt; only the last one the whole output. Zeros are left out, as protocol buffers do. */
function usage({ usage: { inputTokens, outputTokens } }: Reply, isLast: boolean): JsonObject {
  const { total: input = 0, cacheRead = 0 } = inputTokens;
  const output = isLast ? (outputTokens.total ?? 0) : 0;
  return {
    promptTokenCount: input,
    ...(cacheRead > 0 && {
      cachedContentTokenCount: cacheRead,
      cacheTokensDetails: [{ modality: 'TEXT', tokenCount: cacheRead }],
    }),
    ...(output > 0 && { candidatesTokenCount: output }),
    totalTokenCount: input + output,
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: input }],
    serviceTier: 'standard',
  };
}
