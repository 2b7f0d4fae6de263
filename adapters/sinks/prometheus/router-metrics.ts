import { Series, type SeriesDefinition } from './series.ts';

/** Of US dollars: pico-dollars, as records have them. */
const DOLLARS = 12;
const RATIO = 6;

/** Read from the routers whenever the page is asked for. */
export class RouterMetrics {
  readonly activeCalls: Series = gauge({
    name: 'active_calls',
    labels: [],
    help: 'Calls that have not ended, waiting ones included.',
  });
  readonly activeStreams: Series = gauge({
    name: 'active_streams',
    labels: [],
    help: 'Calls for a stream that have not ended, waiting ones included.',
  });
  readonly inFlight: Series = gauge({
    name: 'requests_in_flight',
    labels: ['provider'],
    help: 'Requests under way, until the last byte of the answer.',
  });
  readonly queueDepth: Series = gauge({
    name: 'queue_depth',
    labels: ['provider', 'priority'],
    help: 'Calls that wait for their turn.',
  });
  readonly effectiveRate: Series = gauge({
    name: 'effective_rate_per_minute',
    labels: ['provider', 'model'],
    decimals: 3,
    help: 'Requests a minute that the known limits let through.',
  });
  readonly limitState: Series = gauge({
    name: 'limit_state',
    labels: ['provider', 'model', 'state'],
    help: 'Queues (one for each provider, account and model) whose limit is in this state: normal, retreat, recover.',
  });
  readonly rateLimited: Series = gauge({
    name: 'rate_limited_ratio',
    labels: ['provider', 'model'],
    decimals: RATIO,
    merge: 'max',
    help: 'Share of the requests of the last 60 s that were refused for their rate (429), in the worst queue.',
  });
  readonly budgetUse: Series = gauge({
    name: 'budget_use_ratio',
    labels: ['budget', 'window'],
    decimals: RATIO,
    merge: 'max',
    help: 'Share of a budget that is spent, by whoever has spent most of it; above 1 when it is overdrawn.',
  });
  readonly budgetLimitUsd: Series = budgetUsd('limit', 'US dollars that may be spent in a window');
  readonly budgetSpentUsd: Series = budgetUsd('spent', 'US dollars spent in the window');
  readonly budgetReservedUsd: Series = budgetUsd('reserved', 'US dollars held for calls under way');
  readonly budgetRemainingUsd: Series = gauge({
    name: 'budget_remaining_dollars',
    labels: ['budget', 'window'],
    decimals: DOLLARS,
    merge: 'min',
    help: 'US dollars left to whoever has least left.',
  });
  readonly budgetLimitTokens: Series = budgetTokens('limit', 'Tokens that may be used in a window');
  readonly budgetSpentTokens: Series = budgetTokens('spent', 'Tokens used in the window');
  readonly budgetReservedTokens: Series = budgetTokens(
    'reserved',
    'Tokens held for calls under way',
  );
  readonly budgetRemainingTokens: Series = gauge({
    name: 'budget_remaining_tokens',
    labels: ['budget', 'window'],
    merge: 'min',
    help: 'Tokens left to whoever has least left.',
  });
  readonly dropped: Series = counter({
    name: 'events_dropped_total',
    labels: ['sink', 'reason'],
    help: 'Records that did not get into a sink.',
  });
  readonly written: Series = counter({
    name: 'records_written_total',
    labels: ['sink'],
    help: 'Records that a sink has stored.',
  });
  readonly sinkRetries: Series = counter({
    name: 'sink_retries_total',
    labels: ['sink'],
    help: 'Writes that a sink has rejected.',
  });
  readonly pending: Series = gauge({
    name: 'records_pending',
    labels: ['sink'],
    help: 'Records that wait for a sink.',
  });
  readonly spoolBytes: Series = gauge({
    name: 'spool_bytes',
    labels: [],
    help: 'What the records that wait take up on the disk.',
  });
  readonly unspooled: Series = counter({
    name: 'unspooled_records_total',
    labels: ['reason'],
    help: 'Records that were kept in memory alone because the disk did not take them.',
  });
  readonly responseCacheBytes: Series = gauge({
    name: 'response_cache_bytes',
    labels: [],
    help: 'Memory of the answers in the response cache.',
  });
  readonly uptime: Series = gauge({
    name: 'uptime_seconds',
    labels: [],
    decimals: 3,
    merge: 'max',
    help: 'Since the router was made; of several, the oldest.',
  });
  readonly memory: Series = gauge({
    name: 'process_resident_memory_bytes',
    labels: [],
    help: 'Memory of the process.',
  });
  readonly cpu: Series = counter({
    name: 'process_cpu_seconds_total',
    labels: [],
    decimals: 6,
    help: 'Processor time of the process.',
  });

  all(): Series[] {
    return Object.values(this);
  }
}

type Rest = Omit<SeriesDefinition, 'type'>;

function gauge(definition: Rest): Series {
  return new Series({ ...definition, type: 'gauge' });
}

function counter(definition: Rest): Series {
  return new Series({ ...definition, type: 'counter' });
}

function budgetUsd(what: string, help: string): Series {
  return gauge({
    name: `budget_${what}_dollars`,
    labels: ['budget', 'window'],
    decimals: DOLLARS,
    help: `${help}, by all whom the budget counts together.`,
  });
}

function budgetTokens(what: string, help: string): Series {
  return gauge({
    name: `budget_${what}_tokens`,
    labels: ['budget', 'window'],
    help: `${help}, by all whom the budget counts together.`,
  });
}
