/** HTML and SVG text in which nothing that comes from outside can be markup. */

/** Markup, as opposed to text. */
export interface Html {
  readonly html: string;
}

type Piece = Html | string | number | undefined | readonly Html[];

/** A template whose values are escaped, unless they were made by this function themselves. */
export function html(parts: TemplateStringsArray, ...values: readonly Piece[]): Html {
  const text = parts.map((part, i) => `${part}${markup(values[i])}`).join('');
  return { html: text };
}

function markup(piece: Piece): string {
  if (piece === undefined) return '';
  if (typeof piece === 'number') return String(piece);
  if (typeof piece === 'string')
    return piece.replaceAll(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
  return 'html' in piece ? piece.html : piece.map((each) => each.html).join('\n');
}
