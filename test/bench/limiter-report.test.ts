/** What is made of the runs of limiters: figures, tables and the picture. */
import { describe, expect, test } from 'vitest';
import { chart, CHARTED } from '../../bench/limiter/chart.ts';
import { figuresOf, type Figures } from '../../bench/limiter/figures.ts';
import type { Result } from '../../bench/limiter/measure.ts';
import type { Scenario } from '../../bench/limiter/scenario.ts';
import { scenarioNamed } from '../../bench/limiter/scenarios/index.ts';
import { createSendRecorder, type SendRecorder } from '../../bench/limiter/send-log.ts';
import { SENDERS } from '../../bench/limiter/senders.ts';
import { report } from '../../bench/limiter/table.ts';
import type { WorkCall } from '../../bench/limiter/workload.ts';
import type { Priority } from '../../src/types.ts';

const SCENARIO: Scenario = {
  name: 'test',
  minutes: 10,
  unit: 'inputTokens',
  format: 'openai',
  provider: { limits: [{ unit: 'requests', limit: 60 }] },
  load: { share: 1, sizes: 'small' },
  goal: { goodput: 95, refused: 20 },
};

/** Calls that arrive at these seconds. */
function calls(arrivals: readonly number[], priority: Priority = 'normal'): WorkCall[] {
  return arrivals.map((at, number) => ({
    number,
    arrivedAt: at * 1000,
    priority,
    process: 0,
    inputTokens: 100,
    outputTokens: 10,
    maxTokens: 20,
    characters: 400,
  }));
}

/** Sends a call at this second; what is answered 200 is complete two seconds later. */
function send(recorder: SendRecorder, call: WorkCall, at: number, status: number): void {
  recorder.sent(call, at * 1000).status = status;
  if (status === 200) recorder.done(call, (at + 2) * 1000);
}

function played(
  list: readonly WorkCall[],
  act: (recorder: SendRecorder) => void,
  scenario: Scenario = SCENARIO,
): Figures {
  const recorder = createSendRecorder(list);
  act(recorder);
  return figuresOf(scenario, recorder);
}

describe('figures', () => {
  test('count work, refusals, faults and errors', () => {
    const [first, second, third, fourth] = calls([0, 0, 0, 599]);
    const figures = played([first!, second!, third!, fourth!], (recorder) => {
      send(recorder, first!, 0, 200);
      send(recorder, second!, 0, 429);
      send(recorder, second!, 3, 200);
      send(recorder, third!, 0, 503);
      recorder.failed(third!, 1000);
      // Too late to count.
      send(recorder, fourth!, 599, 200);
    });
    expect(figures).toMatchObject({ calls: 4, sends: 5, served: 2, lastServed: 5, work: 200 });
    expect(figures).toMatchObject({ refused: 200, faulted: 200, failed: 25 });
  });

  test('waits end with the send that was answered, and go on to the end where none was', () => {
    const list = calls([0, 0, 590]);
    const figures = played(list, (recorder) => {
      send(recorder, list[0]!, 1, 429);
      send(recorder, list[0]!, 7, 200);
      send(recorder, list[1]!, 0, 200);
    });
    expect(figures.waitP95).toEqual({ normal: 10 });
  });

  test('low priority starves while it waits and none of it is served', () => {
    const list = calls([0, 10, 100], 'low');
    const figures = played(list, (recorder) => {
      send(recorder, list[0]!, 30, 200);
      send(recorder, list[1]!, 75, 200);
      send(recorder, list[2]!, 101, 200);
    });
    expect(figures.lowStarved).toBe(45);
    expect(played(calls([400], 'low'), () => {}).lowStarved).toBe(200);
    expect(played(calls([0]), () => {}).lowStarved).toBe(0);
  });

  test('a step is over when a minute begins that keeps to the new limit', () => {
    const schedule = [
      [120_000, 20],
      [360_000, 60],
    ] as const;
    const scenario = {
      ...SCENARIO,
      provider: { limits: [{ unit: 'requests', limit: 60, schedule }] },
    } as const;
    const list = calls(Array.from({ length: 600 }, (_, second) => second));
    const figures = played(
      list,
      (recorder) => {
        for (const [second, call] of list.entries()) {
          // Two of three are refused until 30 s after the step; then every third is sent. 40 s late again when it ends.
          const isThird = second % 3 === 0;
          if (second < 120 || second >= 400) send(recorder, call, second, 200);
          else if (isThird) send(recorder, call, second, 200);
          else if (second < 150) send(recorder, call, second, 429);
        }
      },
      scenario,
    );
    expect(figures.steps).toEqual([
      { direction: 'down', settled: 29 },
      { direction: 'up', settled: 30 },
    ]);
    const never = played(calls([]), () => {}, scenario);
    expect(never.steps.map(({ settled }) => settled)).toEqual([undefined, undefined]);
  });

  test('an outage is over when the offered rate is served again', () => {
    const scenario: Scenario = {
      ...SCENARIO,
      provider: { ...SCENARIO.provider, outages: [{ from: 60_000, to: 120_000, kind: '503' }] },
    };
    const list = calls(Array.from({ length: 300 }, (_, second) => second));
    const figures = played(
      list,
      (recorder) => {
        for (const [second, call] of list.entries()) {
          if (second < 60 || second >= 130) send(recorder, call, second, 200);
          else if (second < 70) send(recorder, call, second, 503);
          else if (second === 123) send(recorder, call, second, 200);
        }
      },
      scenario,
    );
    expect(figures.outages).toEqual([{ wasted: 10, first: 3, recovered: 9.5 }]);
  });
});

describe('the report', () => {
  const figures: Figures = {
    calls: 100,
    sends: 110,
    served: 90,
    lastServed: 12.3,
    work: 90,
    refused: 12.34,
    faulted: 0,
    failed: 0,
    waitP95: { urgent: 0.5, high: 1, normal: 20, low: 300 },
    lowStarved: 40,
    steps: [],
    outages: [],
    timersPerSend: 2,
    mostTimers: 1,
  };
  const result = (scenario: string, sender: Result['sender'], own: Partial<Figures>): Result => ({
    scenario,
    sender,
    seed: 1,
    isTraced: false,
    trace: undefined,
    figures: { ...figures, ...own },
  });

  test('sets every sender beside the oracle', () => {
    const name = 'hidden, bucket, steps';
    const outage = 'outage of 60 s, hanging';
    const steps = [
      { direction: 'down', settled: 12 },
      { direction: 'up', settled: undefined },
    ] as const;
    const text = report([
      result(name, 'oracle', { work: 100 }),
      result(name, 'ours', { steps }),
      result(name, 'SDK, 2 retries', { work: 50, refused: 600, failed: 33 }),
      result(outage, 'oracle', {}),
      result(outage, 'ours', {
        refused: 24,
        outages: [{ wasted: 4, first: 0.5, recovered: undefined }],
      }),
      result('60 at once, 5 a second', 'ours', { calls: 60, sends: 64, served: 60 }),
    ]);
    const rows = text.split('\n').map((line) => line.replaceAll(/ +/g, ' '));
    expect(rows).toContain('| scenario | ours | SDK, 2 retries | goal | |');
    expect(rows).toContain(`| ${name} | 90 / 12 | 50 / 600 | 90 / 35 | pass |`);
    expect(rows).toContain(`| ${outage} | 100 / 24 | | 95 / 20 | FAIL |`);
    expect(rows).toContain(`| ${name} | 0 | 33 |`);
    expect(rows).toContain(`| ${name} | 12 / never | |`);
    expect(rows).toContain(`| ${outage} | 4 / 0.5 / never | |`);
    expect(rows).toContain(`| ${name} | 0.5 | 0.5 | 1.0 | 20 | 300 | 40 | 0 | 2.0 |`);
    expect(rows).toContain('| 60 at once, 5 a second | ours | 60 of 60 | 4 | 12 |');
  });

  test('has no table without anything in it', () => {
    expect(report([])).toBe('');
  });
});

describe('the picture', () => {
  test('has a panel for each traced sender, and stays on its paper', () => {
    expect(scenarioNamed(CHARTED).provider.limits?.[0]?.schedule).toBeDefined();
    const served = Array.from({ length: 36 * 60 }, (_, second) => second * 1000);
    const refused = Array.from({ length: 36 * 300 }, (_, fifth) => fifth * 200);
    const results = SENDERS.map((sender): Result => ({
      scenario: CHARTED,
      sender,
      seed: 1,
      isTraced: true,
      trace: { served, refused },
      figures: figuresOf(SCENARIO, createSendRecorder([])),
    }));
    const svg = chart(results);
    expect(svg.match(/<polyline class="served"/g)).toHaveLength(4);
    expect(svg.includes('up to 306 a minute refused')).toBe(true);
    expect(/NaN|undefined|Infinity/.test(svg)).toBe(false);
    const [, width = '', height = ''] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? [];
    for (const [, points = ''] of svg.matchAll(/points="([^"]+)"/g)) {
      for (const point of points.split(' ')) {
        const [x = Number.NaN, y = Number.NaN] = point.split(',').map(Number);
        expect(x >= 0 && x <= Number(width) && y >= 0 && y <= Number(height)).toBe(true);
      }
    }
  });
});
