import type { AnswerFacts } from '../../src/types.ts';

/** Whether an error's code or type is one of these names. */
export function isNamed(
  names: readonly string[],
): (error: NonNullable<AnswerFacts['error']>) => boolean {
  const all: ReadonlySet<string | undefined> = new Set(names);
  return ({ type, code }) => all.has(code) || all.has(type);
}
