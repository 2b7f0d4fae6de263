import { Histogram } from './histogram.ts';
import { Series } from './series.ts';

/** Of US dollars: pico-dollars, as records have them. */
const DOLLARS = 12;

/** Counted from records, each once. */
export class RecordMetrics {
  readonly requests: Series = new Series({
    name: 'requests_total',
    type: 'counter',
    labels: ['provider', 'api', 'model', 'priority', 'outcome'],
    help: 'Calls that have ended, by how they ended.',
  });
  readonly duration: Histogram;
  readonly timeToFirstChunk: Histogram;
  readonly queueWait: Histogram;
  readonly upstreamRequests: Series = new Series({
    name: 'upstream_requests_total',
    type: 'counter',
    labels: ['provider', 'api', 'outcome'],
    help: 'Requests sent to providers, by how they ended; retried: one that was followed by another.',
  });
  readonly providerErrors: Series = new Series({
    name: 'provider_errors_total',
    type: 'counter',
    labels: ['provider', 'api', 'model', 'outcome'],
    help: 'Requests sent to providers that failed, without those that were retried.',
  });
  readonly tokens: Series = new Series({
    name: 'tokens_total',
    type: 'counter',
    labels: ['provider', 'api', 'model', 'type'],
    help: 'Tokens by type: uncached, cache_read, cache_write, cache_write_1h, output. They do not overlap.',
  });
  readonly reasoningTokens: Series = new Series({
    name: 'reasoning_tokens_total',
    type: 'counter',
    labels: ['provider', 'api', 'model'],
    help: 'The part of the output tokens spent on reasoning.',
  });
  readonly cacheHits: Series = new Series({
    name: 'cache_hits_total',
    type: 'counter',
    labels: ['provider', 'api', 'model'],
    help: 'Answers whose prompt was read from the prompt cache, at least in part.',
  });
  readonly cacheMisses: Series = new Series({
    name: 'cache_misses_total',
    type: 'counter',
    labels: ['provider', 'api', 'model', 'reason'],
    help: 'Answers of whose prompt nothing was read from the prompt cache, by why; nothing-to-read: no prefix was known.',
  });
  readonly cacheLostTokens: Series = new Series({
    name: 'cache_lost_tokens_total',
    type: 'counter',
    labels: ['provider', 'model', 'reason'],
    help: 'Input tokens that could have been read from the prompt cache and were not.',
  });
  readonly cost: Series = new Series({
    name: 'cost_dollars_total',
    type: 'counter',
    labels: ['provider', 'api', 'model'],
    decimals: DOLLARS,
    help: 'What requests cost in US dollars, as far as it is known.',
  });
  readonly unpriced: Series = new Series({
    name: 'unpriced_records_total',
    type: 'counter',
    labels: ['provider', 'api', 'model'],
    help: 'Records with usage whose cost is not known.',
  });
  readonly saved: Series = new Series({
    name: 'saved_dollars_total',
    type: 'counter',
    labels: ['provider', 'source'],
    decimals: DOLLARS,
    help: 'US dollars saved by the prompt cache (cache) and by shared answers (dedupe).',
  });
  readonly cacheLoss: Series = new Series({
    name: 'cache_loss_dollars_total',
    type: 'counter',
    labels: ['provider'],
    decimals: DOLLARS,
    help: 'US dollars that writes to the prompt cache cost above what their requests saved.',
  });
  readonly dedupeHits: Series = new Series({
    name: 'dedupe_hits_total',
    type: 'counter',
    labels: ['provider', 'role'],
    help: 'Calls that sent no request of their own: they shared one (follower) or got a kept answer (cache).',
  });
  readonly dedupeTimeouts: Series = new Series({
    name: 'dedupe_timeouts_total',
    type: 'counter',
    labels: ['provider'],
    help: 'Calls that shared a request and did not get its answer in time, or read it too slowly.',
  });

  constructor(buckets: readonly number[]) {
    this.duration = new Histogram(buckets, {
      name: 'request_duration_seconds',
      labels: ['provider', 'api', 'model', 'outcome'],
      help: 'From the call to the end of the answer, at the pace of its reader.',
    });
    this.timeToFirstChunk = new Histogram(buckets, {
      name: 'time_to_first_chunk_seconds',
      labels: ['provider', 'model'],
      help: 'From the call to the first byte of the body, of streams.',
    });
    this.queueWait = new Histogram(buckets, {
      name: 'queue_wait_seconds',
      labels: ['provider', 'priority'],
      help: 'How long calls waited for their turns.',
    });
  }

  all(): Array<Series | Histogram> {
    return Object.values(this);
  }
}
