import type { CallContext, Priority, PromptCacheWish } from './types.ts';

type Context = Readonly<CallContext> & { readonly priority: Priority };

export interface ContextFromHeaders {
  readonly context: CallContext;
  /** The headers without the router's own. */
  readonly headers: string[];
}

const PREFIX = 'x-tokenrouter-';
const TAG_PREFIX = 'x-tokenrouter-tag-';
const PRIORITIES: ReadonlySet<string> = new Set<Priority>(['urgent', 'high', 'normal', 'low']);

/**
 * Reads the call context out of request headers and takes those headers away: `x-tokenrouter-priority` (or the plain
 * `x-priority`), `-tenant`, `-user`, `-session`, `-prompt-cache`, `-deadline-ms`, `-dedupe` and `-tag-<name>`. `undefined` when
 * there are none, the usual case. A value that does not exist is ignored: a header of some other system must not fail a call.
 */
export function contextFromHeaders(list: readonly string[]): ContextFromHeaders | undefined {
  if (!hasOwn(list)) return undefined;
  const context: CallContext = {};
  const headers: string[] = [];
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i]!.toLowerCase();
    const value = list[i + 1]!;
    if (name.startsWith(TAG_PREFIX)) {
      context.tags = { ...context.tags, [name.slice(TAG_PREFIX.length)]: value };
    } else if (name === 'x-priority' || name === `${PREFIX}priority`) {
      if (isPriority(value)) context.priority = value;
    } else if (name === `${PREFIX}tenant`) context.tenant = value;
    else if (name === `${PREFIX}user`) context.user = value;
    else if (name === `${PREFIX}session`) context.session = value;
    else if (name === `${PREFIX}prompt-cache`) {
      if (isPromptCacheWish(value)) context.promptCache = value;
    } else if (name === `${PREFIX}deadline-ms`) {
      const ms = Number(value);
      if (ms > 0 && ms < Infinity) context.deadlineMs = ms;
    } else if (name === `${PREFIX}dedupe`) {
      if (value === 'off' || value === 'force') context.dedupe = value;
    } else if (!name.startsWith(PREFIX)) headers.push(list[i]!, value);
  }
  return { context, headers };
}

/** One context over another; tags are joined name by name. */
export function mergeContext(
  under: CallContext | undefined,
  over: CallContext | undefined,
): CallContext {
  if (under === undefined || over === undefined) return over ?? under ?? {};
  const merged: CallContext = { ...under };
  for (const [name, value] of Object.entries(over)) {
    if (value !== undefined) Object.assign(merged, { [name]: value });
  }
  if (under.tags !== undefined && over.tags !== undefined)
    merged.tags = { ...under.tags, ...over.tags };
  return merged;
}

const NO_CONTEXT: Context = { priority: 'normal' };

/** A call's context from all sources, the later over the earlier. */
export function withPriority(...sources: ReadonlyArray<CallContext | undefined>): Context {
  let merged: CallContext | undefined;
  for (const source of sources) if (source !== undefined) merged = mergeContext(merged, source);
  return merged === undefined ? NO_CONTEXT : { ...merged, priority: merged.priority ?? 'normal' };
}

function hasOwn(list: readonly string[]): boolean {
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i]!;
    // Nearly all headers fall at the second character.
    if (name.charCodeAt(1) !== 0x2d || name.length < 10) continue;
    const lower = name.toLowerCase();
    if (lower === 'x-priority' || lower.startsWith(PREFIX)) return true;
  }
  return false;
}

function isPriority(value: string): value is Priority {
  return PRIORITIES.has(value);
}

const WISHES: ReadonlySet<string> = new Set<PromptCacheWish>([
  'auto',
  'observe',
  'off',
  '5m',
  '1h',
]);

function isPromptCacheWish(value: string): value is PromptCacheWish {
  return WISHES.has(value);
}
