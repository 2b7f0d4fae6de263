import type { Scenario } from '../scenario.ts';
import { FAULTS } from './faults.ts';
import { HERDS } from './herd.ts';
import { HIDDEN } from './hidden.ts';
import { SERVERS } from './servers.ts';
import { WITH_HEADERS } from './with-headers.ts';

/** What senders are compared on, against the most that is possible. */
export const SCENARIOS: readonly Scenario[] = [...WITH_HEADERS, ...HIDDEN, ...SERVERS, ...FAULTS];

/** Calls that come all at once. */
export { HERDS };

export function scenarioNamed(name: string): Scenario {
  const scenario = [...SCENARIOS, ...HERDS].find((one) => one.name === name);
  if (scenario === undefined) throw new Error(`There is no scenario "${name}".`);
  return scenario;
}
