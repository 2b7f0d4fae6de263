import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  skipSpace,
} from '../../util/json-scan.ts';
import { listStart, messagesEnd, type Body, type BodyMember, type KnownMessages } from './body.ts';
import { CanonicalReader } from './canonical-reader.ts';
import type { Dialect } from './dialects/dialect.ts';
import type { Element } from './elements.ts';
import { compareNames, decodedKey, orderInside, readKey, UNRANKED, type Key } from './key-order.ts';
import { MESSAGE_LEVELS, readElementAt, SYSTEM_LEVELS, type FactsOf } from './read-element.ts';

/**
 * Takes a body apart in one pass over its text. What is known of it is not read again: the messages that `known` found,
 * and, each for itself, what stands in front of the messages and behind them.
 *
 * `undefined` when the text is not one JSON object, or too deep.
 */
export function readBody(
  source: string,
  dialect: Dialect,
  known?: KnownMessages,
  isCanonical = true,
): Body | undefined {
  return new BodyReader(source, dialect, known, isCanonical).read();
}

/** What stays of the work is a `Body`; this lives for one pass. */
class BodyReader {
  readonly #source: string;
  readonly #dialect: Dialect;
  readonly #known: KnownMessages | undefined;
  readonly #reader: CanonicalReader;
  readonly #isCanonical: boolean;

  #members: BodyMember[] = [];
  #toolsAt = -1;
  #systemAt = -1;
  #messagesAt = -1;
  #tools: readonly Element[] = [];
  #system: Element | undefined;
  #messages: readonly Element[] = [];
  #hasMessageList = false;

  constructor(
    source: string,
    dialect: Dialect,
    known: KnownMessages | undefined,
    isCanonical: boolean,
  ) {
    this.#source = source;
    this.#dialect = dialect;
    this.#known = known;
    this.#reader = new CanonicalReader(source, isCanonical);
    this.#isCanonical = isCanonical;
  }

  read(): Body | undefined {
    const end = this.#hasKnownHead() ? this.#fromMessages() : this.#fromStart();
    if (end < 0 || skipSpace(this.#source, end) !== this.#source.length) return undefined;
    const members = this.#members;
    const order = [...members.keys()];
    const isSorted = members.every(
      (member, i) => i === 0 || compareMembers(members[i - 1], member) <= 0,
    );
    if (this.#isCanonical && !isSorted) {
      order.sort((a, b) => compareMembers(members[a], members[b]));
    }
    return {
      dialect: this.#dialect,
      source: this.#source,
      isCanonical: this.#isCanonical,
      members,
      order,
      toolsAt: this.#toolsAt,
      systemAt: this.#systemAt,
      messagesAt: this.#messagesAt,
      tools: this.#tools,
      system: this.#system,
      messages: this.#messages,
      hasMessageList: this.#hasMessageList,
    };
  }

  #fromStart(): number {
    const start = skipSpace(this.#source, 0);
    if (this.#source.charCodeAt(start) !== OPEN_BRACE) return -1;
    const first = skipSpace(this.#source, start + 1);
    return this.#source.charCodeAt(first) === CLOSE_BRACE ? first + 1 : this.#readMembers(first);
  }

  /** Whether the text up to the messages is that of the known body, whose members are then taken over. */
  #hasKnownHead(): boolean {
    if (this.#known === undefined) return false;
    const { body, start } = this.#known;
    if (start !== listStart(body)) return false;
    if (this.#source.slice(0, start) !== body.source.slice(0, start)) return false;
    this.#members = body.members.slice(0, body.messagesAt);
    if (body.toolsAt >= 0 && body.toolsAt < body.messagesAt) {
      this.#toolsAt = body.toolsAt;
      this.#tools = body.tools;
    }
    if (body.systemAt >= 0 && body.systemAt < body.messagesAt) {
      this.#systemAt = body.systemAt;
      this.#system = body.system;
    }
    return true;
  }

  /** Whether the text behind the messages is that of the known body, whose members are then taken over. */
  #hasKnownTail(at: number): boolean {
    if (this.#known === undefined) return false;
    const { body } = this.#known;
    const knownAt = body.members[body.messagesAt]?.end ?? 0;
    if (this.#source.length - at !== body.source.length - knownAt) return false;
    if (this.#source.slice(at) !== body.source.slice(knownAt)) return false;
    const by = at - knownAt;
    const moved = this.#members.length - 1 - body.messagesAt;
    for (const member of body.members.slice(body.messagesAt + 1)) {
      this.#members.push({
        key: member.key,
        rank: member.rank,
        keyStart: member.keyStart + by,
        keyEnd: member.keyEnd + by,
        start: member.start + by,
        end: member.end + by,
        text: member.text,
      });
    }
    if (body.toolsAt > body.messagesAt) {
      this.#demote(this.#toolsAt);
      this.#toolsAt = body.toolsAt + moved;
      this.#tools = body.tools;
    }
    if (body.systemAt > body.messagesAt) {
      this.#demote(this.#systemAt);
      this.#systemAt = body.systemAt + moved;
      this.#system = body.system;
    }
    return true;
  }

  #fromMessages(): number {
    const { body } = this.#known ?? {};
    const member = body?.members[body.messagesAt];
    if (member === undefined) return -1;
    this.#messagesAt = this.#members.length;
    const end = this.#messageList(member.start);
    if (end < 0) return -1;
    this.#members.push({ ...member, end });
    return this.#hasKnownTail(end) ? this.#source.length : this.#afterMember(end);
  }

  /** From the first key on to behind the closing brace. */
  #readMembers(at: number): number {
    let i = at;
    for (;;) {
      i = this.#readMember(i);
      if (i < 0) return -1;
      const isKnown = this.#members.at(-1)?.start === this.#known?.start;
      if (isKnown && this.#hasKnownTail(i)) return this.#source.length;
      i = skipSpace(this.#source, i);
      const c = this.#source.charCodeAt(i);
      if (c === CLOSE_BRACE) return i + 1;
      if (c !== COMMA) return -1;
      i = skipSpace(this.#source, i + 1);
    }
  }

  /** From behind a member to behind the closing brace. */
  #afterMember(at: number): number {
    const next = skipSpace(this.#source, at);
    const c = this.#source.charCodeAt(next);
    if (c === CLOSE_BRACE) return next + 1;
    return c === COMMA ? this.#readMembers(skipSpace(this.#source, next + 1)) : -1;
  }

  #readMember(keyStart: number): number {
    const text = this.#source;
    if (text.charCodeAt(keyStart) !== QUOTE) return -1;
    const key: Key = { keyStart, keyEnd: 0, name: undefined, decoded: undefined };
    const keyEnd = readKey(text, keyStart, key);
    if (keyEnd < 0) return -1;
    const colon = skipSpace(text, keyEnd);
    if (text.charCodeAt(colon) !== COLON) return -1;
    const start = skipSpace(text, colon + 1);
    const end = this.#value(key, start);
    if (end < 0) return -1;
    this.#members.push({
      key: decodedKey(text, key),
      rank: key.name?.rank ?? UNRANKED,
      keyStart,
      keyEnd,
      start,
      end,
      text: this.#reader.rewritten,
    });
    return end;
  }

  /** The value of a member that is about to be added. Leaves its canonical text in the reader, where it is one piece. */
  #value(key: Key, at: number): number {
    const name = key.name?.name ?? '';
    const dialect = this.#dialect;
    const c = this.#source.charCodeAt(at);
    if (c === OPEN_BRACKET && dialect.tools.includes(name)) return this.#toolList(at);
    if (dialect.system.includes(name)) return this.#systemPrompt(at);
    if (name === dialect.messages) {
      if (c === OPEN_BRACKET) {
        this.#demote(this.#messagesAt);
        this.#messagesAt = this.#members.length;
        return this.#messageList(at);
      }
      if (c === QUOTE) return this.#messageString(at);
    }
    return this.#reader.value(at, orderInside('sorted', key.name, c), 0);
  }

  #toolList(at: number): number {
    const tools: Element[] = [];
    const end = this.#elements(at, at, tools, this.#dialect.tool, this.#dialect.toolLevels);
    if (end < 0) return -1;
    this.#demote(this.#toolsAt);
    this.#toolsAt = this.#members.length;
    this.#tools = tools;
    return end;
  }

  #systemPrompt(at: number): number {
    const system = readElementAt(this.#reader, at, at, this.#dialect.systemPrompt, SYSTEM_LEVELS);
    if (system === undefined) return -1;
    this.#demote(this.#systemAt);
    this.#systemAt = this.#members.length;
    this.#system = system;
    this.#reader.rewritten = undefined;
    return at + system.end;
  }

  #messageString(at: number): number {
    const message = readElementAt(this.#reader, at, at, this.#dialect.message, 1);
    if (message === undefined) return -1;
    this.#demote(this.#messagesAt);
    this.#messagesAt = this.#members.length;
    this.#messages = [message];
    this.#hasMessageList = false;
    return at + message.end;
  }

  #messageList(at: number): number {
    const known = at === this.#known?.start ? this.#known : undefined;
    const messages = known === undefined ? [] : known.body.messages.slice(0, known.count);
    const from = at + messagesEnd(messages, messages.length);
    this.#messages = messages;
    this.#hasMessageList = true;
    return this.#elements(
      at,
      messages.length === 0 ? at : from,
      messages,
      this.#dialect.message,
      MESSAGE_LEVELS,
    );
  }

  /** Adds the elements of the array at `base`, from behind a known one at `at` or from the bracket on. */
  #elements(base: number, at: number, elements: Element[], read: FactsOf, levels: number): number {
    const { text } = this.#reader;
    let i = at;
    if (i === base) {
      i = skipSpace(text, base + 1);
      if (text.charCodeAt(i) === CLOSE_BRACKET) {
        this.#reader.rewritten = undefined;
        return i + 1;
      }
    } else {
      i = skipSpace(text, i);
    }
    for (;;) {
      const c = text.charCodeAt(i);
      if (elements.length > 0) {
        if (c === CLOSE_BRACKET) {
          this.#reader.rewritten = undefined;
          return i + 1;
        }
        if (c !== COMMA) return -1;
        i = skipSpace(text, i + 1);
      }
      const element = readElementAt(this.#reader, base, i, read, levels);
      if (element === undefined) return -1;
      elements.push(element);
      i = skipSpace(text, base + element.end);
    }
  }

  /** A member that a later one replaces is like any other. */
  #demote(index: number): void {
    const member = this.#members[index];
    if (member === undefined) return;
    const reader = new CanonicalReader(this.#source, this.#isCanonical);
    reader.value(member.start, 'sorted', 0);
    this.#members[index] = { ...member, text: reader.rewritten };
  }
}

function compareMembers(a: BodyMember | undefined, b: BodyMember | undefined): number {
  if (a === undefined || b === undefined) return 0;
  if (a.rank !== b.rank || a.rank !== UNRANKED) return a.rank - b.rank;
  return compareNames(a.key, b.key);
}
