import { RouterError } from '../errors.ts';

/** Refuses, with `ERR_OPTIONS`, a name that cannot stand in SQL as it is. `option` is what it was given as: `sqliteSink: table`. */
export function checkSqlName(option: string, name: unknown): void {
  if (typeof name === 'string' && /^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(name)) return;
  throw new RouterError(
    'ERR_OPTIONS',
    `${option} must be letters, digits and underscores, not starting with a digit, at most 63`,
  );
}
