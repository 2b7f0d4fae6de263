import type { WorkCall } from './workload.ts';

/** One request that reached the network. Times in milliseconds of the scenario. */
export interface Send {
  readonly call: WorkCall;
  readonly sentAt: number;
  /** Of the answer; `undefined` while there is none, 0 when there will be none. */
  status: number | undefined;
}

/** A call, and what became of it. */
export interface CallOutcome {
  readonly call: WorkCall;
  /** When the request that was answered was sent. */
  sentAt: number | undefined;
  /** When its answer was complete. */
  doneAt: number | undefined;
  /** When the application was given an error instead. */
  failedAt: number | undefined;
}

/** What happened in one run. */
export interface SendLog {
  readonly sends: readonly Send[];
  /** One for each call of the workload, by number. */
  readonly outcomes: readonly CallOutcome[];
}

export interface SendRecorder extends SendLog {
  /** A request goes out. */
  sent(call: WorkCall, now: number): Send;
  /** The host has read the whole answer. */
  done(call: WorkCall, now: number): void;
  failed(call: WorkCall, now: number): void;
}

export function createSendRecorder(calls: readonly WorkCall[]): SendRecorder {
  const sends: Send[] = [];
  const outcomes = calls.map((call): CallOutcome => ({
    call,
    sentAt: undefined,
    doneAt: undefined,
    failedAt: undefined,
  }));
  const latest = new Map<WorkCall, Send>();
  const outcomeOf = ({ number }: WorkCall): CallOutcome => {
    const outcome = outcomes[number];
    if (outcome === undefined) throw new Error(`There is no call ${number}.`);
    return outcome;
  };
  return {
    sends,
    outcomes,
    sent(call, now) {
      const send: Send = { call, sentAt: now, status: undefined };
      sends.push(send);
      latest.set(call, send);
      return send;
    },
    done(call, now) {
      const outcome = outcomeOf(call);
      outcome.sentAt = latest.get(call)?.sentAt;
      outcome.doneAt = now;
    },
    failed(call, now) {
      outcomeOf(call).failedAt = now;
    },
  };
}
