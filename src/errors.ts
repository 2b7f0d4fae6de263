/**
 * Every code the router uses, with what it means. `docs/errors.md` lists the same codes; a test compares them.
 */
export const errorCodes = {
  ERR_OPTIONS: 'An option is unknown or has a wrong value.',
  ERR_QUEUE_FULL: 'As many calls as `schedule.maxQueue` allows were waiting already.',
  ERR_QUEUE_TIMEOUT: 'The call waited for its turn longer than `schedule` allows.',
  ERR_DEADLINE:
    'The head of the answer could not come, or did not come, before the call’s deadline.',
  ERR_BUDGET_EXCEEDED:
    'A budget is spent, or calls under way had reserved the rest of it for longer than the call may wait.',
  ERR_BUDGET_UNPRICED: 'A budget in dollars must hold, and nobody knows the price of the model.',
  ERR_CLOSED: 'The router was closed before the call, or while it was in flight.',
  ERR_STREAM_STALLED: 'The answer stopped arriving for longer than `idleTimeoutMs`.',
  ERR_STREAM_TRUNCATED: 'The answer ended before its end marker, finish reason or closing brace.',
  ERR_SLOW_READER:
    'The caller read a shared answer so much more slowly than the others that it was cut off.',
  ERR_BODY: 'The body of a response was used twice.',
} as const;

export type RouterErrorCode = keyof typeof errorCodes;

/**
 * What the router itself throws. The message says what was expected, what came and what to do; it never holds
 * prompt text, keys or header values. Network failures are not of this class: they reject as `fetch` does.
 */
export class RouterError extends Error {
  override readonly name = 'RouterError';
  readonly code: RouterErrorCode;

  constructor(code: RouterErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Whether a value is a `RouterError`, also one of another copy of this package. */
export function isRouterError(value: unknown): value is RouterError {
  return (
    value instanceof RouterError ||
    (value instanceof Error &&
      value.name === 'RouterError' &&
      'code' in value &&
      typeof value.code === 'string' &&
      value.code.startsWith('ERR_'))
  );
}
