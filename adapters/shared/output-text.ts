import { isObject } from './json-value.ts';

/** Which members of an answer carry what the model wrote. */
export interface TextMembers {
  /** Members whose strings count, at any depth below the given value. */
  readonly text: ReadonlySet<string>;
  /** Members that hold tool arguments as an object: counted as JSON. */
  readonly json?: ReadonlySet<string>;
}

/** Answers nest about eight levels; deeper input is not an answer. */
const MAX_DEPTH = 16;

/** Everything the model wrote in a part of an answer, run together: for estimates of its size only. */
export function outputText(value: unknown, members: TextMembers): string {
  const found: string[] = [];
  collect(value, members, found, 0);
  return found.join('');
}

function collect(value: unknown, members: TextMembers, found: string[], depth: number): void {
  if (depth > MAX_DEPTH) return;
  if (Array.isArray(value)) {
    for (const element of value) collect(element, members, found, depth + 1);
    return;
  }
  if (!isObject(value)) return;
  for (const [key, member] of Object.entries(value)) {
    if (typeof member === 'string') {
      if (members.text.has(key)) found.push(member);
    } else if (members.json?.has(key) === true) {
      if (isObject(member)) found.push(JSON.stringify(member));
    } else {
      collect(member, members, found, depth + 1);
    }
  }
}
