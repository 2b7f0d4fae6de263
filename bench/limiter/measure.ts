import { figuresOf, type Figures } from './figures.ts';
import { playOracle } from './oracle.ts';
import { play } from './play.ts';
import { scenarioNamed } from './scenarios/index.ts';
import type { SenderName } from './senders.ts';
import { workload } from './workload.ts';

/** One sender on the calls of one seed. */
export interface Job {
  readonly scenario: string;
  readonly seed: number;
  readonly sender: SenderName | 'oracle';
  /** Whether the times of all sends are wanted, for a picture. */
  readonly isTraced: boolean;
}

export interface Result extends Job {
  readonly figures: Figures;
  readonly trace: Trace | undefined;
}

/** When requests were sent, by what became of them; in milliseconds, rising. */
export interface Trace {
  readonly served: readonly number[];
  readonly refused: readonly number[];
}

export async function measure(job: Job): Promise<Result> {
  const scenario = scenarioNamed(job.scenario);
  const calls = workload(scenario, job.seed);
  const played =
    job.sender === 'oracle'
      ? playOracle(scenario, calls, job.seed)
      : await play(scenario, job.sender, calls, job.seed);
  const sentWith = (wanted: number): readonly number[] =>
    played.sends.filter(({ status }) => status === wanted).map(({ sentAt }) => sentAt);
  return {
    ...job,
    figures: figuresOf(scenario, played),
    trace: job.isTraced ? { served: sentWith(200), refused: sentWith(429) } : undefined,
  };
}
