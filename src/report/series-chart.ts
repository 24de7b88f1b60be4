/**
 * Series as pictures: a panel a channel, the score with the threshold below, shaded where something is anomalous. A column of the
 * picture holds the least and the largest of its steps, so that a million steps cost no more than a thousand and no spike is
 * lost.
 */
import type { ReportSeries } from './data.ts';
import { type Html, html } from './html.ts';
import { raw } from './numbers.ts';

const WIDTH = 900;
const LEFT = 60;
const PANEL = 84;
const GAP = 16;
const SCORE = 72;
const FOOT = 34;

/** A stretch of steps. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

export interface SeriesPicture {
  readonly series: ReportSeries;
  /** Which channels are drawn, by number. */
  readonly channels: readonly number[];
  readonly shown: Stretch;
  readonly threshold: number | null;
  readonly alarms: readonly Stretch[];
  readonly truth: readonly Stretch[];
  /** What a step is called where it has no time. */
  readonly unit: string;
}

/** The drawing; `label` says in words what it shows. */
export function seriesPicture(picture: SeriesPicture, label: string): Html {
  const { series, channels, shown, threshold, alarms, truth, unit } = picture;
  const scale = (WIDTH - LEFT) / (shown.end - shown.start);
  const x = (t: number) => LEFT + (Math.min(Math.max(t, shown.start), shown.end) - shown.start) * scale;
  const height = channels.length * (PANEL + GAP) + SCORE + FOOT;
  const bands = (list: readonly Stretch[], kind: string, y: number, tall: number) =>
    list
      .filter(({ start, end }) => end > shown.start && start < shown.end)
      .map(
        ({ start, end }) =>
          html`<rect class="${kind}" x="${x(start).toFixed(1)}" y="${y}" width="${Math.max(1.5, x(end) - x(start)).toFixed(1)}" height="${tall}"/>`,
      );
  const panels = channels.map((c, i) => {
    const y = i * (PANEL + GAP);
    const at = (t: number) => series.values[t * series.channels.length + c];
    return html`<g>${bands(truth, 'truth-band', y, PANEL)}${line(at, { shown, x, y, height: PANEL, kind: 'value' })}<text class="name" x="${LEFT}" y="${y + 11}">${series.channels[c]}</text></g>`;
  });
  const y = channels.length * (PANEL + GAP);
  const score = line((t) => series.scores[t], { shown, x, y, height: SCORE, kind: 'score', level: threshold });
  return html`<svg class="series" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${label}">${panels}<g>${bands(truth, 'truth-band', y, SCORE)}${bands(alarms, 'alarm-band', y + SCORE + 3, 5)}${score}<text class="name" x="${LEFT}" y="${y + 11}">score</text></g>${axis(series, { shown, y: y + SCORE + 8, unit })}</svg>`;
}

interface LineOptions {
  readonly shown: Stretch;
  readonly x: (t: number) => number;
  readonly y: number;
  readonly height: number;
  readonly kind: string;
  /** A level that is drawn across. */
  readonly level?: number | null;
}

/** The values of a stretch as one path, and its least and largest value beside it. */
function line(at: (t: number) => number, { shown, x, y, height, kind, level = null }: LineOptions): Html {
  const { start, end } = shown;
  let [low, high] = [level ?? Number.POSITIVE_INFINITY, level ?? Number.NEGATIVE_INFINITY];
  for (let t = start; t < end; t++) {
    const value = at(t);
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (!(high >= low)) return html`<text class="name" x="${LEFT + 60}" y="${y + 11}">not scored here</text>`;
  const place = (value: number) => (y + height - ((value - low) / (high - low || 1)) * (height - 18)).toFixed(1);
  const columns = Math.min(end - start, WIDTH - LEFT);
  const parts: string[] = [];
  let isOpen = false;
  for (let k = 0; k < columns; k++) {
    const from = start + Math.floor(((end - start) * k) / columns);
    const to = start + Math.floor(((end - start) * (k + 1)) / columns);
    let [least, most, first] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];
    for (let t = from; t < to; t++) {
      const value = at(t);
      if (!Number.isFinite(value)) continue;
      if (Number.isNaN(first)) first = value;
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
    if (Number.isNaN(first)) {
      isOpen = false;
      continue;
    }
    const left = x(from + 0.5).toFixed(1);
    parts.push(`${isOpen ? 'L' : 'M'}${left} ${place(first)}`);
    if (most > least) parts.push(`L${left} ${place(least)}L${left} ${place(most)}`);
    isOpen = true;
  }
  const mark =
    level !== null &&
    html`<path class="level" d="M${LEFT} ${place(level)}H${WIDTH}"/><text class="name" x="${WIDTH}" y="${Number(place(level)) - 4}" text-anchor="end">threshold ${raw(level)}</text>`;
  return html`<path class="${kind}" d="${parts.join('')}"/>${mark}<text class="tick" x="${LEFT - 6}" y="${y + 20}" text-anchor="end">${raw(high)}</text><text class="tick" x="${LEFT - 6}" y="${y + height}" text-anchor="end">${raw(low)}</text>`;
}

/** Three steps or times below the picture. */
function axis(
  { times }: ReportSeries,
  { shown: { start, end }, y, unit }: { readonly shown: Stretch; readonly y: number; readonly unit: string },
): Html {
  const places = [
    [start, 'start', LEFT],
    [(start + end - 1) >> 1, 'middle', (WIDTH + LEFT) / 2],
    [end - 1, 'end', WIDTH],
  ] as const;
  return html`${places.map(([t, anchor, x]) => html`<text class="tick" x="${x}" y="${y + 14}" text-anchor="${anchor}">${stepName(times, t, unit)}</text>`)}`;
}

/** `2014-01-31 06:25`, or `step 1201` where steps are only counted. */
export function stepName(times: Float64Array | undefined, t: number, unit: string): string {
  if (!times) return `${unit} ${t + 1}`;
  const text = new Date(times[t]).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, text.slice(17, 19) === '00' ? 16 : 19)}`;
}
