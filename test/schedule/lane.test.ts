import { expect, test } from 'vitest';
import { SharedLimiter } from '../../src/schedule/shared-limiter.ts';
import { demand, FakeLimiter, setUp } from './lanes.ts';

test('nobody is picked before there is room: who comes last and is most urgent goes first', async () => {
  const { clock, lane, turn, took } = setUp();
  const limiter = new FakeLimiter();
  limiter.openAt = 100;
  const one = lane(limiter);
  for (const name of ['first', 'second']) one.wait(turn(name));
  await clock.advance(99);
  one.wait(turn('urgent', { priority: 'urgent' }));
  expect([took(), one.waiting, one.inFlight, limiter.inFlight]).toEqual([[], 3, 0, 0]);
  await clock.advance(1);
  expect(took()).toEqual(['urgent at 100', 'first at 100', 'second at 100']);
  expect([one.waiting, one.inFlight, limiter.inFlight]).toEqual([0, 3, 3]);
});

test('whoever comes while others wait does not slip past them, also when there is room', async () => {
  const { clock, lane, turn, took } = setUp();
  const limiter = new FakeLimiter();
  limiter.openAt = 10;
  const one = lane(limiter);
  expect(one.enter(demand(), [])).toBeUndefined();
  one.wait(turn('first'));
  limiter.openAt = 0;
  expect(one.enter(demand('urgent'), [])).toBeUndefined();
  await clock.advance(10);
  expect(took()).toEqual(['first at 10']);
  expect(one.enter(demand(), [])).toBeDefined();
});

test('each end lets as many go as there is room for', () => {
  const { lane, turn, took, end } = setUp();
  const one = lane(new FakeLimiter(2));
  for (const name of ['a', 'b', 'c', 'd', 'e']) one.wait(turn(name));
  expect(took()).toEqual(['a at 0', 'b at 0']);
  end('b');
  expect(took()).toEqual(['c at 0']);
  end('a');
  end('c');
  expect([took(), one.inFlight, one.waiting]).toEqual([['d at 0', 'e at 0'], 2, 0]);
});

test('a permit that is ended twice counts once', () => {
  const { lane, turn, took, end } = setUp();
  const [own, wide, shared] = [new FakeLimiter(1), new FakeLimiter(), new FakeLimiter()];
  const one = lane(own, [new SharedLimiter(wide)]);
  const limits = [new SharedLimiter(shared)];
  for (const name of ['a', 'b', 'c']) one.wait(turn(name, { shared: limits }));
  end('a');
  end('a');
  expect([took(), one.inFlight]).toEqual([['a at 0', 'b at 0'], 1]);
  expect([own, wide, shared].map(({ ends, inFlight }) => [ends, inFlight])).toEqual([
    [1, 1],
    [1, 1],
    [1, 1],
  ]);
});

test('a flow at its own limit is passed over in its order, and comes back when the time has come', async () => {
  const { clock, lane, turn, took } = setUp();
  const own = new FakeLimiter();
  own.openAt = 10;
  const shared = new FakeLimiter();
  shared.openAt = 50;
  const one = lane(own);
  const full = { flow: 'full', shared: [new SharedLimiter(shared)] };
  one.wait(turn('full 1', full));
  one.wait(turn('free 1', { flow: 'free' }));
  one.wait(turn('full 2', { ...full, priority: 'low' }));
  one.wait(turn('free 2', { flow: 'free' }));
  await clock.advance(49);
  expect(took()).toEqual(['free 1 at 10', 'free 2 at 10']);
  expect([one.waiting, shared.inFlight]).toEqual([2, 0]);
  await clock.advance(1);
  expect([took(), clock.pending]).toEqual([['full 1 at 50', 'full 2 at 50'], 0]);
});

test('a flow at its own limit comes back when a call of it ends in another lane', () => {
  const { clock, lane, turn, took, end } = setUp();
  const full = { flow: 'full', shared: [new SharedLimiter(new FakeLimiter(1))] };
  const [here, there] = [lane(new FakeLimiter()), lane(new FakeLimiter())];
  there.wait(turn('there', full));
  here.wait(turn('full', full));
  here.wait(turn('free', { flow: 'free' }));
  expect([took(), here.waiting, clock.pending]).toEqual([['there at 0', 'free at 0'], 1, 0]);
  end('free');
  expect(took()).toEqual([]);
  end('there');
  expect([took(), here.waiting]).toEqual([['full at 0'], 0]);
});

test('a limit of several lanes lets the next go wherever it waits', () => {
  const { lane, turn, took, end } = setUp();
  const wide = [new SharedLimiter(new FakeLimiter(1))];
  const [here, there] = [lane(new FakeLimiter(), wide), lane(new FakeLimiter(), wide)];
  here.wait(turn('here'));
  there.wait(turn('there 1'));
  there.wait(turn('there 2'));
  end('here');
  expect(took()).toEqual(['here at 0', 'there 1 at 0']);
  end('there 1');
  expect([took(), there.waiting]).toEqual([['there 2 at 0'], 0]);
});

test('one timer for all that wait, set when there is somebody to wake, and none when nobody waits', async () => {
  const { clock, lane, turn, took, timers } = setUp();
  const limiter = new FakeLimiter();
  limiter.openAt = 100;
  const one = lane(limiter);
  const turns = Array.from({ length: 50 }, (_, i) => turn(String(i)));
  for (const each of turns) one.wait(each);
  expect([timers(), clock.pending]).toEqual([1, 1]);
  await clock.advance(10);
  for (const each of turns) one.leave(each);
  for (const each of turns) one.leave(each);
  expect([took(), one.waiting, timers(), clock.pending]).toEqual([[], 0, 1, 0]);
  // Later than it was set for: it rings early, looks, and is set again.
  one.wait(turn('late'));
  limiter.openAt = 150;
  await clock.advance(140);
  expect([took(), clock.pending]).toEqual([['late at 150'], 0]);
});

test('whoever waits only for others to end sets no timer', () => {
  const { clock, lane, turn } = setUp();
  const one = lane(new FakeLimiter(1));
  for (const name of ['a', 'b']) one.wait(turn(name));
  expect([one.waiting, clock.pending]).toEqual([1, 0]);
});

test('when the head leaves, those behind it look again', () => {
  const { lane, turn, took } = setUp();
  const limiter = new FakeLimiter();
  limiter.openAt = 100;
  const one = lane(limiter);
  const first = turn('first');
  one.wait(first);
  one.wait(turn('second'));
  limiter.openAt = 0;
  one.leave(first);
  expect(took()).toEqual(['second at 0']);
});

test('close drops everybody who waits, passed over or not, and leaves no timer', () => {
  const { clock, lane, turn, took, end } = setUp();
  const limiter = new FakeLimiter();
  const shared = new FakeLimiter();
  shared.openAt = 50;
  const limits = new SharedLimiter(shared);
  const one = lane(limiter);
  one.wait(turn('under way'));
  one.wait(turn('full', { flow: 'full', shared: [limits] }));
  limiter.openAt = 20;
  one.wait(turn('high', { priority: 'high' }));
  expect([took(), clock.pending]).toEqual([['under way at 0'], 1]);
  one.close();
  expect(took()).toEqual(['full ERR_CLOSED', 'high ERR_CLOSED']);
  expect([one.waiting, clock.pending, limits.waiting.size]).toEqual([0, 0, 0]);
  end('under way');
  expect([took(), one.isIdle]).toEqual([[], true]);
});

test('the latest of the least urgent makes room, and nobody does for his equal', () => {
  const { lane, turn, took } = setUp();
  const limiter = new FakeLimiter(0);
  const one = lane(limiter);
  for (const name of ['low 1', 'low 2']) one.wait(turn(name, { priority: 'low' }));
  one.wait(turn('normal'));
  expect([one.dropLower('low'), one.dropLower('normal')]).toEqual([false, true]);
  expect([took(), one.waiting]).toEqual([['low 2 ERR_QUEUE_FULL'], 2]);
});

test('a wait that is no number holds nobody up and stands in no other limit’s way', () => {
  const { lane, turn, took } = setUp();
  const broken = new FakeLimiter();
  broken.waitMs = () => Number.NaN;
  const open = lane(new FakeLimiter(), [new SharedLimiter(broken)]);
  open.wait(turn('open'));
  const closed = lane(broken, [new SharedLimiter(new FakeLimiter(0))]);
  closed.wait(turn('closed'));
  expect([took(), closed.waiting]).toEqual([['open at 0'], 1]);
});

test('a change of state is told once', () => {
  const { lane, turn, took, end } = setUp();
  const limiter = new FakeLimiter();
  const one = lane(limiter);
  for (const name of ['a', 'b', 'c', 'd']) one.wait(turn(name));
  took();
  end('a');
  expect(took()).toEqual([]);
  limiter.state = 'retreat';
  end('b');
  end('c');
  limiter.state = 'normal';
  end('d');
  expect(took()).toEqual(['now retreat', 'now normal']);
});
