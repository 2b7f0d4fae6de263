import type { UsageRecord } from '../types.ts';

let made = 0;

/**
 * A whole, valid usage record for tests: one answered, priced chat call. Every call gives another `id`, counted up
 * from the start of the process; `overrides` replace members at the top level.
 */
export function sampleRecord(overrides: Partial<UsageRecord> = {}): UsageRecord {
  made++;
  const id = `019aa000-0000-7000-8000-${made.toString(16).padStart(12, '0')}`;
  return {
    schemaVersion: 1,
    id,
    callId: id,
    attempt: 1,
    final: true,
    startedAt: '2026-01-31T12:00:00.000Z',
    provider: 'openai',
    api: 'chat.completions',
    requestModel: 'gpt-4o-mini',
    responseModel: 'gpt-4o-mini-2024-07-18',
    stream: false,
    outcome: 'ok',
    status: 200,
    providerRequestId: 'req_sample',
    usage: {
      inputTokens: { total: 1200, uncached: 200, cacheRead: 1000 },
      outputTokens: { total: 50, reasoning: 0 },
      grade: 'exact',
      raw: { prompt_tokens: 1200, completion_tokens: 50 },
    },
    cost: {
      usd: '0.000135',
      inputUsd: '0.00003',
      cacheReadUsd: '0.000075',
      outputUsd: '0.00003',
      price: 'exact',
      priceDate: '2024-07-18',
    },
    saved: { cacheUsd: '0.000075' },
    timing: { queuedMs: 0, heldMs: 0, timeToHeadersMs: 310.5, durationMs: 820.25 },
    context: { tenant: 'acme', user: 'u-1', priority: 'normal', tags: { feature: 'search' } },
    ...overrides,
  };
}
