/**
 * The part of a page about series and clips: each as a whole, its alarms as a table, and what was missed or alarmed wrongly near
 * by; of clips the frames about the worst one.
 */
import { segmentsOf } from '../core/segments.ts';
import { isLabelled, scroll, wordsOf } from './blocks.ts';
import type { ReportData, ReportSeries } from './data.ts';
import { frameStrip } from './frame-strip.ts';
import { type Html, html } from './html.ts';
import { many, percent, rate, raw } from './numbers.ts';
import { type SeriesPicture, type Stretch, seriesPicture, stepName } from './series-chart.ts';

/** Series and channels of each that are drawn, rows of the table of alarms, pictures near by. */
export const MOST = { series: 4, clips: 12, channels: 4, alarms: 30, near: 6 };

export function seriesSection(data: ReportData, all: readonly ReportSeries[]): Html {
  const ofClips = data.kind === 'clip';
  const shown = all.slice(0, ofClips ? MOST.clips : MOST.series);
  const { items } = wordsOf(data);
  const band = shown.find((series) => series.band)?.band;
  return html`<p class="note">Shaded: labelled anomalies.${band && ` Pale band behind the values: where they are expected, with margins meant to hold ${rate(1 - band.rate)} of normal ${items}.${band.reason ? ` ${band.reason}` : ''}`} Bars below the score: alarms. A column of a picture holds the least and the largest of its ${items}.${
    data.smoothing !== undefined &&
    ` Scores are smoothed along each ${ofClips ? 'clip' : 'series'} by a Gaussian of ${data.smoothing} ${items}.`
  }${all.some(({ strip }) => strip) && ' Frames are those about the highest score of a clip, with their maps; the contour and the ground truth are as under “Pictures”.'}</p>
${shown.map((series) => ofSeries(data, series))}${
  all.length > shown.length &&
  html`<p class="note">${all.length - shown.length} more ${ofClips ? 'clips' : 'series'} are not drawn; predictions.csv has their scores.</p>`
}`;
}

function ofSeries(data: ReportData, series: ReportSeries): Html {
  const { threshold } = data;
  const labelled = isLabelled(data);
  const truth = stretches(series);
  const channels = channelsOf(series);
  const picture = (stretch: Stretch): SeriesPicture => ({
    series,
    channels,
    shown: stretch,
    threshold: threshold.value,
    alarms: series.alarms,
    truth,
    unit: item,
  });
  const steps = series.scores.length;
  const { item, items } = wordsOf(data);
  const left = series.channels.length - channels.length;
  const near = nearBy(series, truth, labelled, item);
  return html`<h3>${series.id}</h3>
<p class="note">${many(steps, item, items)}${series.train > 0 && `, the first ${series.train} for training`}; ${labelled && `${many(truth.length, 'labelled segment', 'labelled segments')}, `}${many(series.alarms.length, 'alarm', 'alarms')}.${left > 0 && ` ${left} of ${series.channels.length} channels are not drawn.`}</p>
<div class="scroll" role="group" aria-label="Picture of ${series.id}" tabindex="0">${seriesPicture(picture({ start: 0, end: steps }), `${series.id} with its scores`)}</div>
${data.pictures && frameStrip(series, data.pictures)}
${series.alarms.length > 0 && alarmTable(series, labelled, { item, items })}${
  near.length > 0 &&
  html`<div class="pair">${near.map(
    ({ title, stretch }) =>
      html`<figure><figcaption><b>${title}</b></figcaption>${seriesPicture(picture(stretch), title)}</figure>`,
  )}</div>`
}`;
}

/** Labelled segments. */
const stretches = ({ labels = [] }: { readonly labels?: ArrayLike<number> }): Stretch[] =>
  segmentsOf(labels).map(({ begin, end }) => ({ start: begin, end }));

/** The channels that make most alarms, else the first ones; in their order. */
function channelsOf({ channels, alarms }: ReportSeries): number[] {
  const weight = new Map(channels.map((name) => [name, 0]));
  for (const alarm of alarms)
    for (const { name, share } of alarm.channels) weight.set(name, (weight.get(name) ?? 0) + share);
  return channels
    .map((_, c) => c)
    .sort((a, b) => weight.get(channels[b])! - weight.get(channels[a])! || a - b)
    .slice(0, MOST.channels)
    .sort((a, b) => a - b);
}

const overlaps = (a: Stretch, b: Stretch) => a.start < b.end && b.start < a.end;

/** Segments without an alarm and alarms without a segment, with some steps around them. */
function nearBy(series: ReportSeries, truth: readonly Stretch[], labelled: boolean, unit: string) {
  const { alarms, scores, train, window, times } = series;
  if (!labelled || series.channels.length === 0) return []; // a clip is drawn large enough as a whole
  const around = ({ start, end }: Stretch): Stretch => ({
    start: Math.max(0, start - 3 * window),
    end: Math.min(scores.length, end + 3 * window),
  });
  const missed = truth
    .filter((segment) => segment.end > train && !alarms.some((alarm) => overlaps(alarm, segment)))
    .map((segment) => ({ title: `Missed: ${stepName(times, segment.start, unit)}`, stretch: around(segment) }));
  const wrong = alarms
    .filter((alarm) => !truth.some((segment) => overlaps(alarm, segment)))
    .sort((a, b) => b.peak.score - a.peak.score)
    .map((alarm) => ({ title: `False alarm: ${stepName(times, alarm.start, unit)}`, stretch: around(alarm) }));
  return [...missed.slice(0, MOST.near / 2), ...wrong.slice(0, MOST.near / 2)];
}

function alarmTable(
  { alarms, labels, times, channels }: ReportSeries,
  labelled: boolean,
  { item, items }: { readonly item: string; readonly items: string },
): Html {
  const named = channels.length > 0;
  const shown = [...alarms].sort((a, b) => b.peak.score - a.peak.score).slice(0, MOST.alarms);
  const isRight = ({ start, end }: Stretch) => labels?.subarray(start, end).includes(1) ?? false;
  return scroll(
    'Alarms',
    html`<table class="rows"><caption>${alarms.length > shown.length ? `The ${shown.length} highest of ${alarms.length} alarms` : 'Alarms, the highest first'}${named ? `; the channels are those of the highest ${item}` : ''}.</caption>
<thead><tr><th scope="col">from</th><th scope="col">to</th><th scope="col" class="n">${items}</th><th scope="col" class="n">peak</th><th scope="col">severity</th>${labelled && html`<th scope="col">label</th>`}${named && html`<th scope="col">channels that stand out</th>`}</tr></thead>
<tbody>${shown.map(
      (alarm) =>
        html`<tr><th scope="row">${stepName(times, alarm.start, item)}</th><td>${stepName(times, alarm.end - 1, item)}</td><td class="n">${alarm.end - alarm.start}</td><td class="n">${raw(alarm.peak.score)}</td><td>${alarm.level}</td>${
          labelled && html`<td>${isRight(alarm) ? 'anomalous' : 'false alarm'}</td>`
        }${
          named &&
          html`<td>${alarm.channels.map(
            ({ name, share, actual, usual, expected }) =>
              html`<span class="reason"><b>${name}</b> ${actual}${usual && html` <small>(usually ${usual.map((v) => raw(v)).join(' to ')})</small>`}${
                expected !== undefined && html` <small>(expected ${raw(expected)})</small>`
              } <small>${percent(share)}</small></span>`,
          )}</td>`
        }</tr>`,
    )}</tbody></table>`,
  );
}
