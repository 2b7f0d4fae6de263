import type { Clock } from '../../../types.ts';
import type { SimulatedLoad } from './options.ts';

/** An answer as work: what happens after how many milliseconds of it. */
export interface Work {
  /** Rising. Undisturbed, a milestone comes when so many milliseconds have passed. */
  readonly milestones: readonly number[];
  onMilestone(index: number): void;
  /** After the last milestone, or when it is cancelled: once. */
  onEnd(): void;
}

export interface Job {
  /** Frees its place. Nothing happens when it has ended. */
  cancel(): void;
}

/** What writes answers: all at full speed, or sharing it. One timer for all. */
export interface Server {
  readonly inFlight: number;
  readonly peakInFlight: number;
  /** Runs what is due now: who ends at a time goes before who comes at it. */
  settle(): void;
  start(work: Work): Job;
}

/** Times are sums of fractions: what is due within this many milliseconds is due. */
const TOLERANCE_MS = 1e-6;

/** Node fires timers at once when their delay does not fit into 31 bits. */
const MAX_DELAY_MS = 2 ** 31 - 1;

class RunningJob {
  readonly work: Work;
  readonly startedAt: number;
  readonly order: number;
  /** Index of the milestone that comes next. */
  next = 0;

  constructor(work: Work, startedAt: number, order: number) {
    this.work = work;
    this.startedAt = startedAt;
    this.order = order;
  }

  get dueAt(): number {
    return this.startedAt + (this.work.milestones[this.next] ?? Infinity);
  }

  isBefore(other: RunningJob): boolean {
    return this.dueAt < other.dueAt || (this.dueAt === other.dueAt && this.order < other.order);
  }
}

/**
 * Answers are written by processor sharing: all that are under way have the same speed. So one count of the work that each of
 * them has got says when any of them is due: jobs begin at a count and have their milestones at later ones.
 *
 * Without a clock every answer is whole at once.
 */
export function createServer(clock: Clock | undefined, load?: SimulatedLoad): Server {
  /** The earliest last, so that taking it is cheap. */
  const jobs: RunningJob[] = [];
  let inFlight = 0;
  let peakInFlight = 0;
  let started = 0;
  /** Work that each job has got until `since`; from then on it grows with `speed`. */
  let worked = 0;
  let since = 0;
  let speed = 1;
  let timer: { readonly handle: unknown; readonly dueAt: number } | undefined;

  const workedAt = (now: number): number => worked + (now - since) * speed;

  function setSpeed(now: number): void {
    const next = load === undefined ? 1 : speedOf(inFlight, load);
    if (next === speed) return;
    worked = workedAt(now);
    since = now;
    speed = next;
    stopTimer();
  }

  function stopTimer(): void {
    clock?.clearTimeout(timer?.handle);
    timer = undefined;
  }

  function setTimer(now: number): void {
    const dueAt = jobs.at(-1)?.dueAt;
    if (dueAt === timer?.dueAt) return;
    stopTimer();
    if (dueAt === undefined || clock === undefined) return;
    const delayMs = Math.min(MAX_DELAY_MS, Math.max(0, dueAt - workedAt(now)) / speed);
    const wake = (): void => {
      timer = undefined;
      runDue(clock.now());
    };
    timer = { handle: clock.setTimeout(wake, delayMs), dueAt };
  }

  function runDue(now: number): void {
    const reached = workedAt(now) + TOLERANCE_MS;
    for (let job = jobs.at(-1); job !== undefined && job.dueAt <= reached; job = jobs.at(-1)) {
      jobs.pop();
      const { work, next } = job;
      job.next++;
      const isLast = job.next >= work.milestones.length;
      if (!isLast) jobs.splice(placeOf(job), 0, job);
      work.onMilestone(next);
      if (isLast) end(work, now);
    }
    setTimer(now);
  }

  function end(work: Work, now: number): void {
    inFlight--;
    setSpeed(now);
    work.onEnd();
  }

  /** Where a job stands, or would stand, in `jobs`. */
  function placeOf(job: RunningJob): number {
    let low = 0;
    let high = jobs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (job.isBefore(jobs[middle]!)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  return {
    get inFlight() {
      return inFlight;
    },
    get peakInFlight() {
      return peakInFlight;
    },
    settle() {
      if (clock !== undefined) runDue(clock.now());
    },
    start(work) {
      inFlight++;
      peakInFlight = Math.max(peakInFlight, inFlight);
      if (clock === undefined) {
        for (const index of work.milestones.keys()) work.onMilestone(index);
        end(work, 0);
        return { cancel: () => {} };
      }
      const now = clock.now();
      setSpeed(now);
      const job = new RunningJob(work, workedAt(now), started++);
      jobs.splice(placeOf(job), 0, job);
      setTimer(now);
      return {
        cancel() {
          const place = placeOf(job);
          if (jobs[place] !== job) return;
          jobs.splice(place, 1);
          const at = clock.now();
          end(work, at);
          setTimer(at);
        },
      };
    },
  };
}

/** How fast each of `count` answers is written, relative to one that has the server for itself. */
export function speedOf(count: number, { knee, degrade = 0.3 }: SimulatedLoad): number {
  if (count <= knee) return 1;
  const excess = (count - knee) / knee;
  return knee / count / (1 + degrade * excess * excess);
}
