/** All that the terminal and the page show. No text of a prompt is in it. */
import { conversationsIn, type Conversation } from './conversations.ts';
import { findingsIn, isNotKept, type Finding } from './findings.ts';
import { dollars, percent } from './money.ts';
import type { Observation } from './replay.ts';
import { sumsOf, type Sums } from './sums.ts';
import { period } from './text.ts';
import type { Traffic } from './traffic.ts';

export interface Report {
  readonly sums: Sums;
  readonly findings: readonly Finding[];
  /** In the order in which they began. */
  readonly conversations: readonly Shown[];
  /** When the calls were made; empty where the recording does not say. */
  readonly period: string;
  /** Exchanges that tell nothing of a prompt cache: other endpoints, failures, requests that were not recorded. */
  readonly leftOut: number;
}

/** A conversation with what it comes to. */
export interface Shown extends Conversation {
  /** From 1. */
  readonly number: number;
  readonly sums: Sums;
  /** What its misses cost, or that nothing of it was kept; in pico-dollars. */
  readonly lost: bigint;
}

export function reportOf(traffic: Traffic, observations: readonly Observation[]): Report {
  const conversations = conversationsIn(observations);
  const sums = sumsOf(conversations.flatMap(({ turns }) => turns));
  return {
    sums,
    findings: findingsIn(conversations),
    conversations: conversations.map((conversation, index) => {
      const its = sumsOf(conversation.turns);
      const lost = isNotKept(conversation) ? its.autoSaves : its.lost;
      return { ...conversation, number: index + 1, sums: its, lost };
    }),
    period: period(traffic),
    leftOut: traffic.exchanges.length + traffic.withoutRequest - sums.calls,
  };
}

/** What `auto` comes to, in one sentence. */
export function autoSentence({ sums, findings }: Report): string {
  const { autoSaves, cost, unpriced, calls } = sums;
  if (unpriced === calls) return 'What it cost is not known: none of the models has a known price.';
  if (autoSaves * 100n < cost) {
    const rest = findings.length === 0 ? '' : ': what is to be mended, your code must mend';
    return `promptCache: 'auto' would have saved next to nothing${rest}.`;
  }
  return `promptCache: 'auto' would have saved about ${dollars(autoSaves)} of ${dollars(cost)} (${percent(autoSaves, cost)}).`;
}
