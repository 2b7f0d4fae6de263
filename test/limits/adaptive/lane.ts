import { HeaderMeters } from '../../../src/limits/adaptive/header-meters.ts';
import { Ledger } from '../../../src/limits/adaptive/ledger.ts';
import { Sizes } from '../../../src/limits/adaptive/sizes.ts';
import { Transit } from '../../../src/limits/adaptive/transit.ts';
import type { NamedReading } from '../../../src/limits/read-limits.ts';
import type { Demand, MeterSnapshot, RateLimiting } from '../../../src/limits/types.ts';
import { demand } from './demand.ts';

const IGNORED = { begun() {}, progressed() {}, ended() {} };

export interface LaneOptions {
  readonly outputCharge?: RateLimiting['outputCharge'];
  readonly countsCacheReads?: boolean;
}

/** The meters of a lane, with requests that are sent and answered by hand. */
export class Lane {
  readonly sizes: Sizes;
  readonly ledger: Ledger;
  readonly meters: HeaderMeters;
  unanswered = 0;
  #lastSentAt = -1;

  constructor({ outputCharge, countsCacheReads = true }: LaneOptions = {}) {
    const unanswered = (): number => this.unanswered;
    this.sizes = new Sizes(countsCacheReads);
    this.ledger = new Ledger(this.sizes, outputCharge);
    this.meters = new HeaderMeters(
      {
        random: () => 0.5,
        headMs: 500,
        waiting: 1,
        inFlight: 1,
        get unanswered() {
          return unanswered();
        },
        isFaulty: false,
      },
      this.sizes,
      this.ledger,
    );
  }

  wait(now: number, given: Partial<Demand> = {}): number {
    return this.meters.waitMs(demand(given), now);
  }

  send(now: number, given: Partial<Demand> = {}): Transit {
    const sentAt = Math.max(now, this.#lastSentAt + 1e-3);
    this.#lastSentAt = sentAt;
    const request = new Transit(IGNORED, demand(given), sentAt, 1);
    this.unanswered++;
    this.ledger.enter(request);
    this.meters.charge(request, now);
    return request;
  }

  /** The head of its answer is here. */
  head(request: Transit, now: number, ...readings: readonly NamedReading[]): void {
    this.unanswered--;
    request.headAt = now;
    request.fate = 'admitted';
    this.ledger.begun(request);
    this.meters.sync(readings, request, now);
  }

  refuse(request: Transit, now: number, ...readings: readonly NamedReading[]): void {
    this.unanswered--;
    request.fate = 'refused';
    this.ledger.strike(request);
    this.meters.sync(readings, request, now);
  }

  end(request: Transit, now: number, input: number, output: number): void {
    this.meters.settle(request, input, output, now);
    this.ledger.settle(request, input, output);
  }

  /** What is left of the limit that was told first. */
  left(now: number): number | undefined {
    return this.meter(now)?.remaining;
  }

  meter(now: number): MeterSnapshot | undefined {
    return this.meters.snapshots(now)[0];
  }
}

export function reading(given: Partial<NamedReading> = {}): NamedReading {
  const { unit = 'requests' } = given;
  return {
    name: `limit of ${unit}`,
    unit,
    limit: 60,
    remaining: 59,
    resetMs: undefined,
    quantum: 1,
    coarseMs: 1,
    windowMs: undefined,
    ...given,
  };
}
