/** Parts of a whole, side by side. */
import { html, type Html } from './html.ts';

export function bar(parts: ReadonlyArray<[name: string, amount: number]>, height: number): Html {
  const whole = parts.reduce((sum, [, amount]) => sum + amount, 0);
  let from = 0;
  return html`<svg class="bar" width="100%" height="${height}" aria-hidden="true">
    ${parts.map(([name, amount]) => {
      const [x, width] = [(100 * from) / whole, (100 * amount) / whole];
      from += amount;
      return html`<rect
        class="${name}"
        x="${x.toFixed(2)}%"
        width="${width.toFixed(2)}%"
        height="${height}"
      />`;
    })}
  </svg>`;
}
