/** What is shown of a sink's error. Never its message: database errors quote the row. */
export interface ErrorLabel {
  readonly name: string;
  readonly code?: string | undefined;
}

/** Names and codes are short words; anything else may be data and is left out. */
const WORD = /^[\w.-]{1,64}$/;

/** Total: whatever was thrown, also an object whose getters throw. */
export function errorLabel(error: unknown): ErrorLabel {
  try {
    if (typeof error !== 'object' || error === null) return { name: typeof error };
    const name = 'name' in error ? word(error.name) : undefined;
    const code = 'code' in error ? word(error.code) : undefined;
    return { name: name ?? 'Error', ...(code !== undefined && { code }) };
  } catch {
    return { name: 'Error' };
  }
}

function word(value: unknown): string | undefined {
  const text = typeof value === 'number' ? String(value) : value;
  return typeof text === 'string' && WORD.test(text) ? text : undefined;
}
