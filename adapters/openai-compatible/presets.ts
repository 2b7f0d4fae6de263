import type { RateLimiting } from '../../src/limits/types.ts';
import type { PromptCaching } from '../../src/prompt-cache/types.ts';
import type { Wire } from '../../src/types.ts';
import { chatUsage } from '../openai/usage.ts';
import { chatWire } from '../openai/wire.ts';
import {
  deepseekCaching,
  groqCaching,
  mistralCaching,
  moonshotCaching,
  openRouterCaching,
  xaiCaching,
} from './cache.ts';
import {
  cerebrasLimits,
  deepseekLimits,
  groqLimits,
  mistralLimits,
  moonshotLimits,
  nvidiaLimits,
  xaiLimits,
  zaiLimits,
} from './rate-limits.ts';

/** A provider of the OpenAI formats as this router knows it. */
export interface Preset {
  /** As in usage records: OpenTelemetry's `gen_ai.provider.name` where it has one. */
  readonly provider: string;
  /** Host names; with a leading dot, everything below. */
  readonly hosts: readonly string[];
  /** As in `Endpoint`. Absent: usage comes unasked, or a chunk of its own may come unasked. */
  readonly streamUsage?: 'ask' | 'try';
  /** How its chat answers are read, where its arithmetic is its own. */
  readonly chat?: Wire;
  /** Paths of the chat format that do not end in `/chat/completions`. */
  readonly chatPaths?: readonly string[];
  /** How its prompt cache works, in whatever format it is asked. Absent: nothing is known of one. */
  readonly cache?: PromptCaching;
  /** How it limits, in whatever format it is asked. Default: as far as the format tells. */
  readonly limits?: RateLimiting;
}

/**
 * Vercel's gateway hands on Gemini's counts with the reasoning beside the completion; its own `cost` bills both
 * (computed from recorded answers, 2026).
 */
const vercelChat = chatWire('chat.completions', (raw) => chatUsage(raw, { reasoningBeside: true }));

/** By name, as in `openaiCompatible({ preset })`. Hosts and streaming behaviour as recorded or documented, 2026-11. */
export const presets: Readonly<Record<string, Preset>> = {
  deepseek: {
    provider: 'deepseek',
    hosts: ['api.deepseek.com'],
    streamUsage: 'ask',
    cache: deepseekCaching,
    limits: deepseekLimits,
  },
  nvidia: {
    provider: 'nvidia',
    hosts: ['integrate.api.nvidia.com', 'ai.api.nvidia.com', '.api.nvcf.nvidia.com'],
    streamUsage: 'try', // some models answer 400 to stream_options
    limits: nvidiaLimits,
  },
  groq: {
    provider: 'groq',
    hosts: ['api.groq.com'],
    streamUsage: 'ask',
    cache: groqCaching,
    limits: groqLimits,
  },
  mistral: {
    provider: 'mistral_ai',
    hosts: ['api.mistral.ai', 'codestral.mistral.ai'],
    chatPaths: ['/fim/completions', '/agents/completions'],
    cache: mistralCaching,
    limits: mistralLimits,
  },
  xai: {
    provider: 'x_ai',
    hosts: ['api.x.ai', '.api.x.ai'],
    streamUsage: 'ask',
    cache: xaiCaching,
    limits: xaiLimits,
  },
  moonshot: {
    provider: 'moonshot_ai',
    hosts: ['api.moonshot.ai', 'api.moonshot.cn'],
    streamUsage: 'ask',
    cache: moonshotCaching,
    limits: moonshotLimits,
  },
  openrouter: { provider: 'openrouter', hosts: ['openrouter.ai'], cache: openRouterCaching },
  perplexity: { provider: 'perplexity', hosts: ['api.perplexity.ai'] },
  together: { provider: 'together', hosts: ['api.together.ai', 'api.together.xyz'] },
  cerebras: {
    provider: 'cerebras',
    hosts: ['api.cerebras.ai'],
    streamUsage: 'try',
    limits: cerebrasLimits,
  },
  fireworks: { provider: 'fireworks', hosts: ['api.fireworks.ai'], streamUsage: 'try' },
  // Sends a usage chunk of its own unasked.
  huggingface: {
    provider: 'huggingface',
    hosts: [
      'router.huggingface.co',
      'api-inference.huggingface.co',
      '.endpoints.huggingface.cloud',
    ],
  },
  vercel: {
    provider: 'vercel',
    hosts: ['ai-gateway.vercel.sh'],
    streamUsage: 'try',
    chat: vercelChat,
  },
  githubCopilot: {
    provider: 'github_copilot',
    hosts: ['api.githubcopilot.com', '.githubcopilot.com'],
    streamUsage: 'try',
  },
  githubModels: { provider: 'github_models', hosts: ['models.github.ai'], streamUsage: 'try' },
  databricks: {
    provider: 'databricks',
    hosts: ['.cloud.databricks.com', '.azuredatabricks.net', '.gcp.databricks.com'],
  },
  snowflake: {
    provider: 'snowflake',
    hosts: ['.snowflakecomputing.com'],
    streamUsage: 'try',
  },
  writer: {
    provider: 'writer',
    hosts: ['api.writer.com'],
    streamUsage: 'try',
    chatPaths: ['/v1/chat'],
  },
  venice: { provider: 'venice', hosts: ['api.venice.ai'], streamUsage: 'try' },
  zai: {
    provider: 'z_ai',
    hosts: ['api.z.ai', 'open.bigmodel.cn'],
    streamUsage: 'try',
    limits: zaiLimits,
  },
  alibaba: {
    provider: 'alibaba_cloud',
    hosts: ['dashscope.aliyuncs.com', 'dashscope-intl.aliyuncs.com', 'dashscope-us.aliyuncs.com'],
    streamUsage: 'try',
  },
  cloudflare: {
    provider: 'cloudflare',
    hosts: ['api.cloudflare.com', 'gateway.ai.cloudflare.com'],
    streamUsage: 'try',
  },
  doubleword: { provider: 'doubleword', hosts: ['api.doubleword.ai'], streamUsage: 'try' },
  heroku: { provider: 'heroku', hosts: ['.inference.heroku.com'], streamUsage: 'try' },
  voyage: { provider: 'voyage', hosts: ['api.voyageai.com'] },
  minimax: {
    provider: 'minimax',
    hosts: ['api.minimax.io', 'api.minimaxi.com'],
    streamUsage: 'try',
  },
  sambanova: { provider: 'sambanova', hosts: ['api.sambanova.ai'], streamUsage: 'try' },
  deepinfra: { provider: 'deepinfra', hosts: ['api.deepinfra.com'], streamUsage: 'try' },
  novita: { provider: 'novita', hosts: ['api.novita.ai'], streamUsage: 'try' },
  avian: { provider: 'avian', hosts: ['api.avian.io'], streamUsage: 'try' },
  baseten: { provider: 'baseten', hosts: ['inference.baseten.co'], streamUsage: 'try' },
};
