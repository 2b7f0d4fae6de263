/** The report as one HTML page: nothing is loaded, no script runs, and it prints. */
import { bar } from './bar.ts';
import type { Finding } from './findings.ts';
import { gallery } from './gallery.ts';
import { html, type Html } from './html.ts';
import { count, dollars, percent } from './money.ts';
import { autoSentence, type Report } from './report.ts';
import { STYLE } from './style.ts';
import type { Sums } from './sums.ts';
import { plural } from './text.ts';
import type { Buckets } from './turns.ts';

export function page(report: Report, source: string): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'"
        />
        <title>Where the money for prompts goes</title>
        <style>
          ${STYLE}
        </style>
      </head>
      <body>
        <svg class="defs" width="0" height="0" aria-hidden="true">
          <pattern
            id="lost"
            width="6"
            height="6"
            patternUnits="userSpaceOnUse"
            patternTransform="rotate(45)"
          >
            <rect width="2.6" height="6" />
          </pattern>
        </svg>
        <header>
          <h1>Where the money for prompts goes</h1>
          <p class="dim">
            ${[source, plural(report.sums.calls, 'call'), report.period].filter(Boolean).join(' · ')}
          </p>
        </header>
        <main>
          ${totals(report)} ${report.findings.length === 0 ? undefined : findings(report)}
          ${gallery(report.conversations)}
        </main>
        <footer>
          <p>
            Calls are put together by the messages that they share. Costs are worked out from the
            usage that the providers reported. What a miss lost is what was paid for tokens that
            could have been read, less what reading them costs. What ‘auto’ would have saved is
            planned call by call from what was seen before it; what holding calls back saves is not
            in it.
          </p>
          ${report.leftOut === 0 ? undefined : html`<p>${plural(report.leftOut, 'exchange')} left out: no prompt, or no usage.</p>`}
        </footer>
      </body>
    </html> `.html;
}

function totals(report: Report): Html {
  const { sums } = report;
  const output = sums.cost - sums.costs.read - sums.costs.written - sums.costs.paid;
  const share = (part: bigint): string => (part === 0n ? '' : percent(part, sums.cost));
  const waste = report.conversations.reduce((sum, { lost }) => sum + lost, 0n);
  return html`<section>
    <dl class="stats">
      <div>
        <dt>cost</dt>
        <dd>${dollars(sums.cost)}</dd>
      </div>
      <div>
        <dt>of it lost to what is listed below</dt>
        <dd class="loud">${dollars(waste)} <small>${share(waste)}</small></dd>
      </div>
      <div>
        <dt>input</dt>
        <dd>${count(sums.input)} <small>tokens</small></dd>
      </div>
      <div>
        <dt>of it read from the cache</dt>
        <dd>${percent(sums.tokens.read, sums.input)}</dd>
      </div>
    </dl>
    <h3>Input tokens</h3>
    ${stack(sums.tokens, 0, count)}
    <h3>Money</h3>
    ${stack(inDollars(sums.costs), Number(output) / 1e12, (amount) => dollars(BigInt(Math.round(amount * 1e12))))}
    <p class="auto">${autoSentence(report)}</p>
    ${sums.unpriced === 0 ? undefined : html`<p class="dim">${plural(sums.unpriced, 'call')} without a known price.</p>`}
  </section>`;
}

function inDollars({ read, written, paid }: Sums['costs']): Buckets<number> {
  return { read: Number(read) / 1e12, written: Number(written) / 1e12, paid: Number(paid) / 1e12 };
}

const NAMES = { read: 'read', written: 'written', paid: 'paid in full', output: 'output' } as const;

/** A bar of all parts, and what they are below it. */
function stack(buckets: Buckets<number>, output: number, show: (amount: number) => string): Html {
  const parts = Object.entries({ ...buckets, output }).filter(([, amount]) => amount > 0);
  const whole = parts.reduce((sum, [, amount]) => sum + amount, 0);
  return html`${bar(parts, 26)}
    <ul class="parts">
      ${parts.map(([name, amount]) => html`<li><i class="${name}"></i>${NAMES[name as keyof typeof NAMES]} <b>${show(amount)}</b> <span class="dim">${percent(amount, whole)}</span></li>`)}
    </ul>`;
}

function findings({ findings: found, sums }: Report): Html {
  return html`<section>
    <h2>What to change, dearest first</h2>
    <ol class="findings">
      ${found.map((each) => finding(each, sums))}
    </ol>
  </section>`;
}

const MAX_LINKS = 12;

function finding(
  { reason, what, help, calls, tokens, lost, conversations }: Finding,
  sums: Sums,
): Html {
  const links = conversations
    .slice(0, MAX_LINKS)
    .map((number) => html`<a href="#c${number}">#${number}</a>`);
  const more = conversations.length - links.length;
  return html`<li>
    <p class="price">${dollars(lost)}<small>${percent(lost, sums.cost)} of the cost</small></p>
    <div>
      <h3><code>${reason}</code></h3>
      <p>${what}</p>
      <p class="help">${help}</p>
      <p class="dim">
        ${plural(calls, 'call')}, ${count(tokens)} tokens that could have been read, in ${links}
        ${more > 0 ? `and ${more} more` : ''}
      </p>
    </div>
  </li>`;
}
