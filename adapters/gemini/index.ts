import type { RateLimiting } from '../../src/limits/types.ts';
import type { PromptCaching } from '../../src/prompt-cache/types.ts';
import type { Api, Endpoint, ProviderAdapter, Wire } from '../../src/types.ts';
import { anthropicCaching } from '../anthropic/cache.ts';
import { anthropicLimits } from '../anthropic/rate-limits.ts';
import { messages } from '../anthropic/wire.ts';
import { openaiEndpoint } from '../openai/index.ts';
import { chatCompletions } from '../openai/wire.ts';
import {
  baseUrlMatcher,
  decodeSegment,
  isHost,
  pathOf,
  type AdapterOptions,
} from '../shared/base-url.ts';
import { geminiCaching } from './cache.ts';
import { geminiLimits } from './rate-limits.ts';
import { compatibleChat, embed, generateContent, interactions } from './wire.ts';

type Meaning = Pick<Endpoint, 'model' | 'stream'> & { readonly api: Api; readonly wire: Wire };

const GEMINI_HOSTS = ['generativelanguage.googleapis.com'];

/** `aiplatform.googleapis.com`, `us-east5-aiplatform.googleapis.com`, `aiplatform.eu.rep.googleapis.com`. */
const VERTEX_HOST = /^([a-z0-9-]+-)?aiplatform(\.[a-z0-9-]+\.rep)?\.googleapis\.com$/;

/** `…/models/gemini-4:generateContent`, `…/publishers/google/models/…:predict`, `…/tunedModels/…`, `…/endpoints/…`. */
const MODEL_CALL = /\/(?:publishers\/([^/]+)\/)?(?:models|tunedModels|endpoints)\/([^/:]+):(\w+)$/;

/** What a path means in Google's formats, at whatever host; `undefined` when nothing is billed there. */
export function geminiPath(path: string): Meaning | undefined {
  if (path.endsWith('/interactions')) return { api: 'other', wire: interactions };
  const [, publisher = 'google', segment = '', method = ''] = MODEL_CALL.exec(path) ?? [];
  const model = decodeSegment(segment);
  switch (method) {
    case 'generateContent':
      return { api: 'generateContent', wire: generateContent, model, stream: false };
    case 'streamGenerateContent':
      return { api: 'generateContent', wire: generateContent, model, stream: true };
    case 'embedContent':
    case 'batchEmbedContents':
      return { api: 'embeddings', wire: embed, model, stream: false };
    case 'predict':
      return model.includes('embedding')
        ? { api: 'embeddings', wire: embed, model, stream: false }
        : undefined;
    case 'rawPredict':
    case 'streamRawPredict':
      return publisher === 'anthropic' && !model.startsWith('count-tokens')
        ? { api: 'messages', wire: messages, model, stream: method === 'streamRawPredict' }
        : partnerCall(publisher, model, method === 'streamRawPredict');
    default:
      return undefined;
  }
}

/** Other publishers on Vertex (Mistral, AI21) answer in the chat format. */
function partnerCall(publisher: string, model: string, stream: boolean): Meaning | undefined {
  if (publisher === 'google' || publisher === 'anthropic') return undefined;
  return { api: 'chat.completions', wire: chatCompletions, model, stream };
}

/** By format: Claude on Vertex keeps Anthropic's rules; of other publishers nothing is known. */
function cacheOf(api: Api): PromptCaching | undefined {
  if (api === 'messages') return anthropicCaching;
  return api === 'generateContent' ? geminiCaching : undefined;
}

/** Vertex AI, too, counts of Claude what is not cached (page on its quotas, 2026). */
function limitsOf(api: Api): RateLimiting {
  return api === 'messages' ? anthropicLimits : geminiLimits;
}

/** The Gemini API and Vertex AI, with their OpenAI-compatible paths. */
export function gemini(options: AdapterOptions = {}): ProviderAdapter {
  const isBelowBase = baseUrlMatcher(options.baseURL);
  return {
    name: 'gemini',
    match(url): Endpoint | undefined {
      const isVertex = VERTEX_HOST.test(url.hostname);
      if (!isVertex && !isHost(url, GEMINI_HOSTS) && !isBelowBase(url)) return undefined;
      const provider = isVertex ? 'gcp.vertex_ai' : 'gcp.gemini';
      const path = pathOf(url);
      const found = geminiPath(path);
      if (found !== undefined) {
        const { api } = found;
        return { provider, ...found, cache: cacheOf(api), limits: limitsOf(api) };
      }
      const compatible = openaiEndpoint(path, provider, 'try');
      if (compatible === undefined) return { provider, api: 'other' };
      return compatible.wire === chatCompletions
        ? { ...compatible, wire: compatibleChat, cache: geminiCaching, limits: geminiLimits }
        : { ...compatible, limits: geminiLimits };
    },
  };
}
