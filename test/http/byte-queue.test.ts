import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteQueue, type FlowControl } from '../../src/http/byte-queue.ts';

function flow(): FlowControl & { log: string[] } {
  const log: string[] = [];
  return {
    log,
    pause: () => log.push('pause'),
    resume: () => log.push('resume'),
    cancel: (reason) => log.push(`cancel ${String(reason)}`),
  };
}

test('the same bytes come out in order, whatever the interleaving of pushes and reads', async () => {
  const step = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constant('read' as const));
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60 }),
      fc.nat(64),
      async (steps, highWaterMark) => {
        const control = flow();
        const queue = new ByteQueue(control, highWaterMark);
        const reads: Array<Promise<IteratorResult<Uint8Array>>> = [];
        let waiting = false;
        for (const item of steps) {
          if (item !== 'read') {
            queue.push(item);
            if (item.length > 0) waiting = false;
          } else if (!waiting) {
            const read = queue.next();
            reads.push(read);
            // One reader at a time, as with every body: read again only once the last read has its bytes.
            waiting = (await Promise.race([read, Promise.resolve('open')])) === 'open';
          }
        }
        queue.end();
        const read = (await Promise.all(reads)).flatMap(({ value }) => [...(value ?? [])]);
        const rest = [...(await queue.rest())];
        const pushed = steps.flatMap((item) => (item === 'read' ? [] : [...item]));
        expect([...read, ...rest]).toEqual(pushed);
        // Paused and resumed in turn; at the end it may stay paused, since nobody waits for more.
        expect(control.log.join(' ')).toMatch(/^(?:pause resume ?)*(?:pause)?$/);
      },
    ),
  );
});

test('the producer is paused past the high water mark and resumed when the reader waits for more', async () => {
  const control = flow();
  const queue = new ByteQueue(control, 10);
  queue.push(new Uint8Array(10));
  expect(control.log).toEqual([]);
  queue.push(new Uint8Array(1));
  queue.push(new Uint8Array(1));
  expect(control.log).toEqual(['pause']);
  expect((await queue.next()).value).toHaveLength(12);
  expect(control.log).toEqual(['pause']);
  const waiting = queue.next();
  expect(control.log).toEqual(['pause', 'resume']);
  queue.push(new Uint8Array(2));
  expect((await waiting).value).toHaveLength(2);
});

test('a failure rejects the read under way, drops what waits and stays', async () => {
  const queue = new ByteQueue(flow());
  const read = queue.next();
  const error = new Error('broken');
  queue.fail(error);
  await expect(read).rejects.toBe(error);
  await expect(queue.next()).rejects.toBe(error);
  await expect(queue.rest()).rejects.toBe(error);
});

test('cancel tells the producer once and ends the queue', async () => {
  const control = flow();
  const queue = new ByteQueue(control);
  queue.push(new Uint8Array(3));
  queue.cancel('enough');
  queue.cancel('again');
  queue.push(new Uint8Array(3));
  expect(control.log).toEqual(['cancel enough']);
  expect(await queue.next()).toEqual({ value: undefined, done: true });
});

test('cancel after the end tells nobody: there is nothing left to stop', () => {
  const control = flow();
  const queue = new ByteQueue(control);
  queue.end();
  queue.cancel('late');
  expect(control.log).toEqual([]);
});
