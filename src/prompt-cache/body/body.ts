import type { Dialect } from './dialects/dialect.ts';
import type { Element } from './elements.ts';

/** A top-level member of a body, as it came. */
export interface BodyMember {
  /** As JSON.parse reads it. */
  readonly key: string;
  readonly rank: number;
  /** Offsets of the key with its quotes, and of the value. */
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly start: number;
  readonly end: number;
  /** Canonical text of the value where it differs. The members that hold elements have none: their elements have theirs. */
  readonly text: string | undefined;
}

/** A request body taken apart, in the order in which it came. Immutable. */
export interface Body {
  readonly dialect: Dialect;
  readonly source: string;
  readonly members: readonly BodyMember[];
  /** Whether it is sent in canonical form; else as it came, white space included, and no element has a text of its own. */
  readonly isCanonical: boolean;
  /** Indexes of members in the order in which they are sent. */
  readonly order: readonly number[];
  /** Indexes of the members that hold tools, system prompt and messages; -1 where there is none. */
  readonly toolsAt: number;
  readonly systemAt: number;
  readonly messagesAt: number;
  /** Empty where the member is no array. */
  readonly tools: readonly Element[];
  readonly system: Element | undefined;
  /** One element without an array where `input` is a string. */
  readonly messages: readonly Element[];
  readonly hasMessageList: boolean;
}

/** The first `count` messages of a known body: they stand in a new source as they stand in it, from the bracket on. */
export interface KnownMessages {
  readonly body: Body;
  readonly count: number;
  /** Offset of the bracket in the new source. */
  readonly start: number;
}

/** Offset of the array of messages in the source; -1 where there is none. */
export function listStart({ hasMessageList, members, messagesAt }: Body): number {
  return hasMessageList ? (members[messagesAt]?.start ?? -1) : -1;
}

/** Offset behind the last of the first `count` messages, relative to their array. */
export function messagesEnd(messages: readonly Element[], count: number): number {
  return messages[count - 1]?.end ?? 1;
}
