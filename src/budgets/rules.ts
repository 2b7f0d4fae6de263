import { type LimitSubject, matcherOf, tagOf } from '../limits/rules/match-rule.ts';
import { part } from '../limits/rules/rule-book.ts';
import type { LookingRule } from '../limits/rules/subject-cache.ts';
import type { LimitDimension } from '../limits/settings.ts';
import {
  type BudgetDimension,
  type BudgetRule,
  type BudgetSettings,
  budgetSettings,
  nameOfBudget,
} from './settings.ts';

/** One rule, ready to be asked. */
export interface CompiledBudget {
  readonly name: string;
  readonly settings: BudgetSettings;
  readonly per: readonly BudgetDimension[];
  /** What of a call decides whether it matches and where it counts. */
  readonly looks: LookingRule;
  matches(subject: LimitSubject): boolean;
  /** Where a call counts: the same for all that share a budget. */
  keyOf(subject: LimitSubject): string;
  /** The same for readers (`tenant=acme`); `undefined` where all calls share one. */
  labelOf(subject: LimitSubject): string | undefined;
}

const TAG = 'tag:';

export function compileBudget(rule: BudgetRule, index: number): CompiledBudget {
  const per = [...new Set(rule.per ?? [])];
  const { key, ...match } = rule.match ?? {};
  const fits = matcherOf(match);
  const name = nameOfBudget(rule, index);
  return {
    name,
    settings: budgetSettings(rule),
    per,
    looks: looksOf(per, match.tag, key !== undefined, rule.match),
    matches: (subject) => (key === undefined || key === subject.account) && fits(subject),
    // By its name where it has one: routers that share a store may list their rules in another order.
    keyOf: (subject) =>
      part(name) + per.map((dimension) => part(valueOf(subject, dimension))).join(''),
    labelOf: (subject) =>
      per.length === 0
        ? undefined
        : per.map((dimension) => `${dimension}=${valueOf(subject, dimension) ?? ''}`).join(' '),
  };
}

function valueOf(subject: LimitSubject, dimension: BudgetDimension): string | undefined {
  switch (dimension) {
    case 'key':
      return subject.account;
    case 'tenant':
    case 'user':
    case 'model':
    case 'provider':
      return subject[dimension];
    default:
      return tagOf(subject, dimension.slice(TAG.length));
  }
}

/** In the words of the cache, which tells calls apart by the tags that rules match on. */
function looksOf(
  per: readonly BudgetDimension[],
  tags: Readonly<Record<string, string>> | undefined,
  matchesKey: boolean,
  match: BudgetRule['match'],
): LookingRule {
  const tag: Record<string, string> = { ...tags };
  const dimensions: LimitDimension[] = matchesKey ? ['account'] : [];
  for (const dimension of per) {
    if (dimension === 'key') dimensions.push('account');
    else if (isTag(dimension)) tag[dimension.slice(TAG.length)] = '';
    else dimensions.push(dimension);
  }
  return { rule: { match: { ...match, tag } }, per: dimensions };
}

function isTag(dimension: BudgetDimension): dimension is `tag:${string}` {
  return dimension.startsWith(TAG);
}
