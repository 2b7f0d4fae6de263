import { RouterError } from '../errors.ts';

/** Refuses, with `ERR_OPTIONS`, a name that is no option: a typo should fail at once. `where` is what the options were given to. */
export function checkOptionNames(
  where: string,
  options: object,
  known: Readonly<Record<string, true>>,
): void {
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(known, name));
  if (unknown === undefined) return;
  const expected = Object.keys(known).join(', ');
  throw new RouterError(
    'ERR_OPTIONS',
    `${where}: unknown option ${unknown.slice(0, 64)}, expected any of ${expected}`,
  );
}
