import { expect, test } from 'vitest';
import { SharedLimiter } from '../../src/schedule/shared-limiter.ts';
import { demand, FakeLimiter, setUp } from './lanes.ts';

test('a limit that says NaN does not hide another that says no', () => {
  const { lane, turn, took } = setUp();
  const broken = new FakeLimiter();
  broken.waitMs = () => Number.NaN;
  const one = lane(new FakeLimiter());
  one.wait(
    turn('x', {
      flow: 'f',
      shared: [new SharedLimiter(new FakeLimiter(0)), new SharedLimiter(broken)],
    }),
  );
  expect(took()).toEqual([]);
});
test('whoever leaves takes his flow’s timer along', () => {
  const { clock, lane, turn, took } = setUp();
  const shared = new FakeLimiter();
  shared.openAt = 500;
  const limit = new SharedLimiter(shared);
  const one = lane(new FakeLimiter());
  const full = { flow: 'full', shared: [limit] };
  const low = turn('low', { ...full, priority: 'low' });
  one.wait(low);
  const other = turn('other', { flow: 'o', shared: [new SharedLimiter(new FakeLimiter(0))] });
  one.wait(other);
  one.leave(low); // flow gone, others wait
  expect([clock.pending, limit.waiting.size, took()]).toEqual([0, 0, []]);
});
test('a queue that empties leaves no timer', () => {
  const { clock, lane, turn, took } = setUp();
  const shared = new FakeLimiter();
  shared.waitMs = (demand) => (demand.priority === 'urgent' ? 0 : shared.openAt);
  shared.openAt = 500;
  const limit = new SharedLimiter(shared);
  const one = lane(new FakeLimiter());
  const full = { flow: 'full', shared: [limit] };
  one.wait(turn('low', { ...full, priority: 'low' }));
  shared.openAt = 0;
  one.wait(turn('urgent', { ...full, priority: 'urgent' }));
  expect([took(), one.waiting, clock.pending, limit.waiting.size]).toEqual([
    ['urgent at 0', 'low at 0'],
    0,
    0,
    0,
  ]);
});
test('when the big head of a flow leaves, the small one behind it may go', () => {
  const { lane, turn, took } = setUp();
  const shared = new FakeLimiter();
  shared.waitMs = (demand) => (demand.inputTokens > 100 ? 60_000 : 0);
  const one = lane(new FakeLimiter());
  const full = { flow: 'full', shared: [new SharedLimiter(shared)] };
  const big = turn('big', { ...full, demand: { ...demand(), inputTokens: 1000 } });
  one.wait(big);
  one.wait(turn('small', full));
  one.leave(big);
  expect(took()).toEqual(['small at 0']);
});
test('an urgent call in another lane of the same limit goes first', () => {
  const { lane, turn, took, end } = setUp();
  const wide = [new SharedLimiter(new FakeLimiter(1))];
  const [here, there] = [lane(new FakeLimiter(), wide), lane(new FakeLimiter(), wide)];
  for (const name of ['a', 'b', 'c', 'd', 'e']) here.wait(turn(name, { priority: 'low' }));
  there.wait(turn('urgent', { priority: 'urgent' }));
  for (const name of ['a', 'b', 'c']) {
    try {
      end(name);
    } catch {}
  }
  expect(took().slice(0, 2)).toEqual(['a at 0', 'urgent at 0']);
});
test('the same with a limit of one flow', () => {
  const { lane, turn, took, end } = setUp();
  const full = { flow: 'full', shared: [new SharedLimiter(new FakeLimiter(1))] };
  const [here, there] = [lane(new FakeLimiter()), lane(new FakeLimiter())];
  for (const name of ['a', 'b']) here.wait(turn(name, full));
  there.wait(turn('there', full));
  for (const name of ['c', 'd', 'e']) here.wait(turn(name, full));
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    try {
      end(name);
    } catch {}
  }
  expect(took()).toEqual(['a at 0', 'b at 0', 'there at 0']);
});
test('a shared limit does not hold on to a lane in which nobody waits', () => {
  const { lane, turn } = setUp();
  const wide = new SharedLimiter(new FakeLimiter(0));
  const one = lane(new FakeLimiter(), [wide]);
  const t = turn('x');
  one.wait(t);
  one.leave(t);
  expect(wide.waiting.size).toBe(0);
});
test('a limit that throws lets go', () => {
  const { lane, turn, took } = setUp();
  const bad = new FakeLimiter();
  bad.waitMs = () => {
    throw new Error('bug');
  };
  const one = lane(bad);
  one.wait(turn('x'));
  expect(one.waiting).toBe(0);
  expect(took()).toEqual(['x at 0']);
});
test('a wait too small for the clock does not wake for ever at one time', async () => {
  const { clock, lane, turn, took } = setUp();
  await clock.advance(1e9);
  const tiny = new FakeLimiter();
  tiny.waitMs = () => 1e-9;
  const one = lane(tiny);
  one.wait(turn('x'));
  for (let look = 0; look < 50; look++) await clock.next();
  expect(clock.now() - 1e9).toBeGreaterThanOrEqual(50);
  expect(took()).toEqual([]);
});
