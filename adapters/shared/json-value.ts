/** A JSON value of unknown shape as an object to look into; empty when it is none. */
export function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The elements of a JSON array; none when it is no array. */
export function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A string with something in it, else `undefined`. */
export function nonEmptyString(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/**
 * `later` laid over `earlier`, member by member; members that are null in `later` keep their earlier value.
 * Streams report usage in parts, and a later part may leave out or null what an earlier one said.
 */
export function overlay(earlier: unknown, later: Readonly<Record<string, unknown>>): unknown {
  const merged: Record<string, unknown> = { ...asObject(earlier) };
  for (const [key, value] of Object.entries(later)) {
    if (value !== null && value !== undefined) merged[key] = value;
  }
  return merged;
}
