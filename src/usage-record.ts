import { z } from 'zod';

import type { UsageRecord } from './types.ts';

const id = z.uuidv7({ error: 'expected a UUIDv7' });
const name = z.string().min(1, { error: 'expected a non-empty string' });
const tokens = z.int().nonnegative().optional();
const milliseconds = z.number().nonnegative();
const dollars = z
  .string()
  .regex(/^(?:0|[1-9]\d*)(?:\.\d+)?$/, { error: 'expected a decimal string such as "0.00125"' });
/** Savings may be negative: a cache write that was never read costs more than it saved. */
const savedDollars = z.string().regex(/^-?(?:0|[1-9]\d*)(?:\.\d+)?$/, {
  error: 'expected a decimal string such as "0.00125" or "-0.5"',
});

const record = z.strictObject({
  schemaVersion: z.literal(1),
  id,
  callId: name,
  attempt: z.int().nonnegative(),
  final: z.boolean(),
  startedAt: z.iso.datetime({
    error: 'expected ISO 8601 in UTC, such as 2026-01-31T12:00:00.000Z',
  }),
  provider: name,
  api: z.enum([
    'chat.completions',
    'completions',
    'responses',
    'messages',
    'generateContent',
    'embeddings',
    'other',
  ]),
  requestModel: z.string().optional(),
  responseModel: z.string().optional(),
  route: z.string().optional(),
  target: z.string().optional(),
  stream: z.boolean(),
  outcome: z.enum([
    'ok',
    'rate_limited',
    'overloaded',
    'client_error',
    'server_error',
    'network_error',
    'timeout',
    'stalled',
    'truncated',
    'aborted',
    'rejected',
  ]),
  status: z.int().min(100).max(599).optional(),
  errorCode: z.string().optional(),
  providerRequestId: z.string().optional(),
  usage: z.strictObject({
    inputTokens: z.strictObject({
      total: tokens,
      uncached: tokens,
      cacheRead: tokens,
      cacheWrite: tokens,
      cacheWrite1h: tokens,
    }),
    outputTokens: z.strictObject({ total: tokens, reasoning: tokens }),
    grade: z.enum(['exact', 'partial', 'estimated', 'none']),
    raw: z.unknown().optional(),
  }),
  cost: z.strictObject({
    usd: dollars.nullable(),
    inputUsd: dollars.optional(),
    cacheReadUsd: dollars.optional(),
    cacheWriteUsd: dollars.optional(),
    outputUsd: dollars.optional(),
    price: z.enum(['exact', 'approximate', 'unpriced']),
    priceDate: z.iso.date({ error: 'expected a day such as 2026-01-31' }).optional(),
  }),
  saved: z.strictObject({
    cacheUsd: savedDollars.optional(),
    dedupeUsd: savedDollars.optional(),
  }),
  timing: z.strictObject({
    queuedMs: milliseconds,
    heldMs: milliseconds,
    timeToHeadersMs: milliseconds.optional(),
    timeToFirstChunkMs: milliseconds.optional(),
    durationMs: milliseconds,
  }),
  dedupe: z
    .strictObject({
      role: z.enum(['leader', 'follower', 'cache']),
      leaderId: z.string().optional(),
    })
    .optional(),
  cache: z
    .strictObject({
      prefix: z.string(),
      marks: z.int().nonnegative(),
      expectedRead: tokens,
      miss: z
        .strictObject({
          reason: z.enum([
            'tools-changed',
            'tools-reordered',
            'system-changed',
            'history-edited',
            'expired',
            'too-short',
            'lookback',
            'not-yet-readable',
            'model-changed',
            'parameter-changed',
            'evicted',
          ]),
          position: z.int().nonnegative().optional(),
          difference: z
            .strictObject({
              byte: z.int().nonnegative(),
              class: z.enum(['timestamp', 'uuid', 'counter', 'other']),
            })
            .optional(),
          lostTokens: tokens,
          lostUsd: dollars.optional(),
        })
        .optional(),
    })
    .optional(),
  context: z.strictObject({
    tenant: z.string().optional(),
    user: z.string().optional(),
    priority: z.enum(['urgent', 'high', 'normal', 'low']),
    session: z.string().optional(),
    tags: z.record(z.string(), z.string()).optional(),
  }),
  trace: z
    .strictObject({
      traceId: z.string().regex(/^[0-9a-f]{32}$/),
      spanId: z.string().regex(/^[0-9a-f]{16}$/),
      sampled: z.boolean(),
    })
    .optional(),
  captured: z
    .strictObject({ request: z.string().optional(), answer: z.string().optional() })
    .optional(),
});

/** `A` when both types are the same down to optional keys, else `never`. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? A : never;

/**
 * Checks a `UsageRecord` of schema version 1, for readers of files, queues and databases that must not trust what
 * they read. Strict: an unknown member is an error that names it. Does not compile when it and the interface differ.
 */
export const usageRecordSchema: z.ZodType<UsageRecord> = record satisfies z.ZodType<
  Same<UsageRecord, z.infer<typeof record>>
>;
