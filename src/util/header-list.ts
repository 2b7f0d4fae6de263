/** A list of name, value, name, value … without the headers of this name, which is given in lower case. */
export function withoutHeader(list: readonly string[], name: string): readonly string[] {
  const kept: string[] = [];
  for (let i = 0; i < list.length; i += 2) {
    if (list[i]!.toLowerCase() !== name) kept.push(list[i]!, list[i + 1]!);
  }
  return kept;
}
