/** A tool that an answer calls. */
export interface SimulatedToolCall {
  name: string;
  /** An object; or its JSON text, sent as it stands where the format has text there. */
  arguments: unknown;
}

/** What an answer says. */
export interface SimulatedAnswer {
  text?: string;
  toolCalls?: readonly SimulatedToolCall[];
  /** Billed output tokens. Default: counted from text and tool calls. */
  outputTokens?: number;
}

/** What answers: the same text always, or what a function makes of each request. */
export type AnswerOption =
  | string
  | ((request: {
      /** The parsed body. */
      body: unknown;
      /** How many requests were answered before this one. */
      call: number;
    }) => string | SimulatedAnswer);

/** An answer with everything settled. */
export interface Answer {
  readonly text: string;
  readonly toolCalls: readonly Readonly<ToolCall>[];
  readonly outputTokens: number;
}

export interface ToolCall {
  readonly name: string;
  /** Its arguments as JSON text, and as the value that this text has. */
  readonly json: string;
  readonly value: unknown;
}

/** Asks the option for an answer. Throws what it throws, and a `TypeError` for arguments that are not JSON. */
export function answerTo(
  option: AnswerOption,
  request: { body: unknown; call: number },
  countTokens: (text: string) => number,
): Answer {
  const given = typeof option === 'string' ? option : option(request);
  const {
    text = '',
    toolCalls = [],
    outputTokens,
  } = typeof given === 'string' ? { text: given } : given;
  const calls = toolCalls.map(toolCall);
  const said = [text, ...calls.flatMap(({ name, json }) => [name, json])].join('');
  return {
    text,
    toolCalls: calls,
    outputTokens: outputTokens ?? (said === '' ? 0 : countTokens(said)),
  };
}

function toolCall({ name, arguments: given }: SimulatedToolCall): ToolCall {
  if (typeof given !== 'string') {
    const value = given ?? {};
    return { name, json: JSON.stringify(value), value };
  }
  try {
    return { name, json: given, value: JSON.parse(given) };
  } catch {
    throw new TypeError(
      `answer: expected the arguments of "${name}" to be an object or JSON text, got other text`,
    );
  }
}

/** No stream has more pieces of one text than this: longer texts come in longer pieces. */
const MAX_PIECES = 40;
const PIECE_LENGTH = 24;

/** A text in the pieces in which a stream brings it, never within a character; none for an empty one. */
export function piecesOf(text: string): readonly string[] {
  const length = Math.max(PIECE_LENGTH, Math.ceil(text.length / MAX_PIECES));
  return text.match(new RegExp(`[^]{1,${length}}`, 'gu')) ?? [];
}
