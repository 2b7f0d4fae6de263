/**
 * A conversation as a picture: a bar for each turn, from the first token of the prompt on the left to its last. Widths are
 * shares of the page's, so that texts keep their size on a phone.
 */
import type { Conversation } from './conversations.ts';
import { html, type Html } from './html.ts';
import { count, dollars, percent } from './money.ts';
import { duration, plural, timeOfDay } from './text.ts';
import type { Turn } from './turns.ts';

/** In pixels. */
const AXIS = 22;
const LABEL = 17;
const BAR = 16;
const SPACE = 9;
const PAUSE = 24;
const THIN_BAR = 7;
const THIN_SPACE = 2;

/** Pauses of at least so many milliseconds are drawn. */
const LONG_PAUSE_MS = 120_000;
/** Longer conversations get thin bars without labels. */
const MAX_LABELLED = 40;
export const MAX_TURNS = 300;

export function picture({ kind, turns: all }: Conversation): Html {
  const turns = all.slice(0, MAX_TURNS);
  const isThin = turns.length > MAX_LABELLED;
  const longest = Math.max(...turns.map(({ input }) => input));
  const rows: Html[] = [];
  let y = AXIS;
  for (const [index, turn] of turns.entries()) {
    const before = turns[index - 1];
    const pause = before === undefined ? 0 : turn.sentAt - before.sentAt;
    if (pause >= LONG_PAUSE_MS) {
      rows.push(pauseRow(y, pause));
      y += PAUSE;
    }
    const row = { turn, number: index + 1, pause: before && pause, longest, y, isThin };
    rows.push(turnRow(row));
    y += isThin ? THIN_BAR + THIN_SPACE : LABEL + BAR + SPACE;
  }
  const what = kind === 'conversation' ? 'turn' : 'call';
  return html`<svg
    class="picture"
    width="100%"
    height="${y}"
    role="img"
    aria-label="${summary(turns, what)}"
  >
    ${axis(longest, y)} ${rows}
  </svg>`;
}

interface Row {
  readonly turn: Turn;
  readonly number: number;
  /** Since the turn before, in milliseconds. */
  readonly pause: number | undefined;
  /** Tokens of the longest turn. */
  readonly longest: number;
  readonly y: number;
  readonly isThin: boolean;
}

function turnRow(row: Row): Html {
  const { turn, longest, y, isThin } = row;
  const top = isThin ? y : y + LABEL;
  const height = isThin ? THIN_BAR : BAR;
  const at = (tokens: number): string => `${((100 * tokens) / longest).toFixed(2)}%`;
  const part = (from: number, tokens: number, name: string): Html | undefined =>
    tokens === 0
      ? undefined
      : html`<rect
          class="${name}"
          x="${at(from)}"
          y="${top}"
          width="${at(tokens)}"
          height="${height}"
        />`;
  const { read, written, paid } = turn.tokens;
  const lost = Math.min(turn.couldRead, written + paid);
  const ends = isThin ? [] : turn.tierEnds.filter((end) => end > 0 && end < turn.input);
  return html`<g>
    <title>${words(row)}</title>
    <rect class="hit" x="0" y="${y}" width="100%" height="${top - y + height}" />
    ${isThin ? undefined : labels(row)}
    ${part(0, read, 'read')}${part(read, written, 'written')}${part(read + written, paid, 'paid')}
    ${part(read, lost, 'lost')}
    ${ends.map((end) => html`<rect class="tier" x="${at(end)}" y="${top}" width="1.5" height="${height}" />`)}
    ${turn.breakAt === undefined || isThin ? undefined : html`<svg class="break" x="${at(turn.breakAt)}" y="${top + height}"><path d="M0 -2 L-5 6 H5 Z" /></svg>`}
  </g>`;
}

function labels({ turn, number, pause, y }: Row): Html {
  const since =
    pause === undefined ? timeOfDay(turn.sentAt) : pause < 1000 ? 'at once' : `+${duration(pause)}`;
  const { miss, lost } = turn;
  const end =
    miss === undefined
      ? html`<text class="dim" x="100%" y="${y + 12}" text-anchor="end"
          >${turn.tokens.read === 0 ? '' : `${percent(turn.tokens.read, turn.input)} read`}</text
        >`
      : html`<text class="miss" x="100%" y="${y + 12}" text-anchor="end"
          >${miss.reason}${lost === 0n ? '' : ` −${dollars(lost)}`}</text
        >`;
  return html`<text x="0" y="${y + 12}"
      ><tspan class="number">${number}</tspan><tspan class="dim" dx="7">${since}</tspan></text
    >${end}`;
}

function pauseRow(y: number, ms: number): Html {
  const middle = y + PAUSE / 2 - 3;
  return html`<line class="pause" x1="0" x2="100%" y1="${middle}" y2="${middle}" />
    <svg x="50%" y="${middle}" overflow="visible">
      <rect class="paper" x="-62" y="-8" width="124" height="16" />
      <text class="dim" y="4" text-anchor="middle">${duration(ms)} later</text>
    </svg>`;
}

function axis(longest: number, height: number): Html {
  const step = niceStep(longest / 3);
  const ticks = Array.from({ length: Math.floor(longest / step) + 1 }, (_, i) => i * step);
  return html`<g class="axis"
    >${ticks.map((tokens) => {
      const share = (100 * tokens) / longest;
      // Near the right edge a label in the middle would be cut off.
      const anchor = tokens === 0 ? 'start' : share > 90 ? 'end' : 'middle';
      const x = `${share.toFixed(2)}%`;
      return html`<line x1="${x}" x2="${x}" y1="${AXIS - 6}" y2="${height}" /><text
          x="${x}"
          y="11"
          text-anchor="${anchor}"
          >${count(tokens)}${tokens === 0 ? ' tokens' : ''}</text
        >`;
    })}</g
  >`;
}

/** The next larger of 1, 2, 5, 10, 20, 50 … */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1)));
  const factor = [1, 2, 5].find((each) => each * power >= least) ?? 10;
  return factor * power;
}

/** What a pointer over the bar shows. */
function words({ turn, number, pause }: Row): string {
  const { tokens, input, output, blocks, miss, cost } = turn;
  const lines = [
    `${number}: ${timeOfDay(turn.sentAt)}${pause === undefined ? '' : `, ${duration(pause)} after the one before`}, ${turn.model}`,
    `${count(input)} input tokens: ${count(tokens.read)} read, ${count(tokens.written)} written, ${count(tokens.paid)} paid in full`,
    `${plural(blocks.tools, 'tool')}, ${plural(blocks.system, 'system block')}, ${plural(blocks.messages, 'part')} of messages`,
    `${count(output)} output tokens, ${cost === undefined ? 'no price known' : dollars(cost)}`,
  ];
  if (miss !== undefined) {
    const kind = miss.difference && ` (${miss.difference.class} at byte ${miss.difference.byte})`;
    lines.push(
      `${miss.reason}${kind ?? ''}: ${count(miss.lostTokens ?? 0)} tokens could have been read, ${dollars(turn.lost)} lost`,
    );
  }
  return lines.join('\n');
}

function summary(turns: readonly Turn[], what: string): string {
  const read = turns.reduce((sum, { tokens }) => sum + tokens.read, 0);
  const input = turns.reduce((sum, turn) => sum + turn.input, 0);
  const misses = turns.filter(({ miss }) => miss !== undefined).length;
  return `${plural(turns.length, what)}, ${percent(read, input)} of the input read from the prompt cache, ${plural(misses, 'miss', 'misses')}`;
}
