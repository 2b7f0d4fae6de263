import type { Endpoint } from '../../src/types.ts';
import { anthropicCaching } from '../anthropic/cache.ts';
import { anthropicPath } from '../anthropic/index.ts';
import { anthropicLimits } from '../anthropic/rate-limits.ts';
import { openaiLayoutCaching } from '../openai/cache.ts';
import { openaiEndpoint } from '../openai/index.ts';
import { decodeSegment, isHost, pathOf } from '../shared/base-url.ts';
import { azureLimits } from './rate-limits.ts';

const OPENAI_HOSTS = ['.openai.azure.com', '.openai.azure.us', '.cognitiveservices.azure.com'];
const INFERENCE_HOSTS = [
  '.services.ai.azure.com',
  '.inference.ai.azure.com',
  '.models.ai.azure.com',
];

/** `/openai/deployments/my-gpt/chat/completions`: the deployment stands for the model. */
const DEPLOYMENT = /\/deployments\/([^/]+)\//;

/** The first dated API version that documents `stream_options` as generally available (2024-10-21). */
const STREAM_OPTIONS_SINCE = '2024-10-21';

/** Azure OpenAI and Azure AI inference; `undefined` for other hosts. */
export function azureEndpoint(url: URL): Endpoint | undefined {
  const path = pathOf(url);
  const isOpenaiHost = isHost(url, OPENAI_HOSTS);
  if (!isOpenaiHost && !isHost(url, INFERENCE_HOSTS)) return undefined;
  const isOpenai = isOpenaiHost || path.startsWith('/openai/');
  const provider = isOpenai ? 'azure.ai.openai' : 'azure.ai.inference';
  const deployment = DEPLOYMENT.exec(path)?.[1];
  const endpoint = openaiEndpoint(path, provider, takesStreamOptions(url, isOpenai));
  const claude = endpoint === undefined ? anthropicPath(path) : undefined;
  return {
    ...(endpoint ?? { provider, api: 'other', ...claude }),
    ...(endpoint === undefined ? {} : { limits: azureLimits }),
    ...(endpoint !== undefined && isOpenai ? { cache: openaiLayoutCaching } : {}),
    ...(claude === undefined ? {} : { cache: anthropicCaching, limits: anthropicLimits }),
    ...(deployment === undefined ? {} : { model: decodeSegment(deployment) }),
  };
}

/** The undated v1 API takes all that OpenAI's does. */
function takesStreamOptions(url: URL, isOpenai: boolean): 'ask' | 'try' {
  if (!isOpenai) return 'try';
  const version = url.searchParams.get('api-version');
  if (version === null) return url.pathname.startsWith('/openai/v1/') ? 'ask' : 'try';
  return !/^\d{4}-/.test(version) || version.slice(0, 10) >= STREAM_OPTIONS_SINCE ? 'ask' : 'try';
}
