import type { Priority } from '../../src/types.ts';
import { createDraw, type Draw } from './draw.ts';
import { durationOf } from './latency.ts';
import type { Load, Scenario, Unit } from './scenario.ts';

export const PRIORITIES: readonly Priority[] = ['urgent', 'high', 'normal', 'low'];

/** One call of an application: what it is, whoever sends it. */
export interface WorkCall {
  readonly number: number;
  readonly arrivedAt: number;
  readonly priority: Priority;
  /** Which process makes it. */
  readonly process: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** The most that it asks for. */
  readonly maxTokens: number;
  /** How long its text is: what a sender can see of `inputTokens`. */
  readonly characters: number;
}

type Size = Pick<WorkCall, 'inputTokens' | 'outputTokens' | 'maxTokens' | 'characters'>;

/** Shares of the priorities where a load names none. */
const MIX = [1, 2, 5, 2];
/** Texts have 4.4 characters a token, give or take 8 %; senders that count on 4 are off by a tenth. */
const CHARACTERS_PER_TOKEN = 4.4;
const CHARACTERS_SIGMA = 0.08;
/** Calls of which a load's averages are taken. */
const SAMPLE = 4000;

/** All calls of a scenario, in the order of their arrival: the same for the same seed, whoever sends them. */
export function workload(scenario: Scenario, seed: number): WorkCall[] {
  const { load, minutes, processes = 1 } = scenario;
  const draw = createDraw(seed, 'arrivals');
  const sizes = createDraw(seed, 'sizes');
  const perMinute = requestsPerMinute(scenario);
  const arrivals: Array<{ at: number; mix: readonly number[] }> = [];
  const push = (at: number, mix: readonly number[] = MIX): void => void arrivals.push({ at, mix });

  for (let index = 0; index < (load.backlog ?? 0); index++) push(0);
  const gap = 60_000 / (perMinute * load.share);
  for (let at = draw.exponential(gap); at < minutes * 60_000; at += draw.exponential(gap)) push(at);
  if (load.batches !== undefined) {
    const { everyMinutes, quotaMinutes, mix } = load.batches;
    for (let minute = 0.5; minute < minutes; minute += everyMinutes) {
      const count = Math.round(perMinute * quotaMinutes);
      for (let i = 0; i < count; i++) push(minute * 60_000 + draw.uniform(0, 500), mix);
    }
  }
  return arrivals
    .toSorted((a, b) => a.at - b.at)
    .map(({ at, mix }, number) => ({
      number,
      arrivedAt: at,
      priority: PRIORITIES[draw.pick(mix)] ?? 'normal',
      process: Math.floor(draw.uniform(0, processes)),
      ...sizeOf(load, sizes),
    }));
}

/** How many requests of its mix a scenario's provider takes a minute when nothing is wrong. */
export function requestsPerMinute(scenario: Scenario): number {
  const { load, provider } = scenario;
  const { limits = [], maxConcurrent, load: server } = provider;
  const rates = limits.map(({ unit, limit, charge, windowMs = 60_000 }) => {
    const counted = unit === 'tokens' && charge === 'max' ? 'chargedTokens' : unit;
    return (limit * 60_000) / windowMs / meanAmount(load, counted);
  });
  const places = maxConcurrent ?? server?.knee;
  if (places !== undefined) {
    const inputTokens = meanAmount(load, 'inputTokens');
    const outputTokens = meanAmount(load, 'outputTokens');
    rates.push((places * 60_000) / durationOf(scenario, { inputTokens, outputTokens }));
  }
  return Math.min(...rates);
}

/** What a call of this load counts on average. */
export function meanAmount(load: Load, unit: Unit): number {
  const draw = createDraw(1, 'sample');
  let sum = 0;
  for (let index = 0; index < SAMPLE; index++) sum += amountOf(sizeOf(load, draw), unit);
  return sum / SAMPLE;
}

/** What a call counts. */
export function amountOf(size: Omit<Size, 'characters'>, unit: Unit): number {
  switch (unit) {
    case 'requests':
      return 1;
    case 'inputTokens':
      return size.inputTokens;
    case 'outputTokens':
      return size.outputTokens;
    case 'tokens':
      return size.inputTokens + size.outputTokens;
    case 'chargedTokens':
      return size.inputTokens + size.maxTokens;
  }
}

function sizeOf({ sizes, maxInputTokens = 100_000, outputMedian = 220 }: Load, draw: Draw): Size {
  const inputTokens = whole(inputOf(sizes, draw), 16, maxInputTokens);
  const maxTokens = [512, 1024, 2048][draw.pick([1, 2, 1])] ?? 1024;
  return {
    inputTokens,
    maxTokens,
    outputTokens: whole(draw.logNormal(outputMedian, 0.8), 1, maxTokens),
    characters: Math.round(
      inputTokens * CHARACTERS_PER_TOKEN * Math.exp(CHARACTERS_SIGMA * draw.normal()),
    ),
  };
}

function inputOf(sizes: Load['sizes'], draw: Draw): number {
  switch (sizes) {
    case 'small':
      return draw.logNormal(250, 0.6);
    case 'chat':
      return draw.logNormal(800, 1);
    case 'documents':
      // Mostly chat, and every seventh a document: the longer, the rarer (Pareto).
      return draw.random() < 0.85
        ? draw.logNormal(900, 1.1)
        : 6000 / (1 - draw.random()) ** (1 / 1.4);
  }
}

function whole(value: number, low: number, high: number): number {
  return Math.round(Math.min(high, Math.max(low, value)));
}
