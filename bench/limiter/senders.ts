import { createRouter, type RouterOptions } from '../../src/index.ts';
import type { SimulatedLimit } from '../../src/testing/simulate/traffic/options.ts';
import type { Clock, Random } from '../../src/types.ts';
import { createFixedBucket } from './fixed-bucket.ts';
import type { Scenario } from './scenario.ts';
import { sdkRetries } from './sdk-retries.ts';
import { meanAmount, requestsPerMinute, type WorkCall } from './workload.ts';

/** Who decides when a request is sent. */
export const SENDERS = [
  'ours',
  'fixed bucket',
  'adr009',
  'aimd',
  'SDK, 2 retries',
  'SDK, 8 retries',
] as const;

export type SenderName = (typeof SENDERS)[number];

/** A process's way to the provider. */
export type Sender = (call: WorkCall, url: string, init: RequestInit) => Promise<Response>;

export interface SenderOptions {
  readonly scenario: Scenario;
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: typeof globalThis.fetch;
}

export function createSender(name: SenderName, options: SenderOptions): Sender {
  const { scenario } = options;
  switch (name) {
    case 'ours':
      return throughRouter(undefined, options);
    case 'adr009':
      return throughRouter(
        [{ requestsPerMinute: ownShare(scenario), adaptive: 'adr009' }],
        options,
      );
    case 'aimd':
      return throughRouter([{ adaptive: 'aimd' }], options);
    case 'fixed bucket':
      return throughBucket(options);
    case 'SDK, 2 retries':
      return withRetries(2, options);
    case 'SDK, 8 retries':
      return withRetries(8, options);
  }
}

const DAY = 86_400_000;

/** `undefined`: the router's default, which is told nothing. */
function throughRouter(
  limits: RouterOptions['limits'],
  { clock, random, transport }: SenderOptions,
): Sender {
  const router = createRouter({
    clock,
    random,
    fetch: transport,
    limits,
    promptCache: 'off',
    dedupe: { mode: 'off' },
    // The router itself gives nobody up: calls wait as long as it takes.
    schedule: { maxQueue: 1_000_000, lowMaxWaitMs: DAY },
    retry: { maxAttempts: 50, maxElapsedMs: DAY },
  });
  return (_call, url, init) => router.fetch(url, init);
}

function throughBucket(options: SenderOptions): Sender {
  const { scenario, clock, transport } = options;
  const bucket = createFixedBucket({
    clock,
    limits: knownLimits(scenario),
    processes: scenario.processes ?? 1,
    usualOutputTokens: meanAmount(scenario.load, 'outputTokens'),
  });
  return (call, url, init) => {
    const paced: typeof transport = async (...request) => {
      await bucket.admit(call);
      return transport(...request);
    };
    return sdkRetries({ ...options, transport: paced, retries: 8 })(url, init);
  };
}

function withRetries(retries: number, options: SenderOptions): Sender {
  const fetch = sdkRetries({ ...options, retries });
  return (_call, url, init) => fetch(url, init);
}

/** The provider's limits as they were at the start; of a server that only bears so many at once, the rate that comes to. */
function knownLimits(scenario: Scenario): readonly SimulatedLimit[] {
  return scenario.provider.limits ?? [{ unit: 'requests', limit: requestsPerMinute(scenario) }];
}

/** What an operator writes down as a process's requests per minute. */
function ownShare(scenario: Scenario): number {
  const requests = knownLimits(scenario).filter(({ unit }) => unit === 'requests');
  const rates = requests.map(({ limit, windowMs = 60_000 }) => (limit * 60_000) / windowMs);
  return Math.round(Math.min(...rates) / (scenario.processes ?? 1));
}
