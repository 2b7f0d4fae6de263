import { RouterError } from '../../../src/errors.ts';
import type { OtlpSinkOptions } from './options.ts';

/** Throws `ERR_OPTIONS` for what is unknown, of another kind, or does not go together. */
export function checkOptions(options: OtlpSinkOptions): void {
  for (const [option, value] of Object.entries(options)) {
    const check = CHECKS.get(option);
    if (check === undefined) refuse(`unknown option ${option}`);
    if (value !== undefined && !check.isRight(value)) {
      refuse(`${option} must be ${check.expected}, got ${shown(value)}`);
    }
  }
  const providers = PROVIDERS.filter((option) => options[option] !== undefined);
  const [provider] = providers;
  if (provider !== undefined) {
    for (const option of DIRECT_ONLY) {
      if (options[option] !== undefined) {
        refuse(`${option} is not used with ${provider}; list one sink for each`);
      }
    }
    needs(options, 'spans', options.api ?? options.tracerProvider, 'api or tracerProvider');
    needs(options, 'metrics', options.api ?? options.meterProvider, 'api or meterProvider');
    needs(
      options,
      'logs',
      options.api?.logs ?? options.loggerProvider,
      'loggerProvider, or an api of @opentelemetry/api 1.10 or later',
    );
  } else {
    needs(
      options,
      'metrics',
      undefined,
      'api or meterProvider: delivery may bring a batch twice, and sums would count it twice',
    );
    if (options.logs === false && (options.spans ?? false) === false) {
      refuse('logs: false and no spans leave nothing to send');
    }
  }
}

const PROVIDERS = ['api', 'tracerProvider', 'meterProvider', 'loggerProvider'] as const;
const DIRECT_ONLY = ['url', 'headers', 'fetch', 'resource', 'timeoutMs', 'clock'] as const;

interface Check {
  readonly expected: string;
  isRight(value: unknown): boolean;
}

const isBoolean: Check = {
  expected: 'a boolean',
  isRight: (value) => typeof value === 'boolean',
};

/** One for each option. */
export const CHECKS: ReadonlyMap<string, Check> = new Map([
  ['url', { expected: 'a string', isRight: (value) => typeof value === 'string' }],
  ['headers', { expected: 'an object of header values', isRight: areHeaders }],
  ['fetch', { expected: 'a function', isRight: (value) => typeof value === 'function' }],
  ['clock', has('now', 'wallNow', 'setTimeout', 'clearTimeout')],
  ['timeoutMs', { expected: 'a number of milliseconds above 0', isRight: isTimeout }],
  ['resource', { expected: 'an object of strings, numbers and booleans', isRight: areAttributes }],
  ['api', { expected: 'the module @opentelemetry/api', isRight: isApi }],
  ['tracerProvider', has('getTracer')],
  ['meterProvider', has('getMeter')],
  ['loggerProvider', has('getLogger')],
  ['semconv', oneOf('latest', 'v1.41', 'both')],
  ['spans', oneOf('operation+attempts', 'operation', false)],
  ['metrics', isBoolean],
  ['logs', isBoolean],
  ['captureContent', isBoolean],
]);

function oneOf(...values: ReadonlyArray<string | false>): Check {
  const expected = values.map((value) => (value === false ? 'false' : `"${value}"`)).join(' or ');
  return { expected, isRight: (value) => values.some((each) => each === value) };
}

function has(...methods: readonly string[]): Check {
  return {
    expected: `an object with ${methods.join(', ')}`,
    isRight: (value) =>
      isObject(value) && methods.every((name) => typeof value[name] === 'function'),
  };
}

function isApi(value: unknown): boolean {
  return (
    isObject(value) &&
    has('getTracer').isRight(value['trace']) &&
    has('getMeterProvider').isRight(value['metrics']) &&
    (value['logs'] === undefined || has('getLogger').isRight(value['logs']))
  );
}

function isTimeout(value: unknown): boolean {
  return typeof value === 'number' && value > 0 && value < 2 ** 31;
}

function areAttributes(value: unknown): boolean {
  return (
    isObject(value) &&
    Object.values(value).every((each) => ['string', 'number', 'boolean'].includes(typeof each))
  );
}

/** Not what `fetch` would refuse at every request. */
function areHeaders(value: unknown): boolean {
  if (!isObject(value)) return false;
  return Object.entries(value).every(([name, text]) => {
    if (typeof text !== 'string') return false;
    try {
      new Headers().append(name, text);
      return true;
    } catch {
      return false;
    }
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function needs(
  options: OtlpSinkOptions,
  option: 'spans' | 'metrics' | 'logs',
  target: unknown,
  what: string,
): void {
  const wanted = options[option];
  if (wanted !== undefined && wanted !== false && target === undefined) {
    refuse(`${option} needs ${what}`);
  }
}

/** Words of options are shown; URLs, headers and the like may hold keys. */
function shown(value: unknown): string {
  return typeof value === 'string' && /^[\w.+-]{0,32}$/.test(value) ? `"${value}"` : typeof value;
}

function refuse(message: string): never {
  throw new RouterError('ERR_OPTIONS', `otlpSink: ${message}`);
}
