/**
 * The report of a run: one page of HTML that needs nothing else – no network, no script, no other file. Pure: data in,
 * text out, and the same data gives the same text.
 */
import { visibleText } from '../core/visible.ts';
import {
  headlineMetrics,
  type MetricDescription,
  type MetricValue,
  metricsOf,
  readMetric,
  shownMetrics,
  titlesOf,
} from '../metrics/index.ts';
import { figureOf, isLabelled, scroll, wordsOf } from './blocks.ts';
import { learningCurves, mapSpread, precisionRecallChart, rocChart } from './charts.ts';
import { choiceSection } from './choice-section.ts';
import type { ReportData } from './data.ts';
import { gallery } from './gallery.ts';
import { type Content, Html, html } from './html.ts';
import { byType, type Decisions, decide, type Share } from './judgement.ts';
import { fixed, many, percent, percentInterval, raw, seconds, whole } from './numbers.ts';
import { rowTable } from './row-table.ts';
import { seriesSection } from './series-section.ts';
import { style } from './style.ts';
import { thresholdPanel } from './threshold-panel.ts';
import { verdictOf } from './verdict.ts';
import { baselineTitle } from './words.ts';

export type * from './data.ts';

/** The page as text. Throws nothing: what is not in the data is left out or said to be missing. */
export function reportPage(data: ReportData): string {
  const { threshold, items } = data;
  const decisions = threshold.value === null ? undefined : decide(items, threshold.value);
  const types = byType(items, threshold.value);
  const all: [id: string, title: string, content: Content][] = [
    ['metrics', 'Metrics', metricsSection(data)],
    ['choice', 'Choice', data.choice && choiceSection(data.choice)],
    [
      'series',
      `${data.kind === 'clip' ? 'Clips' : 'Series'} and alarms`,
      data.series && seriesSection(data, data.series),
    ],
    ['threshold', 'Threshold', thresholdPanel(data, decisions)],
    ['curves', 'Curves', curves(data, decisions)],
    ['types', 'By type', typeTable(types, data, decisions)],
    ['pictures', 'Pictures', data.pictures ? gallery(data, data.pictures) : html`<p>${noPictures}</p>`],
    ['rows', 'Most anomalous rows', data.rows && rowTable(data, data.rows)],
    ['training', 'Training', training(data)],
    ['facts', 'Facts', facts(data)],
  ];
  const sections = all.filter(([id, , content]) => content !== undefined && (id !== 'pictures' || isOfImages(data)));
  const title = `${data.model.name} on ${data.data.name}, ${data.protocol} “${data.class}”`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${title} – oddity report</title>
<style>${new Html(style)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the report</a>
<header>
<p class="brand">oddity report · ${data.run}</p>
<h1>${data.model.title} <span>on ${data.data.name}</span></h1>
<p class="lead">${data.description}${data.choice && ` Model chosen by auto: ${data.choice.reason}`}</p>
<nav aria-label="Sections"><ul>${sections.map(([id, name]) => html`<li><a href="#${id}">${name}</a></li>`)}</ul></nav>
</header>
<main id="main" tabindex="-1">
${summary(data, decisions)}
${sections.map(
  ([id, name, content]) => html`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${name}</h2>
${content}
</section>
`,
)}</main>
<footer><p>Made by oddity ${data.versions.oddity} from a run begun ${dateOf(data.startedAt)}. This page loads nothing and sends nothing.</p></footer>
</body>
</html>
`;
  return visibleText(page.text);
}

/** What it means that items are in training and in test: rows may repeat by nature. */
const overlapOf = ({ kind }: ReportData, items: string): Html =>
  kind === 'table'
    ? html`<b>Rows repeat.</b> Some test rows have all the values of rows that were trained on or held out: if they are copies, every number on this page is too optimistic.`
    : html`<b>Parts overlap.</b> Some ${items} are in training and in test: every number on this page is too optimistic.`;

const isOfImages = ({ kind = 'image' }: Pick<ReportData, 'kind'>) => kind === 'image' || kind === 'clip';

const noPictures = 'There are no pictures: the data was not at hand when this page was made.';

/** The verdict, warnings and the numbers to remember. */
function summary(data: ReportData, decisions?: Decisions): Html {
  const { counts, threshold, leakFree } = data;
  const { item, items } = wordsOf(data);
  const verdict = verdictOf(data, decisions);
  const prevalence = counts.test > 0 ? counts.testAnomalies / counts.test : null;
  return html`<section aria-label="Summary" class="summary">
<p class="verdict ${verdict.kind}"><b>${verdict.title}</b> ${verdict.text}</p>
${threshold.sawTest && html`<p class="banner"><b>The threshold was tuned on the test set.</b> Recall, precision and false-positive rate there are optimistic; metrics without a threshold are not affected.</p>`}
${!leakFree && html`<p class="banner">${overlapOf(data, items)}</p>`}
<dl class="tiles">
${headlineMetrics.map((metric) => headlineTile(metric, data, prevalence))}
${
  decisions && !isLabelled(data)
    ? tile('alarms', percent(decisions.falseAlarmRate.share), `${countOf(decisions.falseAlarmRate)}; none is labelled`)
    : decisions
      ? [
          tile('anomalies found', percent(decisions.recall.share), countOf(decisions.recall)),
          tile('false alarms', percent(decisions.falseAlarmRate.share), countOf(decisions.falseAlarmRate)),
        ]
      : tile('threshold', 'none', 'no normals were held out')
}
</dl>
<p class="items">Trained on ${many(counts.train, item, items)}, ${whole(counts.validation)} normals held out, tested on ${whole(counts.test)}
(${isLabelled(data) ? html`${whole(counts.testAnomalies)} anomalous, ${percent(prevalence)}` : 'none labelled anomalous'}). ${leakFree ? 'No train/test overlap (verified).' : ''}</p>
</section>`;
}

const tile = (name: string, value: string, note: string) =>
  html`<div><dt>${name}</dt><dd><span>${value}</span><small>${note}</small></dd></div>`;

/** A headline metric, with its interval and what a random score gets. */
function headlineTile(metric: MetricDescription, { metrics, intervals }: ReportData, prevalence: number | null): Html {
  const interval = readMetric(intervals, metric);
  const chance = metric.chance === 'prevalence' ? prevalence : metric.chance;
  const notes = [
    interval && `95 %: ${fixed(interval[0])}–${fixed(interval[1])}`,
    chance && `a random score: ${fixed(chance)}`,
  ];
  return tile(metric.title, fixed(readMetric(metrics, metric)), notes.filter(Boolean).join('; '));
}

const countOf = ({ count, total }: Share) => `${whole(count)} of ${whole(total)} in the test part`;

/** Metrics beside the baselines, those that are details behind a click. */
function metricsSection(data: ReportData): Html {
  const all = shownMetrics(data);
  const details = all.filter(({ isDetail }) => isDetail);
  const main = all.filter(({ isDetail }) => !isDetail);
  return html`${metricsTable(data, main)}${
    details.length > 0 &&
    html`<details><summary>${details.length} more metrics</summary>
${metricsTable(data, details)}</details>`
  }`;
}

/** The best of a row is bold. */
function metricsTable(data: ReportData, shown: readonly MetricDescription[]): Html {
  const { metrics, intervals, reasons, model } = data;
  const words = wordsOf(data);
  const others = Object.entries(data.baselines);
  const titles = titlesOf(shown, words);
  const hasIntervals = shown.some((metric) => readMetric(intervals, metric));
  const cell = (value: MetricValue | undefined, best: MetricValue) =>
    html`<td class="n">${value !== null && value !== undefined && value === best ? html`<b>${fixed(value)}</b>` : fixed(value)}</td>`;
  const rows = shown.map((metric, i) => {
    const values = [metrics, ...others.map(([, own]) => own)].map((own) => readMetric(own, metric));
    const best = bestOf(metric, values);
    const interval = readMetric(intervals, metric);
    return html`<tr><th scope="row">${titles[i]}<small>${readMetric(reasons, metric) ?? metric.meaning}</small></th>${cell(values[0], best)}${
      hasIntervals && html`<td class="n">${interval ? `${fixed(interval[0])}–${fixed(interval[1])}` : '–'}</td>`
    }${values.slice(1).map((value) => cell(value, best))}</tr>`;
  });
  return html`${scroll(
    'Metrics',
    html`<table>
<caption>On the test part, from raw scores. Baselines do not learn and saw the same items; the best of a row is bold.</caption>
<thead><tr><th scope="col">metric</th><th scope="col" class="n">${model.name}</th>${
      hasIntervals && html`<th scope="col" class="n">95 % interval</th>`
    }${others.map(([name]) => html`<th scope="col" class="n">${baselineTitle(name, words)}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table>`,
  )}${!hasIntervals && !shown.every(({ isDetail }) => isDetail) && html`<p class="note">This run has no intervals: differences of a few thousandths may be chance.</p>`}`;
}

/** The best of some values of a metric; null where none is better than another. */
function bestOf({ better }: MetricDescription, values: readonly (MetricValue | undefined)[]): MetricValue {
  const known = values.filter((value) => value !== null && value !== undefined);
  if (better === 'neither' || known.length === 0) return null;
  return better === 'higher' ? Math.max(...known) : Math.min(...known);
}

function curves(data: ReportData, decisions?: Decisions): Content {
  const { perMap = {} } = data;
  const averaged = metricsOf(data).filter(({ level, name }) => level === 'map' && perMap[name]);
  const charts = [
    rocChart(data, decisions),
    precisionRecallChart(data, decisions),
    ...averaged.map(({ title, name }) => mapSpread(data, title, perMap[name])),
  ].filter((c) => c !== undefined);
  if (charts.length === 0)
    return html`<p>${readMetric(data.reasons, headlineMetrics[0]) ?? 'The test part has one kind of item only.'}</p>`;
  return html`<div class="pair">${charts.map(figureOf)}</div>`;
}

function typeTable(types: ReturnType<typeof byType>, data: ReportData, decisions?: Decisions): Html {
  const { items } = wordsOf(data);
  const ofNormals = isLabelled(data) ? `normal ${items}; alarms are false positives` : 'none is labelled anomalous';
  const bar = (share: number | null | undefined, kind: string) =>
    html`<svg class="bar ${kind}" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect width="100" height="8" class="track"/><rect width="${fixed(
      100 * (share ?? 0),
      1,
    )}" height="8"/></svg>`;
  return scroll(
    'Scores by type',
    html`<table class="types">
<caption>Each type of the test part, the hardest first. ${headlineMetrics[0].title} is that of the type against all normal test ${items}; alarms of an anomalous type are its recall.</caption>
<thead><tr><th scope="col">type</th><th scope="col" class="n">${items}</th><th scope="col" class="n">${headlineMetrics[0].title}</th>${
      decisions &&
      html`<th scope="col" class="n">alarms</th><th scope="col" class="wide"><span class="hidden">alarms as a bar</span></th><th scope="col" class="n">95 % interval</th>`
    }</tr></thead>
<tbody>${types.map(
      ({ type, label, count, value, alarms }) =>
        html`<tr class="${label ? 'anomalous' : 'normal'}"><th scope="row">${type}${label === 0 && html`<small>${ofNormals}</small>`}</th><td class="n">${whole(count)}</td><td class="n">${fixed(value)}</td>${
          alarms &&
          html`<td class="n">${percent(alarms.share)}</td><td class="wide">${bar(alarms.share, label ? 'anomalous' : 'normal')}</td><td class="n">${percentInterval(alarms.interval)}</td>`
        }</tr>`,
    )}</tbody></table>`,
  );
}

function training(data: ReportData): Html {
  const { history, warnings = [], timings, peakMemoryBytes, counts, model } = data;
  const { item, items } = wordsOf(data);
  const charts = learningCurves(history);
  const speed = timings.stepsPerSecond === null ? '' : `, ${timings.stepsPerSecond.toFixed(1)} steps a second`;
  return html`<p>${model.title} was fitted on ${many(counts.train, item, items)} in ${seconds(timings.fitSeconds)}${speed}. Scoring took
${fixed(timings.scoreMsPerItem, 2)} ms ${item === 'image' ? 'an' : 'a'} ${item}; the whole run ${seconds(timings.totalSeconds)} and at most ${whole(Math.round(peakMemoryBytes / 2 ** 20))} MiB of memory.</p>
${warnings.map(({ code, message }) => html`<p class="banner mild"><b>${code}</b> ${message}</p>\n`)}${
  charts.length > 0
    ? html`<div class="pair">${charts.map(figureOf)}</div>`
    : html`<p class="note">${
        history.length > 0
          ? `It learned for a single epoch, so there is no curve: its mean loss was ${raw(history[0].trainingLoss)}.`
          : 'It does not learn in epochs, so there is no learning curve.'
      }</p>`
}`;
}

function facts({ model, config, data, protocol, seed, device, versions, run, startedAt, ...rest }: ReportData): Html {
  const list = (rows: readonly (readonly [string, Content])[]) =>
    html`<dl class="facts">${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
  return html`<div class="pair"><div><h3>Run</h3>${list([
    ['run', run],
    ['begun', dateOf(startedAt)],
    ['model', model.name],
    ['data', `${data.name} (${data.licence})`],
    ['data hash', html`<code>${data.hash.slice(0, 16)}</code>`],
    ['protocol', `${protocol}, class “${rest.class}”`],
    ['seed', String(seed)],
    ['device', device],
    ['train/test overlap', rest.leakFree ? 'none (verified)' : protocol === 'whole' ? 'all, by the protocol' : 'yes'],
    ...Object.entries(versions),
  ])}</div><div><h3>Options of the model</h3>${list(
    Object.entries(config).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
  )}</div></div>`;
}

/** `2026-11-23 17:34 UTC`. */
const dateOf = (iso: string) => `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
