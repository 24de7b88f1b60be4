/** The page of a benchmark: every table with published figures beside ours, in one file that needs nothing else. */
import { visibleText } from '../core/visible.ts';
import { type Content, Html, html } from '../report/html.ts';
import { fixed, many, seconds, whole } from '../report/numbers.ts';
import { style } from '../report/style.ts';
import type { Bench } from './bench.ts';
import type { RowOrigin, SummaryRow, TableSummary } from './summary.ts';
import { headsOf, publishedText, quickBanner, spreadText } from './words.ts';

/** The page as text. */
export function benchPage(
  bench: Bench,
  tables: readonly TableSummary[],
  origin: RowOrigin & { readonly version: string },
): string {
  const title = `${origin.quick ? 'QUICK: ' : ''}${bench.name}`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title} – oddity bench</title>
<style>${new Html(style)}</style>
</head>
<body>
<header>
<p class="brand">oddity bench</p>
<h1>${bench.name} <span>${bench.title}</span></h1>
${origin.quick && html`<p class="banner"><strong>${quickBanner}</strong></p>`}
</header>
<main>
${tables.map((table, i) => section(table, i))}
</main>
<footer>oddity ${origin.version} on ${origin.cpu}, ${many(origin.cores, 'core')}. ${origin.command}</footer>
</body>
</html>
`;
  return visibleText(page.text);
}

function section(
  { table, rows, cases, belowPrevalence, doubts, otherPublished, leftOut }: TableSummary,
  index: number,
): Html {
  const heads = headsOf(table.metrics, table.kind);
  const remarks = [...doubts, ...belowPrevalence, ...(table.notes ?? []), ...leftOut];
  return html`<section id="table-${index + 1}">
<h2>${table.title}</h2>
<p class="note">Protocol ${table.protocol}: do not compare with numbers of another. ± is the standard deviation over seeds of the mean over ${
    cases.length > 1 ? many(cases.length, 'case') : 'the case'
  }. Time is that of one run.</p>
${scroll(
  table.title,
  html`<table>
<thead><tr><th scope="col">model</th>${heads.map(head)}${['prevalence', 'parameters', 'training', 'in all', 'seeds'].map(head)}<th scope="col">published</th></tr></thead>
<tbody>${rows.map((row) => line(row, table.metrics))}</tbody>
</table>`,
)}
${
  cases.length > 0 &&
  scroll(
    `${table.title}, by case`,
    html`<table>
<caption>${heads[0]} by case</caption>
<thead><tr><th scope="col">case</th>${rows.map((row) => head(row.label))}</tr></thead>
<tbody>${cases.map(({ label, values }) => html`<tr><th scope="row">${label}</th>${values.map((v) => number(spreadText(v)))}</tr>`)}</tbody>
</table>`,
  )
}
${
  otherPublished.length > 0 &&
  html`<h3>Also published</h3><ul>${otherPublished.map((figure) => html`<li>${publishedText(figure)}</li>`)}</ul>`
}
${remarks.map((remark) => html`<p class="note">${remark}</p>`)}
</section>`;
}

const line = (row: SummaryRow, metrics: TableSummary['table']['metrics']) =>
  html`<tr><th scope="row">${row.label}</th>${metrics.map((m) => number(spreadText(row.metrics[m])))}${[
    fixed(row.prevalence),
    whole(row.parameters),
    seconds(row.fitSeconds),
    seconds(row.seconds),
    String(row.seeds),
  ].map(number)}<td>${row.published.map((figure) => html`<small>${publishedText(figure)}</small>`)}</td></tr>`;

const head = (name: string) => html`<th scope="col" class="n">${name}</th>`;
const number = (text: Content) => html`<td class="n">${text}</td>`;

/** A table that may be wider than the page: it scrolls by itself, also by keyboard. */
const scroll = (name: string, table: Html) =>
  html`<div class="scroll" role="group" aria-label="${name}" tabindex="0">${table}</div>`;
