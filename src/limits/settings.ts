import { z } from 'zod';

/**
 * How the provider's own limit is found and kept. `true`: learnt from headers and refusals. `false`: not at all. A name: that
 * strategy instead.
 */
export type AdaptiveKind = boolean | 'adr009' | 'aimd';

/** What a rule counts separately for. `account`: whoever the request's credentials belong to. */
export type LimitDimension = 'provider' | 'account' | 'model' | 'tenant' | 'user';

/** Which calls a rule is for: those that fit all that is named here. */
export interface LimitMatch {
  /** As in `UsageRecord.provider`. A `*` at the start or end stands for anything. */
  provider?: string | undefined;
  /** The model that the request names. A `*` at the start or end stands for anything. */
  model?: string | undefined;
  /** The tenant that the call is made for. */
  tenant?: string | undefined;
  /** The user that the call is made for. */
  user?: string | undefined;
  /** Tags of the call, all of them. */
  tag?: Readonly<Record<string, string>> | undefined;
}

/**
 * One rule of `createRouter({ limits })`. Every rule that matches a call applies to it.
 *
 * A minute is any 60 seconds and a day any 24 hours, not those of the clock on the wall. A request counts from when it is sent,
 * refused ones too; one that the provider never took costs no tokens and no request of the day. Its tokens are reserved before
 * and counted as the provider reports them afterwards, at the time it was sent. A request larger than a whole limit goes when
 * nothing else is counted.
 */
export interface LimitRule {
  /** Which calls it is for. Default: all. */
  match?: LimitMatch | undefined;
  /**
   * For each combination of these it counts separately; `[]` counts all that it matches together. Calls that lack one (no
   * tenant) are counted together. Default: `['provider', 'account', 'model']`, but `[]` when `match` names a tenant, a user or
   * a tag.
   */
  per?: readonly LimitDimension[] | undefined;
  /** Requests in any 60 s. Default: no limit. */
  requestsPerMinute?: number | undefined;
  /** Input and output tokens in any 60 s. Default: no limit. */
  tokensPerMinute?: number | undefined;
  /** Input tokens in any 60 s. Default: no limit. */
  inputTokensPerMinute?: number | undefined;
  /** Output tokens in any 60 s. Default: no limit. */
  outputTokensPerMinute?: number | undefined;
  /** Requests in any 24 h. Default: no limit. */
  requestsPerDay?: number | undefined;
  /** Input and output tokens in any 24 h. Default: no limit. */
  tokensPerDay?: number | undefined;
  /** Requests under way at once, until the end of the answer's body. Default: no limit. */
  concurrency?: number | undefined;
  /** Whether tokens read from the provider's prompt cache count as input. Default: true. */
  countCacheReads?: boolean | undefined;
  /**
   * How the provider's own limit is found for these calls. The last rule that matches and says so decides. A strategy starts
   * with `requestsPerMinute` of the same rule: for `adr009` its base rate. Default: true where no rule says.
   */
  adaptive?: AdaptiveKind | undefined;
}

const name = z.string().min(1);
const pattern = name.regex(/^\*?[^*]*\*?$/, 'Invalid input: expected * only at the start or end');
const count = z.int().min(1);

const rule: z.ZodType<LimitRule> = z
  .strictObject({
    match: z
      .strictObject({
        provider: pattern.optional(),
        model: pattern.optional(),
        tenant: name.optional(),
        user: name.optional(),
        tag: z.record(name, z.string()).optional(),
      })
      .optional(),
    per: z.array(z.enum(['provider', 'account', 'model', 'tenant', 'user'])).optional(),
    requestsPerMinute: count.optional(),
    tokensPerMinute: count.optional(),
    inputTokensPerMinute: count.optional(),
    outputTokensPerMinute: count.optional(),
    requestsPerDay: count.optional(),
    tokensPerDay: count.optional(),
    concurrency: count.optional(),
    countCacheReads: z.boolean().optional(),
    adaptive: z.union([z.boolean(), z.enum(['adr009', 'aimd'])]).optional(),
  })
  .refine((given) => given.adaptive !== undefined || hasLimit(given), {
    error: 'Invalid input: expected a limit or `adaptive`, a rule without either does nothing',
  });

export const limitsSchema: z.ZodType<readonly LimitRule[]> = z.array(rule);

/** Whether it limits anything by itself. */
export function hasLimit(given: LimitRule): boolean {
  return (
    given.requestsPerMinute !== undefined ||
    given.tokensPerMinute !== undefined ||
    given.inputTokensPerMinute !== undefined ||
    given.outputTokensPerMinute !== undefined ||
    given.requestsPerDay !== undefined ||
    given.tokensPerDay !== undefined ||
    given.concurrency !== undefined
  );
}
