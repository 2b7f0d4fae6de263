/** A JSON object of unknown content. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function objectOf(value: unknown): JsonObject | undefined {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  // An object of JSON has string keys and values of any kind.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return isObject ? (value as JsonObject) : undefined;
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

export function objectsOf(value: unknown): readonly JsonObject[] {
  return listOf(value)
    .map(objectOf)
    .filter((item) => item !== undefined);
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Without the named members; the same object where it has none of them. */
export function without(value: JsonObject, ...names: readonly string[]): JsonObject {
  if (!names.some((name) => name in value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
}

/** One text for settings that make prefixes different; empty where none is set. Members that are `undefined` do not count. */
export function saltOf(settings: JsonObject): string {
  const text = JSON.stringify(settings);
  return text === '{}' ? '' : text;
}
