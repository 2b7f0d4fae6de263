/** The conversations: one line each, and their pictures. */
import { bar } from './bar.ts';
import { html, type Html } from './html.ts';
import { count, dollars, percent } from './money.ts';
import { MAX_TURNS, picture } from './picture.ts';
import type { Shown } from './report.ts';
import { kindOf, modelsIn, timeOfDay } from './text.ts';

/** Pictures of more would make the page slow; the table names all. */
const MAX_PICTURES = 40;

export function gallery(conversations: readonly Shown[]): Html {
  const dearest = conversations
    .toSorted((a, b) => Number(b.sums.cost - a.sums.cost) || b.sums.input - a.sums.input)
    .slice(0, MAX_PICTURES);
  const pictured = conversations.filter((conversation) => dearest.includes(conversation));
  return html`<section>
    <h2>Conversations</h2>
    ${overview(conversations, pictured)} ${legend()}
    ${pictured.length === conversations.length ? undefined : html`<p class="dim">Pictures of the ${MAX_PICTURES} that cost most.</p>`}
    ${pictured.map(conversation)}
  </section>`;
}

function overview(conversations: readonly Shown[], pictured: readonly Shown[]): Html {
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th>#</th>
          <th class="aside">began</th>
          <th class="aside">model</th>
          <th class="wide">input</th>
          <th class="n aside">tokens</th>
          <th class="n aside">read</th>
          <th class="n">cost</th>
          <th class="n">lost</th>
        </tr>
      </thead>
      <tbody>
        ${conversations.map((each) => {
          const { number, turns, sums, lost } = each;
          const first = turns[0];
          return html`<tr id="${pictured.includes(each) ? 'r' : 'c'}${number}">
            <td><a href="#c${number}">#${number}</a></td>
            <td class="aside">${first && timeOfDay(first.sentAt)}</td>
            <td class="aside">${modelsIn(turns)}</td>
            <td>${bar(Object.entries(sums.tokens), 12)}</td>
            <td class="n aside">${count(sums.input)}</td>
            <td class="n aside">${percent(sums.tokens.read, sums.input)}</td>
            <td class="n">${dollars(sums.cost)}</td>
            <td class="n loud">${lost === 0n ? '' : dollars(lost)}</td>
          </tr>`;
        })}
      </tbody>
    </table>
  </div>`;
}

function legend(): Html {
  return html`<ul class="parts legend">
    <li><i class="read"></i>read from the cache</li>
    <li><i class="written"></i>written to it</li>
    <li><i class="paid"></i>paid in full, kept for nobody</li>
    <li><i class="lost"></i>could have been read</li>
    <li>
      <svg class="break key" width="10" height="9"><path d="M5 0 L0 8 H10 Z" /></svg>first block
      that is not as it was
    </li>
    <li><i class="ends"></i>end of the tools, end of the system prompt</li>
  </ul>`;
}

function conversation(shown: Shown): Html {
  const { number, turns, sums, lost } = shown;
  return html`<figure id="c${number}">
    <figcaption>
      <h3>#${number} <span>${modelsIn(turns)}, ${kindOf(shown)}</span></h3>
      <p class="dim">
        ${dollars(sums.cost)}, ${percent(sums.tokens.read, sums.input)}
        read${lost === 0n ? undefined : html`, <span class="loud">${dollars(lost)} lost</span>`}
      </p>
    </figcaption>
    ${picture(shown)}
    ${turns.length > MAX_TURNS ? html`<p class="dim">The first ${MAX_TURNS} of ${turns.length}.</p>` : undefined}
    <details>
      <summary>The numbers</summary>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th class="n">#</th>
              <th>at</th>
              <th class="n">read</th>
              <th class="n">written</th>
              <th class="n">paid in full</th>
              <th class="n">output</th>
              <th class="n">cost</th>
              <th>missed</th>
              <th class="n">lost</th>
            </tr>
          </thead>
          <tbody>
            ${turns.slice(0, MAX_TURNS).map(
              ({ sentAt, tokens, output, cost, miss, lost: lostHere }, index) =>
                html`<tr>
                  <td class="n">${index + 1}</td>
                  <td>${timeOfDay(sentAt)}</td>
                  <td class="n">${count(tokens.read)}</td>
                  <td class="n">${count(tokens.written)}</td>
                  <td class="n">${count(tokens.paid)}</td>
                  <td class="n">${count(output)}</td>
                  <td class="n">${cost === undefined ? '?' : dollars(cost)}</td>
                  <td>${miss?.reason}</td>
                  <td class="n loud">${lostHere === 0n ? '' : dollars(lostHere)}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </details>
  </figure>`;
}
