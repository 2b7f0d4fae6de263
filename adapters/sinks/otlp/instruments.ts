import type { UsageRecord } from '../../../src/types.ts';
import {
  cacheWriteOf,
  cleaned,
  costOf,
  errorTypeOf,
  firstChunkSeconds,
  operationOf,
} from './attributes.ts';
import {
  ERROR_TYPE,
  GEN_AI,
  METRICS,
  SCOPE,
  TOKEN_MODALITY,
  TOKEN_TYPE,
  type Generation,
  type Metric,
  type MetricName as Name,
} from './names.ts';
import { VALUE_DOUBLE, VALUE_INT } from './open-telemetry.ts';
import type { Attributes, Counter, Histogram, Meter, MeterProvider } from './open-telemetry.ts';

/**
 * The instruments of one meter provider. One that was made before the host registered its own is without effect for ever, because
 * metrics have no proxy (opentelemetry-js issue 3622): so these are made anew whenever the provider is another one.
 */
export class Instruments {
  readonly #provider: () => MeterProvider;
  readonly #generations: readonly Generation[];
  #madeFor: MeterProvider | undefined;
  #counters: ReadonlyMap<Name, Counter> = new Map();
  #histograms: ReadonlyMap<Name, Histogram> = new Map();

  constructor(provider: () => MeterProvider, generations: readonly Generation[]) {
    this.#provider = provider;
    this.#generations = generations;
  }

  /** Before each batch. */
  refresh(): void {
    const provider = this.#provider();
    if (provider === this.#madeFor) return;
    const meter = provider.getMeter(SCOPE);
    const counters = new Map<Name, Counter>();
    const histograms = new Map<Name, Histogram>();
    for (const name of this.#names()) {
      const metric = METRICS[name];
      if (metric.kind === 'counter') counters.set(name, counter(meter, metric));
      else histograms.set(name, histogram(meter, metric));
    }
    this.#counters = counters;
    this.#histograms = histograms;
    this.#madeFor = provider;
  }

  /** What a record adds, final or not: every attempt that may have cost something has its own. */
  count(record: UsageRecord): void {
    const attributes = modelAttributes(record);
    const { inputTokens, outputTokens } = record.usage;
    const unknown = { ...attributes, [TOKEN_MODALITY]: 'unknown' };
    const none = valueOfNone(record);
    this.#add('inputTokens', inputTokens.total ?? none, unknown);
    this.#add('outputTokens', outputTokens.total ?? none, unknown);
    this.#add('cacheRead', inputTokens.cacheRead, unknown);
    this.#add('cacheWrite', cacheWriteOf(record), unknown);
    this.#add('reasoning', outputTokens.reasoning, unknown);
    this.#add('cost', costOf(record), attributes);
  }

  /** What a call was, given its final record and the sum of its attempts. */
  observe(final: UsageRecord, { usage }: UsageRecord): void {
    const attributes = modelAttributes(final);
    const errorType = errorTypeOf(final);
    const all = errorType === undefined ? attributes : { ...attributes, [ERROR_TYPE]: errorType };
    const seconds = final.timing.durationMs / 1000;
    const isInference = INFERENCE.has(operationOf(final.api));
    if (isInference) this.#record('duration', seconds, all);
    if (!isInference || this.#generations.includes('v1.41')) {
      this.#record('otherDuration', seconds, all);
    }
    const first = firstChunkSeconds(final);
    if (isInference) this.#record('timeToFirstChunk', first, attributes);
    this.#record('oldTimeToFirstChunk', first, attributes);
    const none = valueOfNone(final);
    const input = usage.inputTokens.total;
    const output = usage.outputTokens.total;
    this.#record('operationInput', input ?? none, all);
    this.#record('operationOutput', output ?? none, all);
    this.#record('oldTokens', input, { ...attributes, [TOKEN_TYPE]: 'input' });
    this.#record('oldTokens', output, { ...attributes, [TOKEN_TYPE]: 'output' });
  }

  #names(): ReadonlySet<Name> {
    return new Set(this.#generations.flatMap((generation) => NAMES[generation]));
  }

  #add(name: Name, value: number | undefined, attributes: Attributes): void {
    if (fits(value)) this.#counters.get(name)?.add(value, attributes);
  }

  #record(name: Name, value: number | undefined, attributes: Attributes): void {
    if (fits(value)) this.#histograms.get(name)?.record(value, attributes);
  }
}

const NAMES: Readonly<Record<Generation, readonly Name[]>> = {
  latest: [
    'duration',
    'timeToFirstChunk',
    'inputTokens',
    'outputTokens',
    'cacheRead',
    'cacheWrite',
    'reasoning',
    'operationInput',
    'operationOutput',
    'otherDuration',
    'cost',
  ],
  'v1.41': ['otherDuration', 'oldTimeToFirstChunk', 'oldTokens', 'cost'],
};

const INFERENCE: ReadonlySet<string> = new Set(['chat', 'text_completion', 'generate_content']);

/** A failed call counts as 0 (gen-ai-token-metrics.md), told apart by its error.type; what an answer did not say stays unknown. */
function valueOfNone({ outcome, api }: UsageRecord): 0 | undefined {
  return outcome !== 'ok' && INFERENCE.has(operationOf(api)) ? 0 : undefined;
}

/** Few values only: no ids, tenants or tags. The SDK bounds how many models there can be. */
function modelAttributes(record: UsageRecord): Attributes {
  const attributes: Attributes = {
    [GEN_AI.operation]: operationOf(record.api),
    [GEN_AI.provider]: cleaned(record.provider, MAX_VALUE),
  };
  const { requestModel, responseModel } = record;
  if (requestModel !== undefined)
    attributes[GEN_AI.requestModel] = cleaned(requestModel, MAX_VALUE);
  if (responseModel !== undefined) {
    attributes[GEN_AI.responseModel] = cleaned(responseModel, MAX_VALUE);
  }
  return attributes;
}

const MAX_VALUE = 256;

/** One absurd number would spoil the sum of the whole process. */
function fits(value: number | undefined): value is number {
  return value !== undefined && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}

function counter(meter: Meter, { name, unit, description, isInt }: Metric): Counter {
  return meter.createCounter(name, { unit, description, valueType: valueTypeOf(isInt) });
}

function histogram(meter: Meter, metric: Metric): Histogram {
  const { name, unit, description, isInt, boundaries = [] } = metric;
  return meter.createHistogram(name, {
    unit,
    description,
    valueType: valueTypeOf(isInt),
    advice: { explicitBucketBoundaries: [...boundaries] },
  });
}

function valueTypeOf(isInt: true | undefined): number {
  return isInt === true ? VALUE_INT : VALUE_DOUBLE;
}
