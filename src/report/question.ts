import type { UsageRecord } from '../types.ts';

/** Something to ask of records: starts a count that sees each of them once. Made by `spend`, `misses` and their like. */
export type Question<Answer> = () => Tally<Answer>;

/** A count under way. */
export interface Tally<Answer> {
  add(record: UsageRecord): void;
  answer(): Answer;
}
