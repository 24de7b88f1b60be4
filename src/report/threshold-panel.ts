/** The section about the threshold: value, promise, and what it does on the test part. */
import { FORECAST_CONFIDENCE, FORECAST_ITEMS } from '../metrics/index.ts';
import { figureOf, isLabelled, scroll, wordsOf } from './blocks.ts';
import { scoreHistogram } from './charts.ts';
import type { ReportData } from './data.ts';
import { Html, html } from './html.ts';
import { type Decisions, otherThresholds, type Share } from './judgement.ts';
import { many, percent, percentInterval, rate, raw, whole } from './numbers.ts';

/** The false-alarm rates of the table of other thresholds. */
const RATES = [0.001, 0.01, 0.05, 0.1];

/** The section; with decisions unless there is no threshold. */
export function thresholdPanel(data: ReportData, decisions?: Decisions): Html {
  const { threshold, items } = data;
  const { value, reason } = threshold;
  const histogram = items.length > 0 && figureOf(scoreHistogram(data));
  if (value === null || !decisions) return html`<p>This run has no threshold. ${reason}</p>${histogram}`;
  return html`${origin(data)}
${review(data, value)}
${reason && html`<p class="banner mild"><b>The wanted rate is not guaranteed.</b> ${reason}</p>`}
<div class="pair">
<div>${isLabelled(data) ? effects(decisions, wordsOf(data)) : unlabelledEffect(decisions, wordsOf(data))}</div>
${histogram}
</div>
${others(data, value)}`;
}

/** What the threshold rests on, and what may be expected of it. */
function origin(data: ReportData): Html {
  const { value, normals, folds, rateInterval, sawTest, rule } = data.threshold;
  const { item, items } = wordsOf(data);
  if (sawTest) {
    return html`<p class="banner"><b>It was tuned on the test set.</b> It was chosen with labels of test items (${rule}), so its figures below are better than they will be on new items.</p>`;
  }
  const basis =
    folds === undefined
      ? html`It rests on ${many(normals, `held-out normal ${item}`, `held-out normal ${items}`)}; no test item took part.`
      : html`It rests on ${many(normals, `normal ${item}`, `normal ${items}`)}: since few were held out, ${whole(folds)} further detectors scored the others, each fitted without those that it scored; no test item took part.`;
  return html`<p>${item === 'image' ? 'An image' : `A ${item}`} is anomalous when its score is at least <b class="n">${raw(value!)}</b> (${rule}). ${basis}${
    normals > 0 &&
    html` Of ${whole(FORECAST_ITEMS)} new normal ${items}, <b class="n">${forecast(rateInterval)}</b> will reach it (${rate(FORECAST_CONFIDENCE)} prediction interval), if they come from where these came from.`
  }</p>`;
}

/** `0.2–2.1 %`; `at most 1.9 %` where the low end is 0. */
export const forecast = (interval: readonly [number, number]): string =>
  interval[0] === 0 ? `at most ${percent(interval[1])}` : percentInterval(interval);

/** The band below the threshold, where there is one. */
function review(data: ReportData, value: number) {
  const { threshold, items } = data;
  const { review } = threshold;
  if (!review) return undefined;
  const inside = items.filter(({ score }) => score >= review.from && score < value);
  const count = (label: 0 | 1) => whole(inside.filter((i) => i.label === label).length);
  const { items: what } = wordsOf(data);
  const tested = isLabelled(data)
    ? html`${count(0)} normal and ${count(1)} anomalous ${what}`
    : many(inside.length, wordsOf(data).item, what);
  return html`<p>${what[0].toUpperCase()}${what.slice(1)} from <b class="n">${raw(review.from)}</b> up to the threshold are for review: ${percent(
    review.empiricalRate,
  )} of the held-out normals (95 %: <span class="n">${percentInterval(review.interval)}</span>), and in the test part ${tested}. Below, they count as no alarm.</p>`;
}

/** Shares with intervals, and the confusion matrix. */
function effects(decisions: Decisions, { items }: { readonly items: string }): Html {
  return html`${scroll(
    'What the threshold does on the test part',
    html`<table><caption>What it does on the test part</caption>
<thead><tr><td></td><th scope="col" class="n">share</th><th scope="col" class="n">95 % interval</th><th scope="col" class="n">${items}</th></tr></thead>
<tbody>${row('recall', 'anomalies that alarm', decisions.recall)}${row('false-positive rate', 'normals that raise a false alarm', decisions.falseAlarmRate)}${row(
      'precision',
      'alarms that are right, at this prevalence',
      decisions.precision,
    )}</tbody></table>`,
  )}
${scroll(
  'Confusion matrix',
  html`<table class="matrix"><caption>Test ${items} by truth and decision</caption>
<thead><tr><td></td><th scope="col" class="n">alarm</th><th scope="col" class="n">no alarm</th></tr></thead>
<tbody><tr><th scope="row">anomalous</th><td class="n">${whole(decisions.hits)}<small>found</small></td><td class="n bad">${whole(decisions.misses)}<small>missed</small></td></tr>
<tr><th scope="row">normal</th><td class="n bad">${whole(decisions.falseAlarms)}<small>false alarms</small></td><td class="n">${whole(decisions.passes)}<small>passed</small></td></tr></tbody></table>`,
)}`;
}

/** Nothing is labelled: how many alarm is all that can be said. */
function unlabelledEffect({ falseAlarmRate: alarms }: Decisions, { items }: { readonly items: string }): Html {
  return scroll(
    'What the threshold does on the test part',
    html`<table><caption>What it does on the test part. None of its ${items} is labelled anomalous, so whether an alarm is right is not known.</caption>
<thead><tr><td></td><th scope="col" class="n">share</th><th scope="col" class="n">95 % interval</th><th scope="col" class="n">${items}</th></tr></thead>
<tbody>${row('alarms', `${items} that reach the threshold`, alarms)}<tr><th scope="row">precision<small>needs labelled anomalies</small></th><td class="n">–</td><td class="n">–</td><td class="n">–</td></tr></tbody></table>`,
  );
}

const row = (name: string, meaning: string, { share, interval, count, total }: Share) =>
  html`<tr><th scope="row">${name}<small>${meaning}</small></th><td class="n">${percent(share)}</td><td class="n">${
    total > 0 ? percentInterval(interval) : '–'
  }</td><td class="n">${whole(count)} of ${whole(total)}</td></tr>`;

/** Thresholds for other rates, and what they would do. */
function others(data: ReportData, value: number) {
  const rows = otherThresholds(data.normalScores, data.items, RATES, data.threshold);
  if (rows.length === 0) return undefined;
  const labelled = isLabelled(data);
  const head = labelled ? ['recall', 'false alarms', 'precision'] : ['alarms'];
  return scroll(
    'Other thresholds',
    html`<table class="others"><caption>Other thresholds, each from normal ${wordsOf(data).items} alone, and what they would do on the test part</caption>
<thead><tr><th scope="col">wanted false alarms</th><th scope="col" class="n">threshold</th><th scope="col" class="n">to be expected</th>${head.map(
      (name) => html`<th scope="col" class="n">${name}</th>`,
    )}</tr></thead>
<tbody>${rows.map((o) => {
      const shares = labelled ? [o.recall, o.falseAlarmRate, o.precision] : [o.falseAlarmRate];
      return html`<tr${o.threshold === value && new Html(' class="chosen"')}><th scope="row">${rate(o.rate)}${
        o.threshold === value && html` <em>the same as in use</em>`
      }${!o.guaranteed && html`<small>not guaranteed: too few normals</small>`}</th><td class="n">${raw(o.threshold)}</td><td class="n">${forecast(
        o.rateInterval,
      )}</td>${shares.map(({ share }) => html`<td class="n">${percent(share)}</td>`)}</tr>`;
    })}</tbody></table>`,
  );
}
