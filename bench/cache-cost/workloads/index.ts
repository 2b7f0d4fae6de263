import { createWriter } from '../writer.ts';
import type { Conversation } from '../conversation.ts';
import { ADVERSARIES } from './adversaries.ts';
import { AGENTS } from './agents.ts';
import { SERVICES } from './services.ts';
import type { Workload } from './workload.ts';

export type { Workload } from './workload.ts';

const ALONE = [...AGENTS, ...SERVICES, ...ADVERSARIES];

/** All kinds of traffic through one router. */
const MIXED: Workload = {
  name: 'everything at once',
  goal: 1.25,
  make: (writer, extent) =>
    ALONE.filter(({ readableAtOnce }) => readableAtOnce !== true).flatMap(({ name, make }) =>
      make(createWriter(writer.integer(1, 2 ** 31)), extent / 4).map((conversation) => ({
        ...conversation,
        id: `${name}: ${conversation.id}`,
      })),
    ),
};

export const WORKLOADS: readonly Workload[] = [...ALONE, MIXED];

/**
 * The conversations of a workload: the same for the same seed.
 * @param extent share of the usual length, so that a test can be short.
 */
export function conversationsOf(workload: Workload, seed: number, extent = 1): Conversation[] {
  // Workloads of one seed share no text.
  const place = WORKLOADS.indexOf(workload);
  return workload.make(createWriter(seed * 1009 + place), extent);
}
