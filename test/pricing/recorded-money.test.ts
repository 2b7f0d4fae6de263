/** Costs that providers reported themselves, and prices worked out by others, against the price book. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

import { createPriceBook } from '../../src/pricing/price-book.ts';
import type { Cost, TokenUsage } from '../../src/types.ts';
import { fullFixturesDir } from '../helpers/full-fixtures.ts';

const folder = fullFixturesDir() ?? fileURLToPath(new URL('../fixtures', import.meta.url));
const oracle = join(folder, 'oracles/genai-prices-usages.jsonl');
const isFullSet = existsSync(oracle);
const book = createPriceBook();

interface Expected {
  id: string;
  model: string | null;
  ambiguous: string[];
  usage: Record<'input_total' | 'cached_read' | 'cache_write' | 'output', number | null> | null;
}

interface Recording {
  id: string;
  source: { recorded_at?: string };
  request: { body: string } | null;
  response: { body: string | null };
}

interface Money {
  cost: Cost;
  /** US dollars, as the provider reported them. */
  reported: number;
  /** It also charged for something else than tokens, or nothing. */
  fees: boolean;
  model: string;
}

function lines<T>(file: string): T[] {
  return readFileSync(join(folder, file), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

const expected = new Map(lines<Expected>('expected_usage.jsonl').map((entry) => [entry.id, entry]));

function moneyOf(file: string, provider: string, cost: RegExp, unit: number): Money[] {
  return lines<Recording>(`interactions/${file}.jsonl`).flatMap((recording): Money[] => {
    const body = recording.response.body ?? '';
    const reported = [...body.matchAll(cost)].at(-1)?.[1];
    const entry = expected.get(recording.id);
    if (reported === undefined || entry === undefined || entry.ambiguous.length > 0) return [];
    if (entry.usage === null) return [];
    const recordedAt = Date.parse(recording.source.recorded_at ?? '');
    const requestModel = /"model":\s*"([^"]+)"/.exec(recording.request?.body ?? '')?.[1];
    const answer = book.cost({
      provider,
      model: entry.model ?? undefined,
      requestModel,
      at: Number.isNaN(recordedAt) ? Date.parse('2026-06-01T12:00:00Z') : recordedAt,
      usage: { ...usageOf(entry.usage), raw: lastUsage(body) },
    });
    // Searches and PDF pages are billed apart; with a key of one's own the upstream provider bills.
    const fees = /"is_byok":\s*true|web_search|"plugins"|url_citation|"file_data"/.test(
      body + (recording.request?.body ?? ''),
    );
    return [
      { cost: answer.cost, reported: Number(reported) * unit, fees, model: entry.model ?? '' },
    ];
  });
}

/** The usage object at the end of an answer, its details one level deep. */
function lastUsage(body: string): unknown {
  const found = body.match(/(?<="usage":\s*)\{(?:[^{}]|\{[^{}]*\})*\}/g)?.at(-1);
  return found === undefined ? undefined : JSON.parse(found);
}

function usageOf(usage: NonNullable<Expected['usage']>): TokenUsage {
  return {
    inputTokens: {
      total: usage.input_total ?? undefined,
      cacheRead: usage.cached_read ?? undefined,
      cacheWrite: usage.cache_write ?? undefined,
    },
    outputTokens: { total: usage.output ?? undefined },
    grade: 'exact',
  };
}

const agrees = ({ cost, reported }: Money): boolean =>
  Math.abs(Number(cost.usd) - reported) <= 1e-9 * reported;

describe('costs reported by providers', () => {
  test('OpenRouter: exact prices agree', () => {
    const money = moneyOf('openrouter', 'openrouter', /"cost":\s*([\d.eE+-]+)/g, 1).filter(
      ({ cost, fees }) => cost.price === 'exact' && !fees,
    );
    // The price of this retired model was raised before the call was recorded.
    const current = money.filter(({ model }) => model !== 'anthropic/claude-3.5-sonnet');
    expect(current.filter((entry) => !agrees(entry))).toEqual([]);
    expect(current.length).toBeGreaterThanOrEqual(isFullSet ? 100 : 1);
  });

  test('xAI: exact prices agree', () => {
    // A tick is 1e-10 US dollars.
    const money = moneyOf('xai', 'x_ai', /"cost_in_usd_ticks":\s*(\d+)/g, 1e-10).filter(
      ({ cost, fees }) => cost.price === 'exact' && !fees,
    );
    expect(money.filter((entry) => !agrees(entry))).toEqual([]);
    expect(money.length).toBeGreaterThanOrEqual(isFullSet ? 50 : 1);
  });

  test('Perplexity: the tokens never cost more than the whole call', () => {
    const money = moneyOf('perplexity', 'perplexity', /"total_cost":\s*([\d.eE+-]+)/g, 1).filter(
      ({ cost }) => cost.usd !== null,
    );
    expect(money.length).toBeGreaterThanOrEqual(1);
    for (const { cost, reported } of money) {
      expect(cost.price).toBe('approximate');
      expect(Number(cost.usd)).toBeLessThanOrEqual(reported);
    }
  });
});

interface OracleCase {
  body: { usage?: unknown; usageMetadata?: unknown };
  model: string;
  extracted: Array<{
    usage: Record<string, number | undefined>;
    extractors: Array<{ provider_id: string; input_price?: string; output_price?: string }>;
  }>;
}

const PROVIDERS: Record<string, string | undefined> = {
  anthropic: 'anthropic',
  aws: 'aws.bedrock',
  azure: 'azure.ai.openai',
  cerebras: 'cerebras',
  cohere: 'cohere',
  deepseek: 'deepseek',
  fireworks: 'fireworks',
  google: 'gcp.vertex_ai',
  groq: 'groq',
  mistral: 'mistral_ai',
  moonshotai: 'moonshot_ai',
  openai: 'openai',
  openrouter: 'openrouter',
  perplexity: 'perplexity',
  together: 'together',
  'x-ai': 'x_ai',
};

describe.skipIf(!isFullSet)('prices of genai-prices (needs the full fixtures)', () => {
  /** They priced by their first period, at a time of day that is DeepSeek's former standard time. */
  const at = Date.parse('2025-08-01T12:00:00Z');

  function compare(): { equal: number; exactDiffering: string[]; differing: Set<string> } {
    const result = { equal: 0, exactDiffering: [] as string[], differing: new Set<string>() };
    for (const { body, model, extracted } of lines<OracleCase>(
      'oracles/genai-prices-usages.jsonl',
    )) {
      for (const { usage, extractors } of extracted) {
        for (const theirs of extractors) {
          const provider = PROVIDERS[theirs.provider_id];
          if (provider === undefined || theirs.input_price === undefined) continue;
          const raw = body.usage ?? body.usageMetadata;
          const { cost } = book.cost({
            provider,
            model,
            at,
            usage: { ...oracleUsage(usage), raw },
          });
          if (cost.usd === null) continue;
          const input = [cost.inputUsd, cost.cacheReadUsd, cost.cacheWriteUsd];
          const same =
            near(
              input.reduce((sum, part) => sum + Number(part ?? 0), 0),
              theirs.input_price,
            ) && near(Number(cost.outputUsd ?? 0), theirs.output_price ?? '0');
          if (same) result.equal++;
          else if (cost.price === 'exact') result.exactDiffering.push(`${provider} ${model}`);
          else result.differing.add(provider);
        }
      }
    }
    return result;
  }

  test('are the same wherever the price is exact', () => {
    const { equal, exactDiffering, differing } = compare();
    // They had $1 of output for $0.10 then, and have since mended it.
    expect(exactDiffering).toEqual(['mistral_ai ministral-8b-latest']);
    expect(equal).toBeGreaterThan(2_500);
    // Bare Claude ids on Bedrock, Claude above 200,000 tokens on Vertex AI, and audio or images.
    expect([...differing].toSorted()).toEqual(['aws.bedrock', 'gcp.vertex_ai']);
  });
});

function oracleUsage(usage: Record<string, number | undefined>): TokenUsage {
  const cacheWrite1h = usage['cache_write_1h_tokens'] ?? 0;
  return {
    inputTokens: {
      total: usage['input_tokens'] ?? 0,
      cacheRead: usage['cache_read_tokens'] ?? 0,
      cacheWrite: (usage['cache_write_tokens'] ?? 0) - cacheWrite1h,
      cacheWrite1h,
    },
    outputTokens: { total: usage['output_tokens'] ?? 0 },
    grade: 'exact',
  };
}

function near(ours: number, theirs: string): boolean {
  return Math.abs(ours - Number(theirs)) <= 1e-9 * Math.max(ours, 1e-9);
}
