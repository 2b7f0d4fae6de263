import { RouterError } from '../../src/errors.ts';
import type { Endpoint, ProviderAdapter } from '../../src/types.ts';
import { anthropicPath } from '../anthropic/index.ts';
import { geminiPath } from '../gemini/index.ts';
import { openaiEndpoint } from '../openai/index.ts';
import { chatCompletions } from '../openai/wire.ts';
import { baseUrlMatcher, isHost, pathOf, type AdapterOptions } from '../shared/base-url.ts';
import { azureEndpoint } from './azure.ts';
import { presets, type Preset } from './presets.ts';
import { compatibleLimits } from './rate-limits.ts';

export interface OpenAICompatibleOptions extends AdapterOptions {
  /** Only this provider of the built-in table (`groq`, `azure`, `openrouter` …). Default: all of them. */
  readonly preset?: string | undefined;
  /** What to call the provider at `baseURL` in usage records. Default: the preset's name, else the host name. */
  readonly provider?: string | undefined;
  /**
   * Whether to ask the provider at `baseURL` for usage in streams: `ask` always, `try` until it refuses,
   * `off` never. Default: the preset's, else `try`.
   */
  readonly streamUsage?: 'ask' | 'try' | 'off' | undefined;
}

/**
 * Providers and servers that speak OpenAI's formats. Without options: the built-in table, and on hosts that are
 * in no table whatever has the shape of a known endpoint, so that local servers need no configuration. With
 * `preset` or `baseURL`: only those.
 */
export function openaiCompatible(options: OpenAICompatibleOptions = {}): ProviderAdapter {
  const chosen = presetNamed(options.preset);
  const isBelowBase = baseUrlMatcher(options.baseURL);
  const isOnlyBase = options.preset === undefined && options.baseURL !== undefined;
  return {
    name: options.provider ?? options.preset ?? 'openai-compatible',
    match(url): Endpoint | undefined {
      if (isBelowBase(url)) {
        const own = ownPreset(url, chosen[0], options);
        return endpointOf(pathOf(url), own) ?? { provider: own.provider, api: 'other' };
      }
      if (isOnlyBase) return undefined;
      if (options.preset === undefined || options.preset === 'azure') {
        const azure = azureEndpoint(url);
        if (azure !== undefined) return azure;
      }
      const preset = chosen.find((candidate) => isHost(url, candidate.hosts));
      if (preset !== undefined) {
        return endpointOf(pathOf(url), preset) ?? { provider: preset.provider, api: 'other' };
      }
      if (options.preset !== undefined) return undefined;
      return endpointOf(pathOf(url), { provider: url.hostname, hosts: [], streamUsage: 'try' });
    },
  };
}

/** What a path means at a provider; `undefined` when it has the shape of none that is billed. */
function endpointOf(path: string, preset: Preset): Endpoint | undefined {
  const { provider, streamUsage, chat, chatPaths = [] } = preset;
  const limits = preset.limits ?? compatibleLimits;
  const known = { limits, ...(preset.cache === undefined ? {} : { cache: preset.cache }) };
  const standard = chatPaths.some((suffix) => path.endsWith(suffix)) ? '/chat/completions' : path;
  const found = openaiEndpoint(standard, provider, streamUsage);
  if (found !== undefined) {
    const wire = chat !== undefined && found.wire === chatCompletions ? { wire: chat } : {};
    return { ...found, ...wire, ...known };
  }
  const other = anthropicPath(path) ?? geminiPath(path);
  return other === undefined ? undefined : { provider, ...other, ...known };
}

/** The preset that stands for a base URL of the user's own. */
function ownPreset(url: URL, preset: Preset | undefined, options: OpenAICompatibleOptions): Preset {
  const base: Preset =
    options.preset !== undefined && preset !== undefined
      ? preset
      : { provider: ownName(url, options), hosts: [], streamUsage: 'try' };
  const { streamUsage, ...rest } = base;
  const asked = options.streamUsage ?? streamUsage;
  return {
    ...rest,
    provider: options.provider ?? base.provider,
    ...(asked === undefined || asked === 'off' ? {} : { streamUsage: asked }),
  };
}

/** Azure is no preset of the table: its paths say more than its hosts. Below a base URL of one's own only its name is left. */
function ownName(url: URL, { preset }: OpenAICompatibleOptions): string {
  return preset === 'azure' ? 'azure.ai.openai' : url.hostname;
}

function presetNamed(name: string | undefined): readonly Preset[] {
  if (name === undefined) return Object.values(presets);
  if (name === 'azure') return [];
  const preset = Object.hasOwn(presets, name) ? presets[name] : undefined;
  if (preset === undefined) {
    const known = ['azure', ...Object.keys(presets)].toSorted().join(', ');
    throw new RouterError('ERR_OPTIONS', `preset: expected one of ${known}, got "${name}"`);
  }
  return [preset];
}
