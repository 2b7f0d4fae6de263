import { describe, expect, test } from 'vitest';
import { ModelSizes, type RequestSize, type SizeReservation } from '../../src/budgets/sizes.ts';

const whole = { inputPico: undefined, outputPico: undefined, isWhole: true };
const ask: RequestSize = { estimate: 100, maxOutput: undefined, isPartial: false };

function take(sizes: ModelSizes, size = ask): { reservation: SizeReservation; number: number } {
  const reservation = sizes.reserve(size);
  return { reservation, number: reservation.kind.start(reservation.relies) };
}

function end(
  sizes: ModelSizes,
  { reservation, number }: ReturnType<typeof take>,
  output: number,
): void {
  sizes.learn(reservation, { ...whole, input: 100, output });
  reservation.kind.end(number, reservation.relies);
}

describe('a request of which nothing is known', () => {
  test('is reserved what it allows', () => {
    const sizes = new ModelSizes();
    expect(sizes.reserve({ estimate: 100, maxOutput: 500, isPartial: false })).toMatchObject({
      input: 1400,
      output: 500,
      relies: false,
    });
    expect(sizes.reserve({ estimate: 0, maxOutput: undefined, isPartial: false })).toMatchObject({
      input: 1004,
      output: 131_072,
    });
    expect(sizes.reserve({ estimate: 100, maxOutput: 0, isPartial: false }).output).toBe(0);
  });
});

describe('what others took', () => {
  test('is reserved with a tenth more, and never more than is allowed', () => {
    const sizes = new ModelSizes();
    end(sizes, take(sizes), 300);
    expect(sizes.reserve(ask)).toMatchObject({ input: 110, output: 330, relies: true });
    const bounded = { estimate: 100, maxOutput: 320, isPartial: false };
    expect(sizes.reserve(bounded).output).toBe(320);
    end(sizes, take(sizes, bounded), 319);
    expect(sizes.reserve(bounded)).toMatchObject({ output: 320, relies: true });
  });

  test('one may rely on a few, and more as more are seen', () => {
    const sizes = new ModelSizes();
    for (let i = 0; i < 3; i++) end(sizes, take(sizes), 300);
    const first = take(sizes);
    expect(first.reservation.relies).toBe(true);
    expect(sizes.reserve(ask).relies).toBe(false);
    end(sizes, first, 300);
    const relying = [take(sizes), take(sizes)];
    expect(relying.every(({ reservation }) => reservation.relies)).toBe(true);
    expect(sizes.reserve(ask)).toMatchObject({ output: 131_072, relies: false });
    end(sizes, relying[0]!, 300);
    expect(sizes.reserve(ask).relies).toBe(true);
  });

  test('short answers that come first do not stand for the long ones under way', () => {
    const sizes = new ModelSizes();
    const long = [take(sizes), take(sizes)];
    for (let i = 0; i < 50; i++) end(sizes, take(sizes), 10);
    expect(take(sizes).reservation.relies).toBe(true);
    expect(sizes.reserve(ask).relies).toBe(false);
    for (const call of long) end(sizes, call, 10_000);
    expect(sizes.reserve(ask)).toMatchObject({ output: 11_000, relies: true });
  });

  test('an answer that is far longer begins the count anew', () => {
    const sizes = new ModelSizes();
    for (let i = 0; i < 50; i++) end(sizes, take(sizes), 100);
    end(sizes, take(sizes), 1000);
    expect(take(sizes).reservation.output).toBe(1100);
    expect(sizes.reserve(ask).relies).toBe(false);
  });

  test('a server that gives more than is allowed is believed', () => {
    const sizes = new ModelSizes();
    const bounded = { estimate: 100, maxOutput: 320, isPartial: false };
    end(sizes, take(sizes, bounded), 1000);
    expect(sizes.reserve(bounded).output).toBe(1100);
  });

  test('an aborted answer says only how long it was at least', () => {
    const sizes = new ModelSizes();
    end(sizes, take(sizes), 100);
    const { reservation, number } = take(sizes);
    sizes.learn(reservation, { ...whole, input: 100, output: 500, isWhole: false });
    reservation.kind.end(number, reservation.relies);
    expect(sizes.reserve(ask).output).toBe(550);
  });

  test('embeddings have no answer, and are learnt from all the same', () => {
    const sizes = new ModelSizes();
    const embedding = { estimate: 100, maxOutput: 0, isPartial: false };
    const { reservation, number } = take(sizes, embedding);
    sizes.learn(reservation, { ...whole, input: 120, output: undefined });
    reservation.kind.end(number, reservation.relies);
    expect(sizes.reserve(embedding)).toMatchObject({ input: 132, output: 0, relies: true });
  });

  test('and what their tokens cost', () => {
    const sizes = new ModelSizes();
    const call = take(sizes);
    expect(call.reservation.rates).toBeUndefined();
    sizes.learn(call.reservation, {
      input: 100,
      output: 50,
      inputPico: 1000n,
      outputPico: 5000n,
      isWhole: true,
    });
    call.reservation.kind.end(call.number, false);
    expect(sizes.reserve(ask).rates).toEqual({ input: 10, output: 100 });
  });
});
