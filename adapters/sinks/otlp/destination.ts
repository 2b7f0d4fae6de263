import { isHeader } from '../../shared/http-post.ts';
import { RouterError } from '../../../src/errors.ts';
import type { Attributes } from './open-telemetry.ts';

/** Where one signal goes. */
export interface Destination {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * From the options, else from OpenTelemetry's environment variables. Headers of the environment are for the endpoint of the
 * environment: they hold keys, and go to no other. Empty variables are as if they were not set.
 * Source: OpenTelemetry specification 1.56, protocol/exporter.md.
 */
export function destinationOf(
  signal: 'logs' | 'traces',
  options: {
    readonly url?: string | undefined;
    readonly headers?: Readonly<Record<string, string>> | undefined;
  },
  env: Environment,
): Destination {
  const { headers = {} } = options;
  if (options.url !== undefined) {
    return { url: below(checked('url', options.url), signal), headers };
  }
  const upper = signal === 'logs' ? 'LOGS' : 'TRACES';
  const own = variable(env, `${PREFIX}${upper}_ENDPOINT`);
  const shared = variable(env, `${PREFIX}ENDPOINT`);
  return {
    url:
      own !== undefined
        ? checked(`${PREFIX}${upper}_ENDPOINT`, own).href
        : below(checked(`${PREFIX}ENDPOINT`, shared ?? DEFAULT_URL), signal),
    headers: { ...headersIn(env, upper), ...headers },
  };
}

/** Attributes of the resource: the option, over the environment's. */
export function resourceOf(own: Attributes | undefined, env: Environment): Attributes {
  const name = variable(env, 'OTEL_SERVICE_NAME');
  return {
    'service.name': 'unknown_service:node',
    ...pairs(variable(env, 'OTEL_RESOURCE_ATTRIBUTES')),
    ...(name !== undefined && { 'service.name': name }),
    ...own,
  };
}

function headersIn(env: Environment, signal: 'LOGS' | 'TRACES'): Record<string, string> {
  const own = `${PREFIX}${signal}_HEADERS`;
  const name = variable(env, own) === undefined ? `${PREFIX}HEADERS` : own;
  const headers = pairs(variable(env, name));
  if (Object.entries(headers).every(([key, value]) => isHeader(key, value))) return headers;
  throw new RouterError('ERR_OPTIONS', `otlpSink: ${name} must be headers that HTTP can carry`);
}

const PREFIX = 'OTEL_EXPORTER_OTLP_';
const DEFAULT_URL = 'http://localhost:4318';

function variable(env: Environment, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === '' ? undefined : value;
}

function checked(name: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new RouterError('ERR_OPTIONS', `otlpSink: ${name} must be an http or https URL`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new RouterError(
      'ERR_OPTIONS',
      `otlpSink: ${name} must be without user and password; give them as a header`,
    );
  }
  return url;
}

/** Also of a URL that names the endpoint of a signal already. */
function below(base: URL, signal: string): string {
  const url = new URL(base);
  const path = url.pathname.replace(/\/v1\/(?:logs|traces)\/?$/, '').replace(/\/+$/, '');
  url.pathname = `${path}/v1/${signal}`;
  return url.href;
}

/** `key=value,key=value`, percent-encoded as in W3C baggage. What is not of this form is left out. */
function pairs(text: string | undefined): Record<string, string> {
  const entries = (text ?? '').split(',').flatMap((pair) => {
    const at = pair.indexOf('=');
    const key = pair.slice(0, at).trim();
    return at < 1 || key === '' ? [] : [[decoded(key), decoded(pair.slice(at + 1).trim())]];
  });
  return Object.fromEntries(entries);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
