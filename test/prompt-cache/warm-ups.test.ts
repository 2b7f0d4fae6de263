import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createWarmUps } from '../../src/prompt-cache/warm-ups.ts';
import { createVirtualClock } from '../../src/testing/index.ts';

function setUp() {
  const clock = createVirtualClock();
  const warmUps = createWarmUps(clock);
  const woken: string[] = [];
  const wait = (name: string, hash: string, ms = 1000, signal?: AbortSignal): void => {
    void warmUps.wait(hash, ms, signal).then(() => woken.push(`${name} ${clock.now()}`));
  };
  return { clock, warmUps, woken, wait };
}

describe('waiting', () => {
  test('ends when the prefix is there, for all that wait for it and no others', async () => {
    const { clock, warmUps, woken, wait } = setUp();
    wait('a', 'x');
    wait('b', 'x');
    wait('c', 'y');
    expect(warmUps.waiting).toBe(3);
    await clock.advance(10);
    warmUps.wake(['z', 'x']);
    await clock.advance(0);
    expect(woken).toEqual(['a 10', 'b 10']);
    expect([warmUps.waiting, clock.pending]).toEqual([1, 1]);
    await clock.runAll();
    expect(woken).toEqual(['a 10', 'b 10', 'c 1000']);
  });

  test('ends when the signal fires', async () => {
    const { clock, warmUps, woken, wait } = setUp();
    const abort = new AbortController();
    wait('a', 'x', 1000, abort.signal);
    wait('b', 'x');
    await clock.advance(5);
    abort.abort();
    await clock.advance(0);
    expect(woken).toEqual(['a 5']);
    expect([warmUps.waiting, clock.pending]).toEqual([1, 1]);
  });

  test.each([
    ['a fired signal', 1000, AbortSignal.abort()],
    ['no time', 0, undefined],
    ['less than no time', -1, undefined],
  ])('does not begin with %s', async (_name, ms, signal) => {
    const { clock, warmUps, woken, wait } = setUp();
    wait('a', 'x', ms, signal);
    expect([warmUps.waiting, clock.pending]).toEqual([0, 0]);
    await clock.advance(0);
    expect(woken).toEqual(['a 0']);
  });

  test('one that begins to wait while others are woken is not woken with them', async () => {
    const { clock, warmUps, woken, wait } = setUp();
    void warmUps.wait('x', 1000, undefined).then(() => {
      wait('again', 'x');
    });
    wait('b', 'x');
    warmUps.wake(['x', 'x']);
    await clock.advance(1);
    expect(woken).toEqual(['b 0']);
    expect(warmUps.waiting).toBe(1);
    warmUps.wake(['x']);
    await clock.advance(0);
    expect(woken).toEqual(['b 0', 'again 1']);
  });

  test('a signal is left without listeners', async () => {
    const { clock, warmUps } = setUp();
    let listeners = 0;
    const { signal } = new AbortController();
    const counted = new Proxy(signal, {
      get(target, key) {
        if (key === 'addEventListener') listeners++;
        if (key === 'removeEventListener') listeners--;
        const value: unknown = Reflect.get(target, key);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const waits = [warmUps.wait('x', 10, counted), warmUps.wait('y', 10, counted)];
    expect(listeners).toBe(2);
    warmUps.wake(['x']);
    await clock.runAll();
    await Promise.all(waits);
    expect(listeners).toBe(0);
  });
});

test('whatever happens, each wait ends once and nothing is left', async () => {
  const hash = fc.constantFrom('x', 'y', 'z');
  const step = fc.oneof(
    fc.record({ kind: fc.constant('wait' as const), hash, ms: fc.nat(50) }),
    fc.record({ kind: fc.constant('wake' as const), hash }),
    fc.record({ kind: fc.constant('abort' as const), who: fc.nat(20) }),
    fc.record({ kind: fc.constant('advance' as const), ms: fc.nat(20) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const { clock, warmUps } = setUp();
      const aborts: AbortController[] = [];
      const waits: Array<Promise<void>> = [];
      let ended = 0;
      for (const one of steps) {
        if (one.kind === 'wait') {
          const abort = new AbortController();
          aborts.push(abort);
          waits.push(warmUps.wait(one.hash, one.ms, abort.signal).finally(() => ended++));
        } else if (one.kind === 'wake') warmUps.wake([one.hash]);
        else if (one.kind === 'abort') aborts[one.who]?.abort();
        else await clock.advance(one.ms);
      }
      await clock.runAll();
      await Promise.all(waits);
      expect([ended, warmUps.waiting, clock.pending]).toEqual([waits.length, 0, 0]);
    }),
    { numRuns: 50 },
  );
});
