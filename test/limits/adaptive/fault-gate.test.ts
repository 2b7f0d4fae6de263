import { describe, expect, test } from 'vitest';
import { FaultGate } from '../../../src/limits/adaptive/fault-gate.ts';
import type { Sent } from '../../../src/limits/adaptive/types.ts';
import { Unanswered } from '../../../src/limits/adaptive/unanswered.ts';
import { demand } from './demand.ts';

/** A gate with requests that come and go. */
class Lane {
  readonly unanswered = new Unanswered();
  readonly gate = new FaultGate(() => 0.5, this.unanswered);

  send(now: number): Sent {
    const request: Sent = {
      demand: demand(),
      sentAt: now,
      inFlight: 1,
      headAt: undefined,
      fate: 'open',
    };
    this.unanswered.add(request);
    this.gate.sent(request);
    return request;
  }

  answer(request: Sent, now: number): void {
    request.fate = 'admitted';
    this.unanswered.answered(request, now);
    this.gate.succeeded(request, now);
  }

  fail(request: Sent, now: number, retryAfterMs?: number): void {
    request.fate = 'failed';
    this.unanswered.ended(request, false, now);
    this.gate.failed(request, retryAfterMs, now);
  }

  /** Sends and fails until the gate closes; returns when. */
  breakDown(): number {
    for (let i = 0; i < 3; i++) this.fail(this.send(i * 10), i * 10 + 5);
    return 25;
  }
}

describe('a gate that works', () => {
  test('stands single failures', () => {
    const lane = new Lane();
    for (let i = 0; i < 20; i++) {
      const request = lane.send(i * 1000);
      if (i % 5 === 0) lane.fail(request, i * 1000 + 50);
      else lane.answer(request, i * 1000 + 500);
      expect(lane.gate.waitMs(i * 1000 + 600)).toBe(0);
    }
    expect(lane.gate.state).toBe('working');
  });

  test('closes when the first three fail', () => {
    const lane = new Lane();
    const now = lane.breakDown();
    expect(lane.gate.state).toBe('failing');
    expect(lane.gate.waitMs(now)).toBe(500);
    expect(lane.gate.closedMs(now)).toBe(500);
  });

  test('closes after four failures in a row, however many succeeded before', () => {
    const lane = new Lane();
    for (let i = 0; i < 30; i++) lane.answer(lane.send(i), i + 1);
    for (let i = 0; i < 3; i++) lane.fail(lane.send(100 + i), 100 + i);
    expect(lane.gate.state).toBe('working');
    lane.fail(lane.send(104), 104);
    expect(lane.gate.state).toBe('failing');
  });

  test('closes when half of the last requests failed', () => {
    const lane = new Lane();
    for (let i = 0; i < 3; i++) {
      lane.answer(lane.send(i * 100), i * 100 + 20);
      lane.fail(lane.send(i * 100 + 30), i * 100 + 50);
    }
    expect(lane.gate.state).toBe('failing');
  });

  test('waits as long as a provider asks, within a minute', () => {
    const lane = new Lane();
    for (let i = 0; i < 3; i++) lane.fail(lane.send(i), i, 3_600_000);
    expect(lane.gate.waitMs(2)).toBe(60_000);
  });

  test('closes when answers stay out, before they time out', () => {
    const lane = new Lane();
    lane.answer(lane.send(0), 500);
    for (let i = 0; i < 3; i++) lane.send(1000 + i);
    expect(lane.gate.waitMs(5000)).toBe(0);
    expect(lane.gate.waitMs(9000)).toBeGreaterThan(0);
    expect(lane.gate.state).toBe('failing');
  });

  test('does not take slow answers for none', () => {
    const lane = new Lane();
    lane.answer(lane.send(0), 60_000);
    for (let i = 0; i < 3; i++) lane.send(60_000 + i);
    expect(lane.gate.waitMs(130_000)).toBe(0);
  });
});

describe('a gate that tries again', () => {
  test('lets one through, then twice as many with every round', () => {
    const lane = new Lane();
    let now = lane.breakDown() + 500;
    const rounds: number[] = [];
    while (lane.gate.waitMs(now) === 0 && lane.gate.state === 'trying') {
      const sent: Sent[] = [];
      while (lane.gate.waitMs(now) === 0 && lane.gate.state === 'trying') sent.push(lane.send(now));
      rounds.push(sent.length);
      now += 100;
      for (const request of sent) lane.answer(request, now);
    }
    expect(rounds).toEqual([1, 2, 4, 8, 16]);
    expect(lane.gate.state).toBe('working');
    expect(lane.gate.waitMs(now)).toBe(0);
  });

  test('closes for twice as long when the first fails, up to a bound', () => {
    const lane = new Lane();
    let now = lane.breakDown();
    const closed: number[] = [];
    for (let i = 0; i < 5; i++) {
      now += lane.gate.waitMs(now);
      expect(lane.gate.waitMs(now)).toBe(0);
      lane.fail(lane.send(now), (now += 60));
      closed.push(lane.gate.waitMs(now));
    }
    expect(closed).toEqual([1000, 2000, 2500, 2500, 2500]);
  });

  test('lets another one try when the first stays without an answer', () => {
    const lane = new Lane();
    lane.answer(lane.send(0), 500);
    for (let i = 0; i < 4; i++) lane.fail(lane.send(1000 + i), 1100 + i);
    let now = 1103 + lane.gate.waitMs(1103);
    expect(lane.gate.waitMs(now)).toBe(0);
    lane.send(now);
    const wait = lane.gate.waitMs(now);
    expect(wait).toBeGreaterThan(0);
    now += wait;
    now += lane.gate.waitMs(now);
    expect(lane.gate.waitMs(now)).toBe(0);
    expect(now).toBeLessThan(8000);
  });

  test('is not confused by what was sent before it closed', () => {
    const lane = new Lane();
    const old = [lane.send(0), lane.send(1)];
    for (let i = 0; i < 4; i++) lane.fail(lane.send(2 + i), 10 + i);
    const now = 13 + lane.gate.waitMs(13);
    expect(lane.gate.waitMs(now)).toBe(0);
    lane.answer(old[0]!, now);
    lane.send(now);
    expect(lane.gate.waitMs(now)).toBeGreaterThan(0);
    lane.fail(old[1]!, now + 1);
    expect(lane.gate.state).toBe('trying');
  });
});
