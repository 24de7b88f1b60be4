/** The page of a sweep: what is best, what was tried, and how the value goes with what was varied. One file that needs nothing else. */
import { visibleText } from '../core/visible.ts';
import { headlineMetrics } from '../metrics/index.ts';
import { figureOf, scroll } from '../report/blocks.ts';
import { optionChart } from '../report/charts.ts';
import { type Content, Html, html } from '../report/html.ts';
import { fixed, many } from '../report/numbers.ts';
import { style } from '../report/style.ts';
import { oddityVersion } from '../runs/versions.ts';
import type { SweepData } from './files.ts';
import { type ConfigurationRow, caseOf, type Measured, type SweepSummary, type TrialRow } from './results.ts';
import { chosenByText, nameOf, notUsedText, stateText } from './words.ts';

/** The page as text; links lead to folders beside it. */
export function sweepPage({ rows }: SweepData, summary: SweepSummary): string {
  const cases = [...new Set(summary.configurations.map(caseOf))];
  const failed = rows.filter(({ state }) => state === 'failed');
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Sweep of ${many(rows.length, 'trial')} – oddity</title>
<style>${new Html(style)}</style>
</head>
<body>
<header>
<p class="brand">oddity sweep</p>
<h1>Sweep <span>${many(rows.length, 'trial')}${failed.length > 0 ? `, ${failed.length} failed` : ''}</span></h1>
<p class="lead">${chosenByText(summary.chosenBy)} ${notUsedText(summary.chosenBy)}</p>
</header>
<main>
${cases.map((name, i) => section(name, i, summary, rows))}
${failed.length > 0 && failures(failed)}
</main>
<footer>oddity ${oddityVersion()}. Times are in the reports of the runs.</footer>
</body>
</html>
`;
  return visibleText(page.text);
}

function section(name: string, index: number, summary: SweepSummary, rows: readonly TrialRow[]): Html {
  const own = summary.configurations.filter((one) => caseOf(one) === name);
  const best = own.find(({ isBest }) => isBest);
  const trials = rows.filter((row) => caseOf(row) === name);
  return html`<section id="case-${index + 1}">
<h2>${name}</h2>
${
  best
    ? html`<p class="verdict good">Best: <b>${nameOf(best)}</b>, ${headlineMetrics[0].title} ${measuredText(best.choice)} on the items to choose by. ${reportLink(best, 'Its report')}</p>`
    : html`<p class="verdict">No trial was finished.</p>`
}
${scroll(name, table(own))}
${modelTable(own)}
${charts(trials)}
</section>`;
}

function table(own: readonly ConfigurationRow[]): Html {
  const [choice] = headlineMetrics;
  return html`<table>
<caption>Means over seeds, the best first. Intervals are 95 %: over seeds where there are several, else over items. Test figures chose nothing.</caption>
<thead><tr><th scope="col">configuration</th><th scope="col" class="n">seeds</th><th scope="col" class="n">choice: ${choice.title}</th><th scope="col" class="n">95 %</th>${headlineMetrics.map(
    ({ title }) => html`<th scope="col" class="n">test: ${title}</th><th scope="col" class="n">95 %</th>`,
  )}<th scope="col">state</th></tr></thead>
<tbody>${own.map(
    (one) =>
      html`<tr${one.isBest && new Html(' class="chosen"')}><th scope="row">${reportLink(one, nameOf(one))}</th>${cell(one.seeds.length)}${pair(one.choice)}${headlineMetrics.map(
        ({ name }) => pair(one.test[name]),
      )}<td>${stateText(one)}</td></tr>`,
  )}</tbody></table>`;
}

/** Per model its best configuration, where models and configurations differ. */
function modelTable(own: readonly ConfigurationRow[]): Content {
  const models = [...new Set(own.map(({ model }) => model))];
  if (models.length < 2 || models.length === own.length) return undefined;
  const rows = models.map((model) => own.find((one) => one.model === model)!);
  return scroll(
    'Models',
    html`<table>
<caption>The best configuration of each model.</caption>
<thead><tr><th scope="col">model</th><th scope="col">configuration</th><th scope="col" class="n">choice: ${headlineMetrics[0].title}</th><th scope="col" class="n">95 %</th></tr></thead>
<tbody>${rows.map((one) => html`<tr><th scope="row">${one.model}</th><td>${nameOf(one)}</td>${pair(one.choice)}</tr>`)}</tbody></table>`,
  );
}

/** The value by each option that was varied. */
function charts(trials: readonly TrialRow[]): Content {
  const [{ title }] = headlineMetrics;
  const models = [...new Set(trials.map(({ model }) => model))];
  const drawn = models.flatMap((model) => {
    const own = trials.filter((row) => row.model === model);
    const names = [...new Set(own.flatMap(({ varied }) => Object.keys(varied)))];
    return names.flatMap((name) => {
      const points = own.flatMap(({ varied, outcome, state }) => {
        const value = outcome?.choice.value;
        if (!(name in varied) || typeof value !== 'number') return [];
        return [{ option: varied[name], value, isStopped: state === 'stopped' }];
      });
      return optionChart({ model, name, title }, points) ?? [];
    });
  });
  return drawn.length === 0 ? undefined : html`<div class="pair">${drawn.map(figureOf)}</div>`;
}

const failures = (failed: readonly TrialRow[]) => html`<section id="failed">
<h2>Failed</h2>
<ul>${failed.map((row) => html`<li><b>${caseOf(row)}: ${nameOf(row)}, seed ${row.seed}</b>. ${row.error?.message}</li>`)}</ul>
</section>`;

/** A link to the report of a run that is there. */
const reportLink = ({ id }: { readonly id?: string }, words: string): Content =>
  id === undefined ? words : html`<a href="trials/${encodeURIComponent(id)}/report.html">${words}</a>`;

const cell = (text: Content) => html`<td class="n">${text}</td>`;
const pair = (one: Measured | undefined) =>
  html`${cell(fixed(one?.value))}${cell(one?.interval ? `${fixed(one.interval[0])}–${fixed(one.interval[1])}` : '–')}`;
const measuredText = ({ value, interval }: Measured) =>
  `${fixed(value)}${interval ? ` (95 %: ${fixed(interval[0])}–${fixed(interval[1])})` : ''}`;
