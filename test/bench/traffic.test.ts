/** What deciding when to send is measured with: every candidate must do the work. */
import { describe, expect, test } from 'vitest';
import { benchPipeline, CHAT_URL } from '../../bench/traffic/pipeline.ts';
import { places, WAITING_ROOMS } from '../../bench/traffic/queues.ts';

describe('pipelines', () => {
  test.each([[[]], [['dedupe', 'schedule', 'limit']], [['schedule', 'limit']], [['dedupe']]])(
    'without %j answer call after call',
    async (without) => {
      const { fetch, close } = benchPipeline(without);
      for (const temperature of [0, 1, 1]) {
        const body = JSON.stringify({ model: 'gpt-4o-mini', temperature, messages: [] });
        const response = await fetch(CHAT_URL, { method: 'POST', body });
        expect(response.status).toBe(200);
        expect(await response.json()).toMatchObject({ object: 'chat.completion' });
      }
      close();
    },
  );

  test('leave out only what there is', () => {
    expect(() => benchPipeline(['limits'])).toThrow('There are no stages limits.');
  });
});

describe.each([...WAITING_ROOMS])('$name', ({ make }) => {
  test('keeps everybody until it is opened, and lets the urgent out first', async () => {
    const room = make();
    const callers = places(200);
    expect(new Set(callers.map(({ priority }) => priority)).size).toBe(4);
    const out: string[] = [];
    const waiting = callers.map((caller) =>
      room.wait(caller).then(() => out.push(caller.priority)),
    );
    await room.settled();
    expect(out).toEqual([]);
    room.open();
    await Promise.all(waiting);
    const order = ['urgent', 'high', 'normal', 'low'];
    expect(out).toEqual(out.toSorted((a, b) => order.indexOf(a) - order.indexOf(b)));
    expect(out.length).toBe(200);
  });
});
