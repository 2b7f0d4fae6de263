/** Puts the price list together: the source's data under our provider names, then our corrections. */
import type { ListedModel, ListedProvider, PriceList } from '../../src/pricing/price-list.ts';
import { bedrockModels } from './bedrock.ts';
import { corrections } from './corrections.ts';
import { sourceModels } from './source.ts';
import type { SourceModel } from './source.ts';

/** OpenTelemetry's `gen_ai.provider.name` where it has one, and the source's name for it. */
const SAME_SHAPE: ReadonlyArray<readonly [name: string, source: string]> = [
  ['anthropic', 'anthropic'],
  ['avian', 'avian'],
  ['azure.ai.openai', 'azure'],
  ['baseten', 'baseten'],
  ['cerebras', 'cerebras'],
  ['cloudflare', 'cloudflare'],
  ['cohere', 'cohere'],
  ['deepseek', 'deepseek'],
  ['doubleword', 'doubleword'],
  ['fireworks', 'fireworks'],
  ['groq', 'groq'],
  ['minimax', 'minimax'],
  ['mistral_ai', 'mistral'],
  ['moonshot_ai', 'moonshotai'],
  ['novita', 'novita'],
  ['openai', 'openai'],
  ['perplexity', 'perplexity'],
  ['together', 'together'],
  ['voyage', 'voyageai'],
  ['x_ai', 'x-ai'],
  ['z_ai', 'zai'],
];

const HUGGINGFACE_VIA = [
  'cerebras',
  'fireworks-ai',
  'groq',
  'hyperbolic',
  'nebius',
  'novita',
  'nscale',
  'ovhcloud',
  'publicai',
  'sambanova',
  'together',
];

/** The text of `src/pricing/prices.json`; the same on every run. */
export function buildPriceList(): string {
  const providers: Record<string, ListedProvider> = {};
  for (const [name, source] of SAME_SHAPE)
    providers[name] = { models: listed(sourceModels(source)) };
  const google = sourceModels('google');
  const isClaude = (model: SourceModel): boolean => model.id.startsWith('claude-');
  providers['gcp.gemini'] = { models: listed(google.filter((model) => !isClaude(model))) };
  providers['gcp.vertex_ai'] = {
    same: ['gcp.gemini'],
    borrows: ['anthropic'],
    models: listed(google.filter(isClaude)),
  };
  providers['aws.bedrock'] = { models: bedrockModels() };
  // Every id of OpenRouter is `vendor/model`; the source also keeps bare names from other lists.
  providers['openrouter'] = {
    models: listed(
      sourceModels('openrouter').flatMap((model) =>
        model.id.includes('/')
          ? [{ ...model, aka: model.aka.filter((name) => name.includes('/')) }]
          : [],
      ),
    ),
  };
  providers['huggingface'] = { models: listed(HUGGINGFACE_VIA.flatMap(huggingfaceModels)) };

  const list: PriceList = {
    date: '2026-09-23',
    sources: ['@pydantic/genai-prices 0.1.8 (MIT)', 'scripts/prices/corrections.ts'],
    providers,
  };
  for (const correction of corrections) correction.apply(list);
  return printed(list);
}

/**
 * The router of Hugging Face takes `model:provider`; without a provider it may choose any of them. The source adds a
 * `-fast` name to every model, whose price is another where it exists.
 */
function huggingfaceModels(via: string): SourceModel[] {
  return sourceModels(`huggingface_${via}`).map((model) => ({
    ...model,
    id: `${model.id}:${via}`,
    aka: model.aka.filter((name) => !name.endsWith('-fast')).map((name) => `${name}:${via}`),
  }));
}

function listed(models: readonly SourceModel[]): Record<string, ListedModel> {
  const taken = new Set(models.map((model) => model.id));
  const found: Record<string, ListedModel> = {};
  for (const { id, aka, ...rest } of models) {
    const names = [...new Set(aka)].filter((name) => !taken.has(name));
    for (const name of names) taken.add(name);
    found[id] = names.length === 0 ? rest : { aka: names, ...rest };
  }
  return found;
}

/** One model a line, so that a change of price is one changed line. */
function printed(list: PriceList): string {
  const providers = sorted(list.providers).map(([name, { models, ...rest }]) => {
    const lines = sorted(models).map(
      ([id, model]) => `${JSON.stringify(id)}:${JSON.stringify(model, KEY_ORDER)}`,
    );
    const head = Object.entries(rest).map(
      ([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)},`,
    );
    return `${JSON.stringify(name)}:{${head.join('')}"models":{\n${lines.join(',\n')}\n}}`;
  });
  return [
    '{',
    `"date":${JSON.stringify(list.date)},`,
    `"sources":${JSON.stringify(list.sources)},`,
    '"providers":{',
    providers.join(',\n'),
    '}',
    '}',
    '',
  ].join('\n');
}

function sorted<Value>(record: Record<string, Value | undefined>): Array<[string, Value]> {
  return Object.entries(record)
    .flatMap(([key, value]): Array<[string, Value]> => (value === undefined ? [] : [[key, value]]))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** As a replacer list it also fixes the order of the members; a service missing here would be left out. */
const KEY_ORDER = (
  'aka approximate services batch flex fast priority inference_geo:us speed:fast ' +
  'prices from tokens utc input cacheRead cacheWrite cacheWrite1h output above peak'
).split(' ');
