import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Lane, reading } from './lane.ts';

/** A bucket of 60 requests a minute that is full at first: one a second flows in. */
const bucket = (remaining: number) => reading({ remaining, resetMs: (60 - remaining) * 1000 });
/** A lane that has just heard that so many are left. */
const after = (remaining: number): Lane => {
  const lane = new Lane();
  lane.head(lane.send(0), 0, bucket(remaining));
  return lane;
};

describe('what is left', () => {
  test('nothing is known before the first head', () => {
    const lane = new Lane();
    expect(lane.wait(0)).toBe(0);
    expect(lane.meters.tellsRate).toBe(false);
    expect(lane.meters.share({ ...lane.send(0).demand })).toBe(0);
  });

  test('goes down with every request, and up with time', () => {
    const lane = after(40);
    lane.send(0);
    lane.send(0);
    expect(lane.left(0)).toBe(38);
    expect(lane.left(10_000)).toBe(48);
    expect(lane.left(60_000)).toBe(60);
  });

  test('is what the head says, less what was sent since', () => {
    const lane = after(40);
    const request = lane.send(1000);
    for (let i = 1; i <= 5; i++) lane.send(1000 + i * 100);
    lane.head(request, 1600, bucket(20));
    expect(lane.left(1600)).toBe(15);
  });

  test('stays as counted where the head only rounds otherwise', () => {
    const lane = new Lane();
    const tokens = (remaining: number) =>
      reading({ unit: 'inputTokens', limit: 60_000, remaining, resetMs: 0, quantum: 1000 });
    lane.head(lane.send(0), 0, tokens(40_000));
    const before = lane.left(100)!;
    lane.head(lane.send(100), 100, tokens(40_000));
    expect(lane.left(100)).toBe(before - 100);
  });

  test('is not moved by heads that come late', () => {
    const lane = after(40);
    const early = lane.send(1000);
    const late = lane.send(2000);
    lane.head(late, 2500, bucket(30));
    const left = lane.left(2600);
    lane.head(early, 2600, bucket(35));
    expect(lane.left(2600)).toBe(left);
  });

  test('leaves open what was first of requests that were sent together', () => {
    const lane = after(40);
    const requests = [lane.send(1000), lane.send(1000), lane.send(1000)];
    lane.head(requests[0]!, 1500, bucket(38));
    lane.head(requests[2]!, 1500, bucket(40));
    lane.head(requests[1]!, 1500, bucket(39));
    expect(lane.left(1500)).toBe(38);
  });

  test('what was refused is gone until a head says otherwise', () => {
    const lane = after(2);
    const request = lane.send(0);
    lane.refuse(request, 50);
    expect(lane.left(50)).toBe(1);
    lane.refuse(lane.send(60), 100, bucket(3));
    expect(lane.left(100)).toBe(3);
  });

  test('what failed without being admitted is given back', () => {
    const lane = after(20);
    const request = lane.send(0);
    lane.meters.refund(request, 50);
    expect(lane.left(50)).toBe(20);
  });
});

describe('waiting', () => {
  test('until enough has flowed in, and a little for the way', () => {
    const lane = after(0);
    expect(lane.wait(0, { priority: 'urgent' })).toBeCloseTo(1020);
    expect(lane.wait(600, { priority: 'urgent' })).toBeCloseTo(420);
  });

  test('less urgent requests leave the last of it to more urgent ones', () => {
    const lane = after(2);
    const waits = (['urgent', 'high', 'normal', 'low'] as const).map((priority) =>
      Math.round(lane.wait(0, { priority })),
    );
    expect(waits).toEqual([0, 0, 1420, 2620]);
  });

  test('a request larger than the bucket goes when it is full', () => {
    const lane = new Lane();
    const tokens = reading({
      unit: 'inputTokens',
      limit: 60_000,
      remaining: 30_000,
      resetMs: 30_000,
    });
    lane.head(lane.send(0, { inputTokens: 1 }), 0, tokens);
    const wait = lane.wait(0, { inputTokens: 1_000_000 });
    expect(wait).toBeGreaterThan(20_000);
    expect(wait).toBeLessThan(31_000);
    expect(lane.wait(wait, { inputTokens: 1_000_000 })).toBe(0);
    lane.send(wait, { inputTokens: 1_000_000 });
    expect(lane.wait(wait, { inputTokens: 100 })).toBeLessThan(20 * 60_000);
  });

  test('no longer than the provider says it takes until all is there', () => {
    const lane = new Lane();
    lane.head(lane.send(0), 0, reading({ limit: 5, remaining: 0, resetMs: 1000 }));
    expect(lane.wait(0)).toBeLessThanOrEqual(1050);
    expect(lane.wait(1051)).toBe(0);
  });

  test('asks again after a minute where nobody says when all is there', () => {
    const lane = new Lane();
    lane.head(lane.send(0), 0, reading({ limit: 1, remaining: 0, windowMs: 86_400_000 }));
    expect(lane.wait(0)).toBe(60_000);
    expect(lane.wait(60_000)).toBe(0);
    lane.send(60_000);
    expect(lane.wait(60_000)).toBeGreaterThan(3_600_000);
  });
});

test('what others took beyond the limit has to flow in first', () => {
  const lane = after(0);
  const request = lane.send(1000);
  lane.refuse(request, 1100, reading({ remaining: 0, resetMs: 70_000 }));
  expect(lane.left(1100)).toBe(0);
  expect(lane.wait(1100, { priority: 'urgent' })).toBeGreaterThan(9000);
  expect(lane.wait(1100, { priority: 'urgent' })).toBeLessThan(13_000);
});

test('a refusal is explained by a limit without room for it', () => {
  const lane = after(30);
  const request = lane.send(1000, { inputTokens: 3000 });
  const input = (remaining: number) => reading({ unit: 'inputTokens', limit: 60_000, remaining });
  expect(lane.meters.explains([bucket(5), input(20_000)], request)).toBe(false);
  expect(lane.meters.explains([bucket(5), input(2000)], request)).toBe(true);
  expect(lane.meters.explains([bucket(0), input(20_000)], request)).toBe(true);
  expect(lane.meters.explains([], request)).toBe(false);
});

describe('a bucket that is smaller than what it refills in a minute', () => {
  const small = (remaining: number) => reading({ remaining, resetMs: (15 - remaining) * 1000 });

  test('is never thought to hold more', () => {
    const lane = new Lane();
    lane.head(lane.send(0), 0, small(14));
    expect(lane.left(60_000)).toBe(15);
  });

  test('of one request: one at a time, not too early', () => {
    const lane = new Lane();
    const one = (): ReturnType<typeof reading> => reading({ remaining: 0, resetMs: 1000 });
    let request = lane.send(0);
    const pauses: number[] = [];
    for (let now = 0, i = 0; i < 10; i++) {
      lane.head(request, now + 300, one());
      const wait = lane.wait(now + 300, { priority: 'urgent' });
      pauses.push(300 + wait);
      now += 300 + wait;
      request = lane.send(now);
    }
    for (const pause of pauses) {
      expect(pause).toBeGreaterThan(1015);
      expect(pause).toBeLessThan(1100);
    }
  });
});

describe('limits of other periods', () => {
  test('a day shows in the time that little takes to come back; it leaves open what a minute may have', () => {
    const lane = new Lane();
    for (let i = 1; i <= 4; i++) {
      const day = reading({ limit: 10_000, remaining: 10_000 - i, resetMs: i * 8640 });
      lane.head(lane.send(i * 1000), i * 1000 + 300, day);
    }
    expect(lane.meter(5000)).toMatchObject({ windowMs: 86_400_000, limit: 10_000 });
    expect(lane.meters.tellsRate).toBe(false);
    expect(lane.wait(5000)).toBe(0);
  });

  test('more than a minute until the reset is more than a minute', () => {
    const lane = new Lane();
    lane.head(lane.send(0), 300, reading({ limit: 1000, remaining: 983, resetMs: 1_468_800 }));
    expect(lane.meter(300)?.windowMs).toBe(86_400_000);
  });

  test('a period that the header names', () => {
    const lane = new Lane();
    lane.head(lane.send(0), 300, reading({ remaining: 0, windowMs: 10_000 }));
    expect(lane.wait(300, { priority: 'urgent' })).toBeLessThan(200);
    expect(lane.meters.tellsRate).toBe(true);
  });

  test('five a second are not five a minute', () => {
    const lane = new Lane();
    let now = 0;
    let windowMs: number | undefined = 0;
    for (let i = 0; i < 60 && windowMs !== 1000; i++) {
      const burst = Array.from({ length: 5 }, () => lane.send(now));
      now += 300;
      burst.forEach((request, k) => {
        lane.head(
          request,
          now,
          reading({ limit: 5, remaining: 4 - k, resetMs: 900, coarseMs: 1000 }),
        );
      });
      now += 1000;
      windowMs = lane.meter(now)?.windowMs;
    }
    expect(windowMs).toBe(1000);
    expect(now).toBeLessThan(30_000);
  });
});

describe('a window that starts anew all at once', () => {
  /** Ends at 60 s, 120 s … */
  const fixed = (now: number, remaining: number) =>
    reading({ remaining, resetMs: 60_000 - (now % 60_000) });
  const known = (): Lane => {
    const lane = new Lane();
    for (let now = 1000; now <= 6000; now += 1000) {
      lane.head(lane.send(now), now + 200, fixed(now, 60 - now / 1000));
    }
    return lane;
  };

  test('does not refill before', () => {
    const lane = known();
    expect(lane.left(50_000)).toBe(54);
    expect(lane.left(60_100)).toBe(60);
  });

  test('waits for it where nothing is left', () => {
    const lane = known();
    for (let i = 0; i < 54; i++) lane.send(10_000);
    const wait = lane.wait(10_000);
    expect(wait).toBeGreaterThan(50_000);
    expect(wait).toBeLessThan(50_200);
  });

  test('is proven by one head before all of it is used', () => {
    const lane = known();
    lane.unanswered = 0;
    const sent = [];
    while (lane.wait(60_200) === 0 && sent.length < 60) sent.push(lane.send(60_200));
    expect(sent.length).toBeLessThan(6);
    lane.head(sent[0]!, 60_700, fixed(60_200, 59));
    expect(lane.wait(60_700)).toBe(0);
  });

  test('does not hang, however long nothing is heard', () => {
    const lane = known();
    lane.unanswered = 0;
    for (let i = 0; i < 60; i++) lane.send(59_000);
    lane.unanswered = 0;
    expect(lane.wait(10 * 60_000 + 500)).toBe(0);
    for (let i = 0; i < 60; i++) lane.send(10 * 60_000 + 500 + i);
    expect(lane.left(10 * 60_000 + 600)).toBe(0);
  });
});

test('a sliding window gives back what was sent a minute ago', () => {
  const lane = new Lane();
  let now = 0;
  const sentAt: number[] = [];
  const send = (): void => {
    const request = lane.send(now);
    sentAt.push(now);
    const recent = sentAt.filter((at) => at > now - 60_000);
    lane.head(
      request,
      now + 100,
      reading({ remaining: 60 - recent.length, resetMs: recent[0]! + 60_000 - now }),
    );
    now += 700;
  };
  for (let i = 0; i < 50; i++) send();
  now = 62_000;
  while (sentAt.length < 75) {
    now += Math.max(1, lane.wait(now));
    send();
    expect(sentAt.filter((at) => at > now - 60_000).length).toBeLessThanOrEqual(60);
  }
  expect(now).toBeLessThan(90_000);
});

describe('others on the same limit', () => {
  /** Sends one a second, while others take `rate` a second. */
  const shared = (rate: number, seconds: number): Lane => {
    const lane = new Lane();
    let left = 60;
    for (let i = 0; i < seconds; i++) {
      left = Math.min(60, left + (i === 0 ? 0 : 1)) - 1 - rate;
      left = Math.max(0, left);
      const request = lane.send(i * 1000);
      lane.head(request, i * 1000 + 300, bucket(Math.floor(left)));
    }
    return lane;
  };

  test('alone, all of it is ours', () => {
    expect(shared(0, 40).meters.requestsPerMinute()).toBe(60);
  });

  test('what others take is not ours', () => {
    const rate = shared(0.6, 40).meters.requestsPerMinute();
    expect(rate).toBeGreaterThan(15);
    expect(rate).toBeLessThan(35);
  });

  test('that others take it all is never believed', () => {
    expect(shared(5, 40).meters.requestsPerMinute()).toBeGreaterThanOrEqual(3);
  });

  test('it is forgotten while nothing is heard', () => {
    const lane = shared(0.6, 40);
    lane.wait(160_000);
    expect(lane.meters.requestsPerMinute()).toBeGreaterThan(59);
  });

  test('however much they took at once', () => {
    const lane = after(59);
    lane.head(lane.send(1000), 1300, bucket(0));
    lane.wait(61_000);
    expect(lane.meters.requestsPerMinute()).toBeGreaterThan(58);
  });

  test('on an old view, one request at a time', () => {
    const lane = shared(0.6, 40);
    lane.wait(45_000);
    expect(lane.wait(45_000)).toBe(0);
    lane.send(45_000);
    expect(lane.wait(45_000)).toBeGreaterThan(0);
  });
});

describe('limits that come and go', () => {
  test('another limit is followed at once', () => {
    const lane = after(30);
    lane.head(lane.send(1000), 1500, reading({ limit: 20, remaining: 5, resetMs: 45_000 }));
    expect(lane.meter(1500)?.limit).toBe(20);
    expect(lane.left(1500)).toBeLessThanOrEqual(6);
    expect(lane.meters.requestsPerMinute()).toBe(20);
  });

  test('a limit of which heads tell no more is none', () => {
    const lane = after(30);
    expect(lane.meters.tellsRate).toBe(true);
    for (let i = 0; i < 200; i++) lane.head(lane.send(i * 100), i * 100 + 50);
    expect(lane.meters.tellsRate).toBe(false);
    expect(lane.meters.snapshots(0)).toEqual([]);
  });

  test('the scarcest limit decides', () => {
    const lane = new Lane();
    lane.head(
      lane.send(0),
      0,
      bucket(30),
      reading({ unit: 'inputTokens', limit: 60_000, remaining: 0, resetMs: 60_000 }),
    );
    expect(lane.wait(0, { inputTokens: 10 })).toBeLessThan(lane.wait(0, { inputTokens: 10_000 }));
    expect(lane.meters.share(lane.send(0, { inputTokens: 6000 }).demand)).toBeCloseTo(0.1);
  });
});

test('whatever heads say: what is left stays within the limit, and waiting has an end', () => {
  const step = fc.record({
    pause: fc.integer({ min: 0, max: 40_000 }),
    limit: fc.constantFrom(1, 5, 60, 60, 60, 100_000),
    remaining: fc.double({ min: 0, max: 1, noNaN: true }),
    resetMs: fc.option(fc.double({ min: 0, max: 1e10, noNaN: true }), { nil: undefined }),
    coarseMs: fc.constantFrom(1, 1000),
    kind: fc.constantFrom('head', 'head', 'refuse', 'forget'),
    inputTokens: fc.constantFrom(1, 100, 1e6),
  });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.constantFrom('requests', 'tokens', 'inputTokens', 'outputTokens'),
      (steps, unit) => {
        const lane = new Lane();
        let now = 0;
        for (const { pause, limit, remaining, resetMs, coarseMs, kind, inputTokens } of steps) {
          now += pause;
          const request = lane.send(now, { inputTokens });
          const left = Math.floor(remaining * limit);
          const told = reading({ unit, limit, remaining: left, resetMs, coarseMs });
          if (kind === 'head') lane.head(request, now + 200, told);
          if (kind === 'refuse') lane.refuse(request, now + 200, told);
          for (const meter of lane.meters.snapshots(now + 200)) {
            expect(meter.remaining).toBeGreaterThanOrEqual(0);
            expect(meter.remaining).toBeLessThanOrEqual(meter.limit);
          }
          const wait = lane.wait(now + 200, { inputTokens });
          expect(wait).toBeGreaterThanOrEqual(0);
          expect(Number.isFinite(wait)).toBe(true);
        }
        // Asked again whenever it said so, a request goes some day, also when nothing more is heard.
        lane.unanswered = 0;
        now += 200;
        for (let asked = 0, wait = lane.wait(now); wait > 0; wait = lane.wait((now += wait))) {
          expect(++asked).toBeLessThan(500);
        }
      },
    ),
  );
});
