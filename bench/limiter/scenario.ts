import type { TrafficOptions } from '../../src/testing/simulate/traffic/options.ts';
import type { Latency } from './latency.ts';
import type { ClockFault } from './process-clock.ts';
import type { Format } from './requests.ts';

/** What work is counted in. `chargedTokens`: input, and all the output that was asked for. */
export type Unit = 'requests' | 'inputTokens' | 'outputTokens' | 'tokens' | 'chargedTokens';

/** A provider, what is asked of it, and what goes wrong. Senders are told the limits only where that is said. */
export interface Scenario {
  readonly name: string;
  readonly minutes: number;
  /** Work is counted in the unit whose limit binds. */
  readonly unit: Unit;
  readonly format: Format;
  readonly provider: Omit<TrafficOptions, 'latency' | 'random'>;
  /** How fast it answers, where that differs from the usual. */
  readonly latency?: Partial<Latency>;
  readonly load: Load;
  /** What the router is to reach. */
  readonly goal: Goal;
  /** Processes of the same application with the same key, which do not know each other. Default: 1. */
  readonly processes?: number;
  /** How long clients wait for the head of an answer. Default: 120 000. */
  readonly timeoutMs?: number;
  /** What goes wrong with the clocks of the processes. */
  readonly clockFaults?: readonly ClockFault[];
  /** How far the provider's date is ahead. */
  readonly serverAheadMs?: number;
  /** Whether it is among the few that `--quick` plays. */
  readonly isQuick?: boolean;
}

export interface Goal {
  /** At least so many percent of what the oracle does. */
  readonly goodput: number;
  /** At most so many 429s per 1,000 sends. */
  readonly refused: number;
}

/** What an application asks for. */
export interface Load {
  /** Offered work for each that the provider takes. */
  readonly share: number;
  /** Calls that are there at the start. Default: none. */
  readonly backlog?: number;
  /** `small`: some 300 tokens of input; `chat`: some 1,300; `documents`: chats, and every seventh a document. */
  readonly sizes: 'small' | 'chat' | 'documents';
  readonly maxInputTokens?: number;
  /** Default: 220. */
  readonly outputMedian?: number;
  /** Calls that come together, besides. */
  readonly batches?: {
    readonly everyMinutes: number;
    /** How many: what the provider takes in so many minutes. */
    readonly quotaMinutes: number;
    /** Shares of urgent, high, normal and low. */
    readonly mix: readonly number[];
  };
}
