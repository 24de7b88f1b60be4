/** How a detector was chosen where none was named: every candidate, and how it did on planted defects. */

import { plantedWords } from '../data/pure.ts';
import { scroll } from './blocks.ts';
import type { ReportChoice } from './data.ts';
import { type Html, html } from './html.ts';
import { fixed, percent, seconds, whole } from './numbers.ts';

/** The table of candidates; undefined where none were tried. */
export function choiceSection({
  reason,
  tried = [],
  leftOut = [],
  planted = {},
  counts,
  seconds: all,
}: ReportChoice): Html | undefined {
  if (tried.length === 0) return undefined;
  const kinds = Object.keys(planted);
  const wordsOf = (kind: string) => plantedWords[kind as keyof typeof plantedWords] ?? kind;
  const head = [
    html`<th scope="col" class="n">AUROC</th><th scope="col" class="n">95 % interval</th>`,
    kinds.map((kind) => html`<th scope="col" class="n">${wordsOf(kind)}</th>`),
    html`<th scope="col" class="n">place found</th><th scope="col" class="n">time</th>`,
  ];
  const row = (one: NonNullable<ReportChoice['tried']>[number]) => {
    const options = Object.entries(one.config).filter(([name]) => !['backbone', 'taps', 'coreset'].includes(name));
    const note = `${one.backbone} at ${one.taps.join(', ')}; ${one.size[1]} by ${one.size[0]} pixels${options.map(([name, value]) => `; ${name} ${value}`).join('')}`;
    const name = html`<th scope="row">${one.isChosen ? html`<b>${one.model}, chosen</b>` : one.model}<small>${note}</small></th>`;
    if (one.figure === undefined)
      return html`<tr>${name}<td colspan="${kinds.length + 4}">${one.error?.message ?? 'It was not judged.'}</td></tr>`;
    return html`<tr>${name}<td class="n">${fixed(one.figure)}</td><td class="n">${
      one.interval ? `${fixed(one.interval[0])}–${fixed(one.interval[1])}` : '–'
    }</td>${kinds.map((kind) => html`<td class="n">${fixed(one.kinds?.[kind])}</td>`)}<td class="n">${percent(one.located)}</td><td class="n">${seconds(one.seconds)}</td></tr>`;
  };
  return html`<p>${reason}</p>
<p class="note">Each candidate learned from ${whole(counts?.known ?? 0)} training images and was to tell ${whole(counts?.judges ?? 0)} others from the same with
planted defects: ${kinds.map((kind, i) => `${i === 0 ? '' : ', '}${planted[kind]} ${wordsOf(kind)}`).join('')}. No test image took part, nor any that is held out for the
threshold. AUROC is the mean over the kinds. Made-up defects only stand for yours, and the best of many figures flatters: see the metrics for what was measured.${
    all !== undefined && ` All of it took ${seconds(all)}.`
  }</p>
${scroll(
  'Candidates',
  html`<table><caption>The candidates, the best first.</caption>
<thead><tr><th scope="col">candidate</th>${head}</tr></thead>
<tbody>${tried.map(row)}</tbody></table>`,
)}${
  leftOut.length > 0 &&
  html`<details><summary>Not tried: ${leftOut.length}</summary><ul>${leftOut.map(({ what, why }) => html`<li>${what}: ${why}.</li>`)}</ul></details>`
}`;
}
