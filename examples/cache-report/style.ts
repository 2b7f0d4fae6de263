/** How the page looks: light and dark, on a phone and on paper. */
import type { Html } from './html.ts';

export const STYLE: Html = {
  html: `
:root { --paper: #fcfbf9; --card: #ffffff; --ink: #1f262d; --dim: #636d77; --rule: #e6e2db; --read: #9cc3de; --written: #efc15a; --paid: #d9482f; --output: #b9b4c6; --loud: #b3281a; --hatch: rgb(150 20 10 / 75%); --link: #1d5f96; }
@media (prefers-color-scheme: dark) { :root { --paper: #14181c; --card: #1b2026; --ink: #e9e6e0; --dim: #9aa4ad; --rule: #2d343b; --read: #3f759b; --written: #b98725; --paid: #e25a41; --output: #6a6579; --loud: #ff8a75; --hatch: rgb(80 8 0 / 80%); --link: #84bde8; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem 1rem 4rem; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums; }
h1 { font-size: clamp(1.5rem, 5vw, 2.2rem); line-height: 1.15; letter-spacing: -0.02em; margin: 0; }
h2 { font-size: 1.3rem; letter-spacing: -0.01em; margin: 3rem 0 1rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 0.4rem; }
p { margin: 0.3rem 0; }
a { color: var(--link); }
code { font: 600 0.95em ui-monospace, monospace; }
small { font-size: 0.55em; font-weight: 500; color: var(--dim); letter-spacing: 0; }
.dim { color: var(--dim); font-size: 0.875rem; }
.loud { color: var(--loud); }
.defs { position: absolute; }
.stats { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 1rem; margin: 1.5rem 0; }
.stats dt { color: var(--dim); font-size: 0.8125rem; line-height: 1.3; }
.stats div { display: flex; flex-direction: column; justify-content: space-between; border-top: 2px solid var(--ink); padding-top: 0.4rem; }
.stats dd { margin: 0; font-size: clamp(1.35rem, 5.5vw, 1.75rem); font-weight: 650; letter-spacing: -0.02em; white-space: nowrap; }
.bar, .picture { display: block; overflow: visible; }
.bar { border-radius: 3px; overflow: hidden; min-width: 5rem; }
.parts { list-style: none; display: flex; flex-wrap: wrap; gap: 0.2rem 1.25rem; margin: 0.4rem 0 0; padding: 0; font-size: 0.875rem; }
.parts i { display: inline-block; width: 0.7rem; height: 0.7rem; margin-right: 0.4rem; border-radius: 2px; }
.auto { margin: 1.2rem 0 0; padding: 0.7rem 1rem; border-left: 4px solid var(--read); background: var(--card); }
.findings { list-style: none; margin: 0; padding: 0; }
.findings li { display: grid; grid-template-columns: 7rem 1fr; gap: 0 1rem; padding: 1rem 0; border-top: 1px solid var(--rule); }
.findings h3 { margin: 0.1rem 0 0.2rem; }
.findings .price { margin: 0; font-size: 1.3rem; font-weight: 650; letter-spacing: -0.02em; color: var(--loud); }
.findings .price small { display: block; font-size: 0.8125rem; }
.findings .help { padding-left: 1.4rem; position: relative; }
.findings .help::before { content: '→'; position: absolute; left: 0; color: var(--link); font-weight: 700; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.875rem; }
th { text-align: left; font-weight: 500; color: var(--dim); }
th, td { padding: 0.3rem 0.7rem 0.3rem 0; border-bottom: 1px solid var(--rule); white-space: nowrap; }
.n { text-align: right; }
.wide { width: 30%; }
figure { margin: 1.25rem 0 0; padding: 1rem; border: 1px solid var(--rule); border-radius: 8px; background: var(--card); scroll-margin-top: 1rem; }
figcaption { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: 0 1rem; margin-bottom: 0.6rem; }
figcaption h3 { margin: 0; }
figcaption h3 span { font-weight: 450; }
.legend { margin: 1.25rem 0; }
summary { cursor: pointer; color: var(--dim); font-size: 0.875rem; margin-top: 0.5rem; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--rule); color: var(--dim); font-size: 0.8125rem; }
svg text { font-size: 12.5px; fill: var(--ink); }
svg .dim, .axis text { fill: var(--dim); font-size: 12px; }
svg .number { font-weight: 650; }
svg .miss { fill: var(--loud); font-weight: 600; }
.axis line { stroke: var(--rule); }
.pause { stroke: var(--dim); stroke-dasharray: 2 5; }
.paper { fill: var(--card); }
.hit { fill: transparent; }
g:hover > .hit { fill: var(--rule); opacity: 0.5; }
.tier { fill: var(--card); }
.break { overflow: visible; fill: var(--loud); }
.break path { stroke: var(--card); stroke-width: 1px; }
.key { margin-right: 0.4rem; }
rect.read { fill: var(--read); } i.read { background: var(--read); }
rect.written { fill: var(--written); } i.written { background: var(--written); }
rect.paid { fill: var(--paid); } i.paid { background: var(--paid); }
rect.output { fill: var(--output); } i.output { background: var(--output); }
rect.lost { fill: url(#lost); } #lost rect { fill: var(--hatch); }
i.lost { background: repeating-linear-gradient(-45deg, var(--hatch) 0 2px, transparent 2px 5px) var(--written); }
i.ends { width: 1.5px; background: var(--ink); }
@media (max-width: 34rem) { .findings li { grid-template-columns: 1fr; } .findings .price small { display: inline; margin-left: 0.5rem; } figure { padding: 0.8rem 0.7rem; } .aside { display: none; } }
@media print { figure, .findings li { break-inside: avoid; } }
`,
};
