import { z } from 'zod';
import type { SimulatedLatency } from './options.ts';

const positive = z.number().positive();
const share = z.number().min(0).max(1);
const seconds = z.number().nonnegative();
const time = z.number();

const aFunction = (expected: string): z.ZodType =>
  z.custom((value) => typeof value === 'function', {
    error: ({ input }) => `Invalid input: expected ${expected}, received ${typeof input}`,
  });

/** A complaint that `check` finds, at a member. */
type Complaint = readonly [member: string, message: string];

function complaining<T>(find: (value: T) => readonly (Complaint | false)[]) {
  return (value: T, context: z.RefinementCtx): void => {
    for (const found of find(value)) {
      if (found === false) continue;
      const [member, message] = found;
      context.addIssue({ code: 'custom', path: [member], message });
    }
  };
}

const limit = z
  .strictObject({
    unit: z.enum(['requests', 'tokens', 'inputTokens', 'outputTokens']),
    limit: positive,
    windowMs: positive.optional(),
    algorithm: z.enum(['bucket', 'fixed-window', 'sliding-window']).optional(),
    burst: positive.optional(),
    offsetMs: time.optional(),
    schedule: z.array(z.tuple([time, positive])).optional(),
    chargeRefused: z.boolean().optional(),
    charge: z.enum(['max', 'reserve', 'actual']).optional(),
    countsCacheReads: z.boolean().optional(),
    per: z.enum(['model', 'scope']).optional(),
  })
  .superRefine(
    complaining((given) => {
      const { unit, algorithm = 'bucket', burst, offsetMs, schedule = [] } = given;
      const isRising = schedule.every(([at], index) => index === 0 || at > schedule[index - 1]![0]);
      const countsInput = unit === 'tokens' || unit === 'inputTokens';
      const countsOutput = unit === 'tokens' || unit === 'outputTokens';
      return [
        burst !== undefined && algorithm !== 'bucket' && ['burst', `a ${algorithm} has none`],
        offsetMs !== undefined &&
          algorithm !== 'fixed-window' && ['offsetMs', `a ${algorithm} has no windows that begin`],
        !isRising && ['schedule', 'expected times that rise'],
        given.charge !== undefined && !countsOutput && ['charge', `${unit} count no output`],
        given.countsCacheReads !== undefined &&
          !countsInput && ['countsCacheReads', `${unit} count no input`],
      ];
    }),
  );

const latency = z.strictObject({
  headMs: seconds.optional(),
  perInputTokenMs: seconds.optional(),
  tokensPerSecond: positive.optional(),
  jitter: share.optional(),
});

const period = { from: time, to: time };
const isPeriod = complaining(({ from, to }: { from: number; to: number }) => [
  to <= from && ['to', `expected a time after ${from}, got ${to}`],
]);

const traffic = {
  limits: z.array(limit).optional(),
  headers: z.enum(['own', 'openai', 'anthropic', 'epoch', 'none']).optional(),
  retryAfter: z.union([z.enum(['seconds', 'ms', 'both', 'date', 'none']), seconds]).optional(),
  maxConcurrent: z.int().positive().optional(),
  latency: z.union([latency, aFunction('latency or a function of the request')]).optional(),
  load: z
    .strictObject({
      knee: positive,
      hard: positive.optional(),
      degrade: z.number().nonnegative().optional(),
    })
    .superRefine(
      complaining(({ knee, hard = Infinity }) => [
        hard < knee && ['hard', `expected the knee (${knee}) or more, got ${hard}`],
      ]),
    )
    .optional(),
  overload: z
    .array(
      z
        .strictObject({
          ...period,
          share,
          status: z.literal([529, 503]).optional(),
          retryAfter: seconds.optional(),
        })
        .superRefine(isPeriod),
    )
    .optional(),
  outages: z
    .array(
      z
        .strictObject({
          ...period,
          kind: z.enum(['503', 'refuse', 'hang']),
          retryAfter: seconds.optional(),
        })
        .superRefine(isPeriod),
    )
    .optional(),
  neighbours: z
    .strictObject({
      requestsPerMinute: z.union([seconds, aFunction('a number or a function of the time')]),
      tokens: z.number().nonnegative().optional(),
    })
    .optional(),
  random: aFunction('a function () => number').optional(),
};

const NEED_A_CLOCK = ['latency', 'load', 'maxConcurrent'] as const;
const anything = z.unknown().optional();

/** What `simulateProvider` takes. Options that are older than those of traffic are not looked into here. */
const simulateOptions = z
  .strictObject({
    provider: anything,
    cache: anything,
    band: anything,
    answer: anything,
    model: anything,
    scope: anything,
    tokensOf: anything,
    clock: anything,
    now: anything,
    firstByteMs: anything,
    durationMs: anything,
    onCall: anything,
    ...traffic,
  })
  .superRefine(
    complaining((given) => [
      ...NEED_A_CLOCK.map(
        (name): Complaint | false =>
          given[name] !== undefined &&
          given.clock === undefined && [name, 'needs a clock: without one answers take no time'],
      ),
      given.neighbours !== undefined &&
        (given.limits ?? []).length === 0 && ['neighbours', 'use up limits: give some'],
      given.latency !== undefined &&
        (given.firstByteMs ?? given.durationMs) !== undefined && [
          'latency',
          'takes the place of firstByteMs and durationMs: give one or the other',
        ],
    ]),
  );

/** Which options make traffic; randomness alone does not. */
export const trafficOptionNames: readonly string[] = Object.keys(traffic).filter(
  (name) => name !== 'random',
);

/** Throws a `TypeError` that names every wrong option, what was expected and what came. */
export function checkOptions(options: unknown): void {
  check(simulateOptions, options, 'simulateProvider was given wrong options');
}

/** Checks what a `latency` function gave. */
export function checkLatency(given: unknown): SimulatedLatency {
  return check(latency, given, 'The latency function of simulateProvider gave a wrong latency');
}

function check<T>(schema: z.ZodType<T>, value: unknown, complaint: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new TypeError(
    `${complaint}:\n${z.prettifyError(result.error)}\nThe options are listed in docs/testing.md.`,
  );
}
