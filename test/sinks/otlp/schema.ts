/** Checks OTLP/JSON against the official definitions, strictly: what they do not have is an error here. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';

const folder = join(import.meta.dirname, '../../fixtures/opentelemetry-proto/opentelemetry/proto');

const root = new protobuf.Root();
for (const file of [
  'common/v1/common',
  'resource/v1/resource',
  'logs/v1/logs',
  'trace/v1/trace',
  'collector/logs/v1/logs_service',
  'collector/trace/v1/trace_service',
]) {
  protobuf.parse(readFileSync(join(folder, `${file}.proto`), 'utf8'), root, { keepCase: false });
}
root.resolveAll();

const requests = {
  logs: root.lookupType('opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest'),
  traces: root.lookupType('opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest'),
};

/** Throws with the path of what does not fit; also encodes the request as a collector would hold it. */
export function checkRequest(signal: 'logs' | 'traces', json: unknown): void {
  const type = requests[signal];
  const message = type.fromObject(converted(type, json, signal));
  const complaint = type.verify(message);
  if (complaint !== null) throw new Error(`${signal}: ${complaint}`);
  type.decode(type.encode(message).finish());
}

function converted(type: protobuf.Type, json: unknown, path: string): Record<string, unknown> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new Error(`${path}: expected an object`);
  }
  const message: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(json)) {
    const field = type.fields[key];
    if (field === undefined) throw new Error(`${path}.${key}: no field of ${type.name}`);
    if (field.repeated && !Array.isArray(value)) throw new Error(`${path}.${key}: no array`);
    message[key] = Array.isArray(value)
      ? sampled(value).map((each, i) => fieldValue(field, each, `${path}.${key}[${i}]`))
      : fieldValue(field, value, `${path}.${key}`);
  }
  for (const { name, fieldsArray } of type.oneofsArray) {
    const set = fieldsArray.filter((field) => Object.hasOwn(message, field.name));
    if (set.length > 1) throw new Error(`${path}: more than one of ${name}`);
  }
  const keys = Array.isArray(message['attributes'])
    ? message['attributes'].map(({ key }) => key)
    : [];
  if (new Set(keys).size < keys.length) throw new Error(`${path}: an attribute stands twice`);
  return message;
}

/** Of a long list every 20th: a batch of 5,000 would take longer to check than a test may last. */
function sampled(list: readonly unknown[]): readonly unknown[] {
  return list.length <= 500 ? list : list.filter((_, i) => i % 20 === 0);
}

function fieldValue(field: protobuf.Field, value: unknown, path: string): unknown {
  const inner = field.resolvedType;
  if (inner instanceof protobuf.Type) return converted(inner, value, path);
  const wrong = () => new Error(`${path}: ${JSON.stringify(value)} is no ${field.type}`);
  if (inner instanceof protobuf.Enum) {
    if (typeof value !== 'number' || inner.valuesById[value] === undefined) throw wrong();
    return value;
  }
  if (field.type === 'bytes') {
    const length = field.name === 'traceId' ? 32 : 16;
    if (typeof value !== 'string' || !new RegExp(`^[0-9a-f]{${length}}$`).test(value))
      throw wrong();
    if (/^0+$/.test(value)) throw wrong();
    return Buffer.from(value, 'hex');
  }
  const check = SCALARS[field.type];
  if (check === undefined) throw new Error(`${path}: nobody checks ${field.type}`);
  if (!check(value)) throw wrong();
  return value;
}

const isDecimal = (value: unknown): value is string =>
  typeof value === 'string' && /^-?\d+$/.test(value);
const isUint32 = (value: unknown) =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 32;

const SCALARS: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string' && !/\p{Surrogate}/u.test(value),
  bool: (value) => typeof value === 'boolean',
  double: (value) => typeof value === 'number' && Number.isFinite(value),
  fixed32: isUint32,
  uint32: isUint32,
  int64: (value) => isDecimal(value) && BigInt.asIntN(64, BigInt(value)) === BigInt(value),
  fixed64: (value) => isDecimal(value) && BigInt.asUintN(64, BigInt(value)) === BigInt(value),
};
