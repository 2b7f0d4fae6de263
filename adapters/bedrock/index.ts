import type { Endpoint, ProviderAdapter } from '../../src/types.ts';
import { anthropicPath } from '../anthropic/index.ts';
import { openaiEndpoint } from '../openai/index.ts';
import { baseUrlMatcher, decodeSegment, pathOf, type AdapterOptions } from '../shared/base-url.ts';
import { bedrockCaching, converseCaching } from './cache.ts';
import { bedrockLimits } from './rate-limits.ts';
import { converse, invoke } from './wire.ts';

const PROVIDER = 'aws.bedrock';

/** `bedrock-runtime[-fips].us-east-1.amazonaws.com[.cn]`, its VPC endpoints, and `bedrock-mantle.us-east-1.api.aws`. */
const HOST =
  /^(?:[\w-]+\.)?bedrock-(?:runtime|mantle)(?:-fips)?\.[a-z0-9-]+\.(?:(?:vpce\.)?amazonaws\.com(?:\.cn)?|api\.aws)$/;

const MODEL_CALL = /\/model\/(.+)\/(converse|converse-stream|invoke|invoke-with-response-stream)$/;

/** Bedrock's runtime, and its endpoints in OpenAI's and Anthropic's formats. */
export function bedrock(options: AdapterOptions = {}): ProviderAdapter {
  const isBelowBase = baseUrlMatcher(options.baseURL);
  return {
    name: 'bedrock',
    match(url): Endpoint | undefined {
      if (!HOST.test(url.hostname) && !isBelowBase(url)) return undefined;
      const path = pathOf(url);
      const [, segment, method] = MODEL_CALL.exec(path) ?? [];
      if (segment !== undefined && method !== undefined) return modelCall(segment, method);
      const found = anthropicPath(path);
      if (found !== undefined) {
        return { provider: PROVIDER, ...found, cache: bedrockCaching, limits: bedrockLimits };
      }
      const compatible = openaiEndpoint(path, PROVIDER, 'try');
      if (compatible === undefined) return { provider: PROVIDER, api: 'other' };
      return { ...compatible, limits: bedrockLimits };
    },
  };
}

function modelCall(segment: string, method: string): Endpoint {
  const model = decodeSegment(segment);
  const isConverse = method.startsWith('converse');
  // An invoke body is the model's own; Claude's is the Messages format.
  const isClaude = !isConverse && model.includes('anthropic.');
  return {
    provider: PROVIDER,
    api: isClaude ? 'messages' : 'other',
    wire: isConverse ? converse : invoke,
    model,
    stream: method.endsWith('-stream'),
    limits: bedrockLimits,
    ...(isClaude ? { cache: bedrockCaching } : {}),
    ...(isConverse ? { cache: converseCaching } : {}),
  };
}
