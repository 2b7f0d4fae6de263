import type { CellResult } from './measure.ts';
import { pairedDifference, pairedRatio, type Spread } from './statistics.ts';

/** What the router must hold to, and where it is meant to get. */
export interface Goal {
  readonly what: string;
  readonly unit: 'x' | 'us';
  readonly limit: number;
  readonly end: number;
  readonly figure: Spread;
  readonly isMet: boolean;
}

export function goalsOf(results: readonly CellResult[]): Goal[] {
  return results.flatMap((result) => {
    const { cell, cpuUs } = result;
    const of = (name: string): readonly number[] => cpuUs.get(name as never) ?? [];
    const goals: Goal[] = [];
    const add = (
      what: string,
      unit: Goal['unit'],
      limit: number,
      end: number,
      figure: Spread,
    ): void => {
      goals.push({
        what: `${what} (${cell.title})`,
        unit,
        limit,
        end,
        figure,
        isMet: figure.median <= limit,
      });
    };
    const ratio = (): Spread => pairedRatio(of('openai + router'), of('openai'));
    const overRequest = (): Spread => pairedDifference(of('router.fetch'), of('undici.request'));
    switch (cell.group) {
      case 'whole':
        add('openai + router : openai, a call', 'x', 0.75, 0.5, ratio());
        if (cell.size === 2)
          add('router.fetch - undici.request, a call', 'us', 40, 10, overRequest());
        break;
      case 'stream':
        add('openai + router : openai, a chunk', 'x', 0.95, 0.85, ratio());
        if (cell.size === 2)
          add('router.fetch - undici.request, a chunk', 'us', 2, 2, overRequest());
        break;
      case 'null': {
        const net = pairedDifference(of('router.fetch'), of('bare'));
        if (cell.isStream) add('router.fetch - bare, a frame, no sockets', 'us', 0.8, 0.5, net);
        else add('router.fetch - bare, a call, no sockets', 'us', 25, 12, net);
        break;
      }
    }
    return goals;
  });
}
