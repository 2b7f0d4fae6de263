import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';

export interface OverflowOptions {
  /** Requests a minute that one machine takes of a route. Default: 15 (OpenAI prompt caching guide, 2026-08: "about 15"). */
  keyRpm?: number;
  /**
   * Where the others go, which is not documented. `shard`: every further 15 to one machine more, which then knows them too;
   * optimistic. `spread`: each to some machine out of many; pessimistic. Default: `shard`. An assumption.
   */
  overflow?: 'shard' | 'spread';
  /** How many machines there are to spread over. Default: 64. An assumption. */
  machines?: number;
}

const WINDOW_SECONDS = 60;
const MAX_ROUTES = 10_000;

interface Route {
  /** When the requests of the last minute came, in seconds. */
  recent: number[];
  count: number;
}

/** Which machine each request goes to: 0 is its route's own. */
export function createMachines(options: OverflowOptions): (route: string, now: number) => number {
  const { keyRpm = 15, overflow = 'shard', machines = 64 } = options;
  const routes = new LRUCache<string, Route>({ max: MAX_ROUTES });
  return (name, now) => {
    let route = routes.get(name);
    if (route === undefined) routes.set(name, (route = { recent: [], count: 0 }));
    route.recent = route.recent.filter((at) => now - at < WINDOW_SECONDS);
    const over = Math.floor(route.recent.length / keyRpm);
    route.recent.push(now);
    route.count += 1;
    if (over === 0 || overflow === 'shard') return over;
    const digest = hash('sha256', `${name} ${route.count}`, 'buffer');
    return 1 + (digest.readUInt32BE(0) % machines);
  };
}
