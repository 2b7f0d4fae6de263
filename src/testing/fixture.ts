import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

/** Written into every line that `recordFetch` makes; lines with it are checked strictly. */
export const fixtureFormat = 'tokenrouter.fixture/1';

/**
 * How an exchange ends other than by the end of its answer.
 *
 * - `reset`: the connection breaks, reading fails.
 * - `stall`: nothing more comes until the caller gives up.
 * - `close`: the body ends early as if it were whole.
 * - `aborted`: the caller gave up here when it was recorded; replays like `stall`.
 */
export interface Fault {
  kind: 'reset' | 'stall' | 'close' | 'aborted';
  /** Bytes of the body that still arrive. Without it the fault comes before the headers. */
  afterBytes?: number | undefined;
  /** Error code for a `reset`. Default: `ECONNRESET`. */
  code?: string | undefined;
}

export interface FixtureRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string | null;
  body_encoding?: 'base64' | undefined;
}

export interface FixtureResponse {
  status: number;
  headers: Record<string, string>;
  /** The exact body: its text, or base64 when it is not UTF-8. */
  body: string;
  body_encoding?: 'base64' | undefined;
  /** The body is still compressed as its `content-encoding` says. Without this the body is what a caller reads. */
  encoded?: boolean | undefined;
  /** Milliseconds from the call to the headers. */
  headersMs?: number | undefined;
  /** The length of every chunk in bytes, in the order of arrival; together they are the body. */
  chunks?: number[] | undefined;
  /** Milliseconds from the call to each chunk. */
  timesMs?: number[] | undefined;
}

/** One recorded exchange: a line of a fixture file. */
export interface Fixture {
  format?: typeof fixtureFormat | undefined;
  /** Equal exchanges have equal ids. */
  id: string;
  /** Where the recording comes from. */
  source?: Record<string, unknown> | undefined;
  provider?: string | undefined;
  api?: string | undefined;
  stream?: boolean | undefined;
  fidelity?: Record<string, unknown> | undefined;
  tags?: string[] | undefined;
  /** `null` when it was not recorded; such an exchange never matches a request. */
  request: FixtureRequest | null;
  /** `null` when no headers came; then there is a `fault`. */
  response: FixtureResponse | null;
  fault?: Fault | undefined;
}

const count = z.int().nonnegative();
const headers = z.record(z.string(), z.string());
const text = { body_encoding: z.literal('base64').optional() };
const request = { method: z.string(), url: z.url(), headers, body: z.string().nullable(), ...text };
const response = {
  status: z.int().min(200).max(599),
  headers,
  body: z.string(),
  ...text,
  encoded: z.boolean().optional(),
  headersMs: z.number().nonnegative().optional(),
  chunks: z.array(count).optional(),
  timesMs: z.array(z.number().nonnegative()).optional(),
};
const fault = {
  kind: z.enum(['reset', 'stall', 'close', 'aborted']),
  afterBytes: count.optional(),
  code: z.string().optional(),
};
const notes = {
  id: z.string(),
  source: z.record(z.string(), z.unknown()).optional(),
  provider: z.string().optional(),
  api: z.string().optional(),
  stream: z.boolean().optional(),
  fidelity: z.record(z.string(), z.unknown()).optional(),
  tags: z.array(z.string()).optional(),
};

const ownFixture = z
  .strictObject({
    format: z.literal(fixtureFormat),
    ...notes,
    request: z.strictObject(request).nullable(),
    response: z.strictObject(response).nullable(),
    fault: z.strictObject(fault).optional(),
  })
  .superRefine(checkWhole);

/** Collections made by others carry members of their own. */
const foreignFixture = z
  .looseObject({
    format: z.undefined().optional(),
    ...notes,
    request: z.looseObject(request).nullable(),
    response: z.looseObject(response).nullable(),
    fault: z.looseObject(fault).optional(),
  })
  .superRefine(checkWhole);

function checkWhole(fixture: Fixture, context: z.RefinementCtx): void {
  const { response: answer, fault: end } = fixture;
  if (answer === null && end === undefined) {
    const message = 'expected a response, or a fault that says why there is none';
    context.addIssue({ code: 'custom', path: ['response'], message });
  }
  if (answer?.timesMs !== undefined && answer.timesMs.length !== answer.chunks?.length) {
    const message = 'expected one time for every chunk';
    context.addIssue({ code: 'custom', path: ['response', 'timesMs'], message });
  }
}

/** A line of a fixture file: strict when it names our format, else the members that replay needs. */
export const fixtureSchema: z.ZodType<Fixture> = z.union([ownFixture, foreignFixture]);

/** Fixtures, files or folders of them (every `*.jsonl` directly inside, by name), or a list of these. */
export type FixtureSource = string | URL | ReadonlyArray<Fixture | string | URL>;

/** Reads fixtures. Throws with file, line and member when one is malformed, never with its content. */
export function readFixtures(source: FixtureSource): Fixture[] {
  const parts = Array.isArray(source) ? source : [source];
  return parts.flatMap((part: Fixture | string | URL) => {
    if (typeof part !== 'string' && !(part instanceof URL)) return [part];
    return readPath(part instanceof URL ? fileURLToPath(part) : part);
  });
}

function readPath(path: string): Fixture[] {
  if (!statSync(path).isDirectory()) return readFile(path);
  const names = readdirSync(path).filter((name) => name.endsWith('.jsonl'));
  if (names.length === 0)
    throw new Error(`${path}: expected *.jsonl files in this folder, found none`);
  return names.sort().flatMap((name) => readFile(join(path, name)));
}

function readFile(path: string): Fixture[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.flatMap((line, i) =>
    line.trim() === '' ? [] : [readLine(line, `${path}:${i + 1}`)],
  );
}

function readLine(line: string, place: string): Fixture {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // The parser's own message quotes the line.
    throw new Error(`${place}: expected one JSON object on this line`);
  }
  const result = (isOwn(value) ? ownFixture : foreignFixture).safeParse(value);
  if (result.success) return result.data;
  const reasons = result.error.issues.map(
    (issue) => `${issue.path.join('.') || 'line'}: ${issue.message}`,
  );
  throw new Error(`${place}: not a fixture: ${reasons.join('; ')}`);
}

function isOwn(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'format' in value;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes as text: UTF-8 where it loses nothing, else one character per byte. */
export function decodeBytes(bytes: Uint8Array): { text: string; binary: boolean } {
  try {
    return { text: utf8.decode(bytes), binary: false };
  } catch {
    return { text: Buffer.from(bytes).toString('latin1'), binary: true };
  }
}

/** The exact bytes of a recorded body. */
export function fixtureBytes(part: {
  body: string | null;
  body_encoding?: 'base64' | undefined;
}): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(part.body ?? '', part.body_encoding ?? 'utf8'));
}

/** The opposite of `fixtureBytes`: text where it loses nothing, else base64. */
export function encodeBody(bytes: Uint8Array): { body: string; body_encoding?: 'base64' } {
  const { text: decoded, binary } = decodeBytes(bytes);
  if (!binary) return { body: decoded };
  return { body: Buffer.from(bytes).toString('base64'), body_encoding: 'base64' };
}
