import type { LimitDimension, LimitMatch, LimitRule } from '../settings.ts';

/** Who makes a call, to whom. */
export interface LimitSubject {
  readonly provider: string;
  /** Whoever the request's credentials belong to. Never the credentials themselves. */
  readonly account: string;
  /** Empty when the request names none. */
  readonly model: string;
  readonly tenant?: string | undefined;
  readonly user?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

/** One rule, ready to be asked. */
export interface CompiledRule {
  readonly rule: LimitRule;
  /** Its place in the list. */
  readonly index: number;
  /** What it counts separately for. */
  readonly per: readonly LimitDimension[];
  /** Provider, account and model alone say whether it applies and where it counts. */
  readonly isLaneWide: boolean;
  matches(subject: LimitSubject): boolean;
}

const LANE: readonly LimitDimension[] = ['provider', 'account', 'model'];

export function compileRule(rule: LimitRule, index: number): CompiledRule {
  const { match = {} } = rule;
  const namesCallers = match.tenant !== undefined || match.user !== undefined || hasTags(match);
  const per = [...new Set(rule.per ?? (namesCallers ? [] : LANE))];
  return {
    rule,
    index,
    per,
    isLaneWide: !namesCallers && !per.includes('tenant') && !per.includes('user'),
    matches: matcherOf(match),
  };
}

/** Whether a call fits all that is named. */
export function matcherOf(match: LimitMatch): (subject: LimitSubject) => boolean {
  const { tenant, user } = match;
  const fitsProvider = globOf(match.provider);
  const fitsModel = globOf(match.model);
  const tags = Object.entries(match.tag ?? {});
  return (subject) =>
    fitsProvider(subject.provider) &&
    fitsModel(subject.model) &&
    (tenant === undefined || tenant === subject.tenant) &&
    (user === undefined || user === subject.user) &&
    tags.every(([name, value]) => tagOf(subject, name) === value);
}

/** Names of tags are the host's: none may be found on the prototype of an object. */
export function tagOf({ tags }: LimitSubject, name: string): string | undefined {
  return tags !== undefined && Object.hasOwn(tags, name) ? tags[name] : undefined;
}

function hasTags({ tag }: LimitMatch): boolean {
  return tag !== undefined && Object.keys(tag).length > 0;
}

/** A `*` at the start or end stands for anything. */
function globOf(pattern: string | undefined): (value: string) => boolean {
  if (pattern === undefined || pattern === '*') return () => true;
  const isOpenStart = pattern.startsWith('*');
  const isOpenEnd = pattern.endsWith('*');
  const text = pattern.slice(isOpenStart ? 1 : 0, isOpenEnd ? -1 : undefined);
  if (isOpenStart && isOpenEnd) return (value) => value.includes(text);
  if (isOpenStart) return (value) => value.endsWith(text);
  if (isOpenEnd) return (value) => value.startsWith(text);
  return (value) => value === text;
}
