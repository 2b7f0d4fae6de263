/** How times and names read, in the terminal and on the page. */
import type { Conversation } from './conversations.ts';
import type { Traffic } from './traffic.ts';
import type { Turn } from './turns.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** `4 s`, `11 min`, `2.5 h`. */
export function duration(ms: number): string {
  if (ms < MINUTE) return `${Math.round(ms / SECOND)} s`;
  if (ms < HOUR) return `${Math.round(ms / MINUTE)} min`;
  return `${Math.round((ms / HOUR) * 10) / 10} h`;
}

/** Of a recording without times, how long after its beginning. */
export function timeOfDay(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(11, 19);
}

/** When the traffic was recorded; empty where the recording does not say. */
export function period({ exchanges, isTimed }: Traffic): string {
  const [first, last] = [exchanges[0], exchanges.at(-1)];
  if (!isTimed || first === undefined || last === undefined) return '';
  const minute = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
  const [from, to] = [minute(first.sentAt), minute(last.sentAt)];
  const isOneDay = from.slice(0, 10) === to.slice(0, 10);
  return from === to ? `${from} UTC` : `${from} to ${isOneDay ? to.slice(11) : to} UTC`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

export function modelsIn(turns: readonly Turn[]): string {
  return [...new Set(turns.map(({ model }) => model))].join(', ');
}

export function kindOf({ kind, turns }: Conversation): string {
  if (kind === 'conversation') return plural(turns.length, 'turn');
  const beginAlike = turns.length > 1 && turns[0] !== undefined && turns[0].tierEnds[1] > 0;
  return `${plural(turns.length, 'call')}${beginAlike ? ' that begin alike' : ''}`;
}
