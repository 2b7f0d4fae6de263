import { describe, expect, test } from 'vitest';
import { AnswerLog } from '../../src/dedupe/answer-log.ts';
import { MemberQueue } from '../../src/dedupe/member-queue.ts';

function setUp() {
  const log = new AnswerLog();
  let wanted = 0;
  const cancelled: unknown[] = [];
  const queue = new MemberQueue(
    log,
    { want: () => wanted++ },
    { pause: () => {}, resume: () => {}, cancel: (reason) => cancelled.push(reason) },
  );
  const append = (text: string): void => {
    log.append(Buffer.from(text));
    queue.wake();
  };
  const read = async (): Promise<string | undefined> => {
    const { value } = await queue.next();
    return value === undefined ? undefined : Buffer.from(value).toString();
  };
  return { log, queue, append, read, cancelled, wanted: () => wanted };
}

describe('a reader of a log', () => {
  test('takes all that has come in one piece, and asks for more only when it waits', async () => {
    const { append, read, wanted, queue, log } = setUp();
    append('a');
    append('b');
    expect(wanted()).toBe(0);
    expect(await read()).toBe('ab');
    expect(queue.place).toEqual(log.end);
    const waiting = read();
    expect([wanted(), queue.isWaiting]).toEqual([1, true]);
    append('c');
    expect(await waiting).toBe('c');
    expect([wanted(), queue.isWaiting]).toEqual([1, false]);
  });

  test('may ask again before it has an answer', async () => {
    const { append, read, queue } = setUp();
    const waiting = [read(), read()];
    append('a');
    expect(queue.isWaiting).toBe(true);
    append('b');
    append('c');
    expect(await Promise.all(waiting)).toEqual(['a', 'b']);
    expect(await read()).toBe('c');
  });

  test('that lets go waits no more, and nothing is lost for the next', async () => {
    const { append, read, queue, log } = setUp();
    const waiting = read();
    queue.stopWaiting(new Error('released'));
    await expect(waiting).rejects.toThrow('released');
    expect(queue.isWaiting).toBe(false);
    append('a');
    expect(queue.place.chunks).toBe(log.end.chunks - 1);
    expect(await read()).toBe('a');
  });

  test('keeps at the end what it has not read', async () => {
    const { append, read, queue, log, cancelled } = setUp();
    append('a');
    queue.end();
    log.clear();
    expect(await read()).toBe('a');
    expect(await read()).toBeUndefined();
    queue.cancel('late');
    expect(cancelled).toEqual([]);
  });

  test('drops it when the answer fails', async () => {
    const { append, read, queue, wanted } = setUp();
    append('a');
    queue.fail(new Error('reset'));
    await expect(read()).rejects.toThrow('reset');
    expect(wanted()).toBe(0);
  });

  test('tells when it wants no more', async () => {
    const { append, read, queue, cancelled } = setUp();
    append('a');
    queue.cancel('enough');
    expect(cancelled).toEqual(['enough']);
    expect(await read()).toBeUndefined();
  });
});
