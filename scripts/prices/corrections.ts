/**
 * What we know better than the price source, applied in order. Every entry names where the fact stands and the day it
 * was read. An entry that no longer finds what it corrects throws, so that a newer source makes it visible.
 */
import type {
  ListedModel,
  ListedProvider,
  ListedRates,
  PriceList,
} from '../../src/pricing/price-list.ts';
import { namesToAdd } from './names.ts';
import { roundedToPico } from './source.ts';

export interface Correction {
  readonly why: string;
  readonly source: string;
  /** The day the source was read. */
  readonly date: string;
  readonly apply: (list: PriceList) => void;
}

const ANTHROPIC_PRICING = 'https://platform.claude.com/docs/en/about-claude/pricing';
const ANTHROPIC_FAST = 'https://platform.claude.com/docs/en/build-with-claude/fast-mode';
const OPENAI_PRICING = 'https://developers.openai.com/api/docs/pricing';
const OPENAI_CACHING = 'https://developers.openai.com/api/docs/guides/prompt-caching';
const OPENAI_PRIORITY = 'https://openai.com/api-priority-processing/';
const GEMINI_PRICING = 'https://ai.google.dev/gemini-api/docs/pricing';
const DEEPSEEK_PRICING = 'https://api-docs.deepseek.com/quick_start/pricing';

export const corrections: readonly Correction[] = [
  {
    why: 'Names that the source covers only by a prefix.',
    source: '@pydantic/genai-prices 0.1.8',
    date: '2026-11-20',
    apply: (list) => {
      for (const [provider, id, names] of namesToAdd) {
        const known = modelsOf(list, provider).flatMap(([key, { aka }]) => [key, ...(aka ?? [])]);
        const twice = names.find((name) => known.includes(name));
        if (twice !== undefined) throw new Error(`"${twice}" of ${provider} is already listed.`);
        const model = modelOf(list, provider, id);
        model.aka = [...(model.aka ?? []), ...names];
      }
    },
  },
  {
    why: 'The long-context price of OpenAI begins above 272,000 input tokens; the source has 271,999 for some models.',
    source: 'https://developers.openai.com/api/docs/models (">272K input tokens")',
    date: '2026-10-01',
    apply: (list) => {
      let mended = 0;
      for (const [, model] of modelsOf(list)) {
        for (const { above } of model.prices) {
          if (above?.tokens !== 271_999) continue;
          above.tokens = 272_000;
          mended++;
        }
      }
      expectSome(mended, 'tiers at 271,999');
    },
  },
  {
    why: 'Claude on every platform: 5-minute writes 1.25x, 1-hour writes 2x, reads 0.1x of the input price, where not listed.',
    source: `${ANTHROPIC_PRICING}#prompt-caching`,
    date: '2026-08-22',
    apply: (list) => {
      let mended = 0;
      for (const [name, model] of modelsOf(list)) {
        // Claude 2 and older never had prompt caching.
        if (!name.includes('claude') || /claude-(v?[12]\b|instant)/.test(name)) continue;
        for (const rates of everyRate(model)) mended += fillClaudeCache(rates);
      }
      expectSome(mended, 'Claude rates without cache prices');
    },
  },
  {
    why: 'Claude Sonnet 4 with the 1M context beta cost more above 200,000 input tokens.',
    source: `${ANTHROPIC_PRICING}#long-context-pricing`,
    date: '2026-08-22',
    apply: (list) => {
      const [price] = modelOf(list, 'anthropic', 'claude-sonnet-4-0').prices;
      if (price === undefined || price.above !== undefined)
        throw new Error('Sonnet 4 has changed.');
      price.above = {
        tokens: 200_000,
        input: 6,
        cacheRead: 0.6,
        cacheWrite: 7.5,
        cacheWrite1h: 12,
        output: 22.5,
      };
    },
  },
  {
    why: 'Anthropic: the batch API costs half; US-only inference 1.1x from Opus 4.6 on; fast mode by model. They multiply.',
    source: `${ANTHROPIC_PRICING}#data-residency-pricing, ${ANTHROPIC_FAST}`,
    date: '2026-08-22',
    apply: (list) => {
      const anthropic = providerOf(list, 'anthropic');
      anthropic.services = { batch: 0.5 };
      const fast: Record<string, number> = {
        'claude-opus-4-6': 6,
        'claude-opus-4-7': 6,
        'claude-opus-4-8': 2,
        'claude-opus-5': 2,
      };
      const usOnly = [
        ...Object.keys(fast),
        'claude-sonnet-4-6',
        'claude-opus-5-5',
        'claude-sonnet-5',
        'claude-fable-5',
        'claude-fable-5-1',
      ];
      for (const id of usOnly) {
        const model = modelOf(list, 'anthropic', id);
        model.services = { 'inference_geo:us': 1.1 };
        if (fast[id] !== undefined) model.services['speed:fast'] = fast[id];
      }
    },
  },
  {
    why: 'Claude 4.5 and later cost 10 % more on regional endpoints of Vertex AI, which a call does not show.',
    source: `${ANTHROPIC_PRICING}#third-party-platform-pricing`,
    date: '2026-08-22',
    apply: (list) => {
      let marked = 0;
      for (const [id, model] of modelsOf(list, 'gcp.vertex_ai')) {
        if (/^claude-(3-|4-)/.test(id)) continue;
        model.approximate = true;
        marked++;
      }
      expectSome(marked, 'Claude models on Vertex AI');
    },
  },
  {
    why: 'Cached input of gpt-4o costs 0.5x, of gpt-4.1 0.25x, where a reseller lists no price for it.',
    source: OPENAI_CACHING,
    date: '2026-10-02',
    apply: (list) => {
      for (const [name, factor] of [
        ['gpt-4o', 0.5],
        ['gpt-4o-mini', 0.5],
        ['gpt-4.1', 0.25],
        ['gpt-4.1-mini', 0.25],
        ['gpt-4.1-nano', 0.25],
      ] as const) {
        for (const rates of everyRate(modelOf(list, 'openrouter', `openai/${name}`))) {
          rates.cacheRead ??= roundedToPico(rates.input * factor);
        }
      }
    },
  },
  {
    why: 'OpenAI: batch and flex cost half; models without flex never report that tier.',
    source: OPENAI_PRICING,
    date: '2026-08-27',
    apply: (list) => {
      providerOf(list, 'openai').services = { batch: 0.5, flex: 0.5 };
    },
  },
  {
    why: 'OpenAI: priority processing has prices of its own, and none above the long-context boundary.',
    source: OPENAI_PRIORITY,
    date: '2026-11-21',
    apply: (list) => {
      for (const [id, rates] of Object.entries(priorityRates)) {
        modelOf(list, 'openai', id).services = { priority: rates };
      }
    },
  },
  {
    why: 'OpenAI: priority (fast mode) doubles the price of the GPT-5.6 models.',
    source: OPENAI_PRICING,
    date: '2026-08-27',
    apply: (list) => {
      for (const id of ['gpt-5.6-sol', 'gpt-5.6-terra', 'gpt-5.6-luna']) {
        modelOf(list, 'openai', id).services = { priority: 2, fast: 2 };
      }
    },
  },
  {
    why: 'Gemini: batch and flex cost half from 3.5 on, priority 1.8x from 3.7 on.',
    source: GEMINI_PRICING,
    date: '2026-09-23',
    apply: (list) => {
      for (const [id, services] of [
        ['gemini-3.5-flash', { batch: 0.5, flex: 0.5 }],
        ['gemini-3.5-flash-lite', { batch: 0.5, flex: 0.5 }],
        ['gemini-3.6-flash', { batch: 0.5, flex: 0.5 }],
        ['gemini-3.7-flash', { batch: 0.5, flex: 0.5, priority: 1.8 }],
        ['gemini-3.8-flash', { batch: 0.5, flex: 0.5, priority: 1.8 }],
      ] as const) {
        modelOf(list, 'gcp.gemini', id).services = services;
      }
    },
  },
  {
    why: 'DeepSeek ended the night discount on 2025-09-05 and cut its prices on 2025-09-29.',
    source: `${DEEPSEEK_PRICING} (copies of September 2025 and April 2026)`,
    date: '2026-11-21',
    apply: (list) => {
      for (const id of ['deepseek-chat', 'deepseek-reasoner']) {
        modelOf(list, 'deepseek', id).prices.push(
          { from: '2025-09-05', input: 0.56, cacheRead: 0.07, output: 1.68 },
          { from: '2025-09-29', input: 0.28, cacheRead: 0.028, output: 0.42 },
        );
      }
    },
  },
  {
    why: 'Gemini on OpenRouter: a write cheaper than plain input is the storage fee alone, which comes on top of the tokens.',
    source:
      'https://openrouter.ai/google/gemini-2.5-flash: $0.3833 = $0.30 + $0.0833; the source has the fee alone for others',
    date: '2026-11-21',
    apply: (list) => {
      let mended = 0;
      for (const [id, model] of modelsOf(list, 'openrouter')) {
        if (!id.startsWith('google/')) continue;
        for (const rates of everyRate(model)) {
          if (rates.cacheWrite === undefined || rates.cacheWrite >= rates.input) continue;
          rates.cacheWrite = roundedToPico(rates.input + rates.cacheWrite);
          mended++;
        }
      }
      expectSome(mended, 'storage fees listed as write prices');
    },
  },
  {
    why: 'Gemini 2.5 Flash on OpenRouter: cached input costs 0.1x, as at Google.',
    source: 'the cost OpenRouter reported for 2,161 cached tokens in a recorded answer',
    date: '2026-11-20',
    apply: (list) => {
      for (const rates of everyRate(modelOf(list, 'openrouter', 'google/gemini-2.5-flash'))) {
        rates.cacheRead = 0.03;
      }
    },
  },
  {
    why: 'OpenRouter: open models cost differently by the host that was chosen; makers of closed models have one price.',
    source:
      'costs OpenRouter reported for gpt-oss-120b, qwen3-30b-a3b and kimi-k2.5 in recorded answers',
    date: '2026-11-20',
    apply: (list) => {
      const onePrice =
        /^~?(amazon|anthropic|cohere|google\/gemini|openai\/(?!gpt-oss)|perplexity|x-ai)/;
      let marked = 0;
      for (const [id, model] of modelsOf(list, 'openrouter')) {
        if (onePrice.test(id) || id.endsWith(':free')) continue;
        model.approximate = true;
        marked++;
      }
      expectSome(marked, 'open models on OpenRouter');
    },
  },
  {
    why: 'Sonar also bills a fee for each request by search depth, and deep research its citations and searches.',
    source: 'https://docs.perplexity.ai/guides/pricing',
    date: '2026-09-23',
    apply: (list) => {
      for (const id of [
        'sonar',
        'sonar-pro',
        'sonar-reasoning',
        'sonar-reasoning-pro',
        'sonar-deep-research',
      ]) {
        modelOf(list, 'perplexity', id).approximate = true;
      }
    },
  },
  {
    why: 'Embeddings bill no output.',
    source: 'recorded answers of https://api.mistral.ai/v1/embeddings',
    date: '2026-11-20',
    apply: (list) => {
      for (const rates of everyRate(modelOf(list, 'mistral_ai', 'mistral-embed'))) {
        delete rates.output;
      }
    },
  },
  {
    why: 'Azure resells the models of these providers at prices that vary with the kind of deployment.',
    source: 'https://azure.microsoft.com/en-us/pricing/details/ai-foundry/',
    date: '2026-09-23',
    apply: (list) => {
      const borrows = ['openai', 'anthropic', 'deepseek', 'x_ai', 'moonshot_ai'];
      providerOf(list, 'azure.ai.openai').borrows = borrows;
      list.providers['azure.ai.inference'] = { same: ['azure.ai.openai'], models: {} };
    },
  },
];

/** US dollars per million tokens; the 4o snapshot of May 2024 has no cached price. */
const priorityRates: Record<string, ListedRates> = {
  'gpt-4.1': { input: 3.5, cacheRead: 0.875, output: 14 },
  'gpt-4.1-mini': { input: 0.7, cacheRead: 0.175, output: 2.8 },
  'gpt-4.1-nano': { input: 0.2, cacheRead: 0.05, output: 0.8 },
  'gpt-4o': { input: 4.25, cacheRead: 2.125, output: 17 },
  'gpt-4o-2024-05-13': { input: 8.75, output: 26.25 },
  'gpt-4o-mini': { input: 0.25, cacheRead: 0.125, output: 1 },
  'gpt-5': { input: 2.5, cacheRead: 0.25, output: 20 },
  'gpt-5-mini': { input: 0.45, cacheRead: 0.045, output: 3.6 },
  'gpt-5.1': { input: 2.5, cacheRead: 0.25, output: 20 },
  'gpt-5.2': { input: 3.5, cacheRead: 0.35, output: 28 },
  'gpt-5.4': { input: 5, cacheRead: 0.5, output: 30 },
  'gpt-5.4-mini': { input: 1.5, cacheRead: 0.15, output: 9 },
  'gpt-5.5': { input: 12.5, cacheRead: 1.25, output: 75 },
  o3: { input: 3.5, cacheRead: 0.875, output: 14 },
  'o4-mini': { input: 2, cacheRead: 0.5, output: 8 },
};

function fillClaudeCache(rates: ListedRates): number {
  if (rates.input === 0) return 0;
  const before = JSON.stringify(rates);
  rates.cacheRead ??= roundedToPico(rates.input * 0.1);
  rates.cacheWrite ??= roundedToPico(rates.input * 1.25);
  rates.cacheWrite1h ??= roundedToPico(rates.input * 2);
  return before === JSON.stringify(rates) ? 0 : 1;
}

function providerOf(list: PriceList, name: string): ListedProvider {
  const provider = list.providers[name];
  if (provider === undefined) throw new Error(`The price list has no provider "${name}".`);
  return provider;
}

function modelOf(list: PriceList, provider: string, id: string): ListedModel {
  const model = providerOf(list, provider).models[id];
  if (model === undefined) throw new Error(`The price list has no "${id}" of ${provider}.`);
  return model;
}

function modelsOf(list: PriceList, provider?: string): Array<[id: string, model: ListedModel]> {
  const providers = provider === undefined ? Object.keys(list.providers) : [provider];
  return providers.flatMap((name) =>
    Object.entries(providerOf(list, name).models).flatMap(
      ([id, model]): Array<[string, ListedModel]> => (model === undefined ? [] : [[id, model]]),
    ),
  );
}

function everyRate(model: ListedModel): ListedRates[] {
  return model.prices.flatMap((price) =>
    [price, price.above, price.peak].filter((rates) => rates !== undefined),
  );
}

function expectSome(count: number, what: string): void {
  if (count === 0) throw new Error(`Expected to find ${what}; the correction may be obsolete.`);
}
