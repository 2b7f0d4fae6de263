/** How a conversation looks in a terminal: who speaks on the left, text that wraps before column 80 on the right. */
import { styleText } from 'node:util';
import type { Piece } from './answers.ts';

const WIDTH = 80;
const INDENT = 13;
/** Prompts of agents are long; what was asked shows at their start. */
const MAX_SHOWN = 3 * (WIDTH - INDENT) - 4;

/** Coloured on a terminal, unless NO_COLOR says otherwise. */
export function paint(style: 'bold' | 'dim' | 'cyan' | 'green' | 'red', text: string): string {
  return styleText(style, text);
}

export function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}

export function heading(title: string): void {
  print(`\n${paint('bold', title)}`);
}

export function note(text: string): void {
  print(paint('dim', `  ${text}`));
}

/** What was said before an answer, in full as far as three lines go. */
export function showMessage(speaker: string, text: string): void {
  const plain = text.replaceAll(/\s+/g, ' ').trim();
  const shown = plain.length > MAX_SHOWN ? `${plain.slice(0, MAX_SHOWN)} …` : plain;
  const line = beginLine(speaker, 'dim');
  line.write(shown);
  line.end();
}

/** Writes an answer while it arrives. Gives its text. */
export async function showAnswer(pieces: AsyncIterable<Piece>): Promise<string> {
  const line = beginLine('assistant', 'cyan');
  let text = '';
  let inTool = false;
  for await (const piece of pieces) {
    if (piece.kind === 'text') text += piece.text;
    if (piece.kind === 'tool') {
      if (inTool) line.write(')');
      line.write(`${text === '' && !inTool ? '' : '\n'}→ ${piece.text}(`);
      inTool = true;
    } else line.write(piece.text);
  }
  if (inTool) line.write(')');
  line.end();
  return text;
}

interface Line {
  write(text: string): void;
  end(): void;
}

function beginLine(speaker: string, style: 'dim' | 'cyan'): Line {
  process.stdout.write(paint(style, `  ${speaker}`.padEnd(INDENT)));
  let column = INDENT;
  let space = '';
  return {
    write(text) {
      for (const part of text.match(/\S+|[^\S\n]+|\n/g) ?? []) {
        if (part !== '\n' && part.trim() === '') {
          // Waits for the next word: at the end of a line it is not needed.
          space = column > INDENT ? part : '';
          continue;
        }
        const breaks = part === '\n' || column + space.length + part.length > WIDTH;
        if (breaks && column > INDENT) {
          process.stdout.write(`\n${' '.repeat(INDENT)}`);
          column = INDENT;
          space = '';
        }
        if (part === '\n') continue;
        process.stdout.write(space + part);
        column += space.length + part.length;
        space = '';
      }
    },
    end: () => print(),
  };
}
