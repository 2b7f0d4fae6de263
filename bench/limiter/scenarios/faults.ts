import type { Scenario } from '../scenario.ts';
import { FOUND, TOLD } from './shapes.ts';

const MINUTE = 60_000;
const OUTAGE = { from: 6 * MINUTE, to: 7 * MINUTE };

/** Providers that fail for a while, whoever asks. */
export const FAULTS: readonly Scenario[] = [
  {
    name: 'overloaded, four times 30 s',
    minutes: 20,
    unit: 'requests',
    format: 'anthropic',
    provider: {
      limits: [
        { unit: 'requests', limit: 120, burst: 30 },
        { unit: 'inputTokens', limit: 2_000_000, burst: 500_000 },
      ],
      overload: [3, 7, 11, 15].map((minute) => ({
        from: minute * MINUTE,
        to: (minute + 0.5) * MINUTE,
        share: 0.15,
      })),
    },
    goal: TOLD,
    load: { share: 1.2, backlog: 20, sizes: 'small' },
  },
  {
    name: 'outage of 60 s, answered 503',
    minutes: 15,
    unit: 'requests',
    format: 'openai',
    provider: {
      limits: [
        { unit: 'requests', limit: 300, burst: 75, chargeRefused: true },
        { unit: 'tokens', limit: 2_000_000, burst: 500_000, charge: 'max' },
      ],
      outages: [{ ...OUTAGE, kind: '503' }],
    },
    goal: TOLD,
    load: { share: 0.8, sizes: 'small' },
  },
  {
    name: 'outage of 60 s, hanging',
    minutes: 15,
    unit: 'requests',
    format: 'nvidia',
    provider: {
      headers: 'none',
      retryAfter: 'none',
      limits: [{ unit: 'requests', limit: 60, algorithm: 'sliding-window' }],
      outages: [{ ...OUTAGE, kind: 'hang' }],
    },
    goal: FOUND,
    load: { share: 0.8, sizes: 'small' },
    timeoutMs: 20_000,
    isQuick: true,
  },
];
