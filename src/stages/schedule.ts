import type { Call } from '../call.ts';
import type { RouterErrorCode } from '../errors.ts';
import { refuse } from '../http/refusal.ts';
import { routerHeaders } from '../http/router-headers.ts';
import type { Permit } from '../limits/types.ts';
import { demandOf } from '../schedule/demand.ts';
import { refusalOf } from '../schedule/refusal-of.ts';
import type { Turn } from '../schedule/lane.ts';
import type { Place, Traffic } from '../schedule/traffic.ts';
import type { Alarm } from '../schedule/types.ts';
import type { Next, Stage } from '../stage.ts';
import type { Clock } from '../types.ts';

export interface ScheduleStageOptions {
  readonly clock: Clock;
  readonly alarm: Alarm;
  readonly traffic: Traffic;
}

/**
 * Waits for the call's turn: until the limits let one more request go, and nobody more urgent waits for the same. What comes
 * back for another attempt goes to its old place.
 */
export function schedule({ clock, alarm, traffic }: ScheduleStageOptions): Stage {
  return {
    name: 'schedule',
    handle: function schedule(call: Call, next: Next): Promise<Response> {
      call.refusal = undefined;
      const place = placeOf(call);
      if (place === undefined) return next(call);
      if (call.permits !== undefined && call.context.deadlineMs === undefined) return next(call);
      return wait(call, place, call.permits, next);
    },
  };

  /** Where the call waits, and its permit if it need not. A fault in scheduling costs the turn, never the call. */
  function placeOf(call: Call): Place | undefined {
    try {
      const place = traffic.placeOf(call);
      if (place === undefined) return undefined;
      const demand = (call.demand = demandOf(call));
      call.permits = place.lane.enter(demand, place.shared);
      return place;
    } catch {
      return undefined;
    }
  }

  async function wait(
    call: Call,
    place: Place,
    given: Permit | undefined,
    next: Next,
  ): Promise<Response> {
    const outcome = given ?? (await turn(call, place));
    if (typeof outcome === 'string') return refused(call, outcome);
    call.permits = outcome;
    return call.context.deadlineMs === undefined
      ? next(call)
      : inTime(call, call.startedAt + call.context.deadlineMs, next);
  }

  /** A permit, or why there is none. Rejects as `fetch` does when the host gives up. */
  function turn(
    call: Call,
    place: Place,
  ): Permit | RouterErrorCode | Promise<Permit | RouterErrorCode> {
    const demand = call.demand!;
    const { lane, shared, flow } = place;
    const settings = traffic.settings;
    const { priority, deadlineMs } = call.context;
    const began = clock.now();
    const deadline = deadlineMs === undefined ? Infinity : call.startedAt + deadlineMs;
    if (began >= deadline || began + lane.forecastMs(demand, flow) > deadline)
      return 'ERR_DEADLINE';
    // A call that was let in once is not turned away when it comes back.
    if (demand.attempt === 1 && lane.isFull(place.isRuled)) {
      if (settings.whenFull === 'passthrough') return lane.pass(demand, shared);
      if (settings.whenFull === 'reject' || !lane.dropLower(priority)) return 'ERR_QUEUE_FULL';
    }
    call.signal?.throwIfAborted();

    const patience = call.startedAt + (traffic.maxWaitMs(priority, place) ?? Infinity);
    call.queuedSince = began;
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        alarm.clear(bell);
        call.signal?.removeEventListener('abort', onAbort);
        call.onHurry = undefined;
        call.queuedMs += clock.now() - began;
        call.queuedSince = undefined;
      };
      const giveUp = (code: RouterErrorCode): void => {
        lane.leave(waiter);
        leave();
        resolve(code);
      };
      const onAbort = (): void => {
        lane.leave(waiter);
        leave();
        reject(call.signal?.reason);
      };
      let waiter: Turn = {
        priority,
        flow,
        arrivedAt: call.startedAt,
        sequence: call.sequence,
        charged: call.queueCharge,
        demand,
        shared,
        go: (permit: Permit, charged: number) => {
          call.queueCharge = charged;
          leave();
          resolve(permit);
        },
        drop: (code: RouterErrorCode) => {
          leave();
          resolve(code);
        },
      };
      const until = Math.min(patience, deadline);
      const bell =
        until === Infinity
          ? undefined
          : alarm.set(until, () => {
              giveUp(deadline <= patience ? 'ERR_DEADLINE' : 'ERR_QUEUE_TIMEOUT');
            });
      call.signal?.addEventListener('abort', onAbort, { once: true });
      // Somebody more urgent wants the same answer.
      call.onHurry = () => {
        const urgency = call.context.priority;
        lane.leave(waiter);
        waiter = { ...waiter, priority: urgency, demand: { ...demand, priority: urgency } };
        lane.wait(waiter);
      };
      lane.wait(waiter);
    });
  }

  /** The head of the answer by then, or none. */
  function inTime(call: Call, deadline: number, next: Next): Promise<Response> {
    return new Promise((resolve, reject) => {
      const bell = alarm.set(deadline, () => {
        resolve(refused(call, 'ERR_DEADLINE'));
        call.attempts.at(-1)?.cut?.(new Error('The deadline of the call has passed.'));
      });
      void next(call)
        .then(resolve, reject)
        .finally(() => {
          alarm.clear(bell);
        });
    });
  }

  function refused(call: Call, code: RouterErrorCode): Response {
    call.refusal = code;
    return refuse(
      call.endpoint.api,
      refusalOf(code, call, traffic.settings),
      routerHeaders(call, call.attempts.length),
    );
  }
}
