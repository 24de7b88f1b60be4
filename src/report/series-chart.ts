/**
 * Series as pictures: a panel a channel, the score with the threshold below, shaded where something is anomalous. A column of the
 * picture holds the least and the largest of its steps, so that a million steps cost no more than a thousand and no spike is
 * lost. Behind the values lies the band in which they were expected, where there is one.
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
    const of = (values: Float64Array) => (t: number) => values[t * series.channels.length + c];
    const band = series.band && { lower: of(series.band.lower), upper: of(series.band.upper) };
    return html`<g>${bands(truth, 'truth-band', y, PANEL)}${line(of(series.values), { shown, x, y, height: PANEL, kind: 'value', band })}<text class="name" x="${LEFT}" y="${y + 11}">${series.channels[c]}</text></g>`;
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
  /** A band that is filled behind the line. */
  readonly band?: { readonly lower: (t: number) => number; readonly upper: (t: number) => number };
}

/** The columns of the picture in which a stretch is drawn: the first step of each, and the one behind its last. */
function columnsOf({ start, end }: Stretch): (readonly [from: number, to: number])[] {
  const count = Math.min(end - start, WIDTH - LEFT);
  const at = (k: number) => start + Math.floor(((end - start) * k) / count);
  return Array.from({ length: count }, (_, k) => [at(k), at(k + 1)] as const);
}

/** The first, the least and the largest value of some steps; NaN in place of the first where there is none. */
function extremes(at: (t: number) => number, from: number, to: number) {
  let [least, most, first] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];
  for (let t = from; t < to; t++) {
    const value = at(t);
    if (!Number.isFinite(value)) continue;
    if (Number.isNaN(first)) first = value;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return { least, most, first };
}

/** The values of a stretch as one path, with its band, and the least and largest value of both beside it. */
function line(at: (t: number) => number, { shown, x, y, height, kind, level = null, band }: LineOptions): Html {
  const { start, end } = shown;
  let [low, high] = [level ?? Number.POSITIVE_INFINITY, level ?? Number.NEGATIVE_INFINITY];
  for (const drawn of band ? [at, band.lower, band.upper] : [at]) {
    const { least, most } = extremes(drawn, start, end);
    low = Math.min(low, least);
    high = Math.max(high, most);
  }
  if (!(high >= low)) return html`<text class="name" x="${LEFT + 60}" y="${y + 11}">not scored here</text>`;
  const place = (value: number) => (y + height - ((value - low) / (high - low || 1)) * (height - 18)).toFixed(1);
  const parts: string[] = [];
  let isOpen = false;
  for (const [from, to] of columnsOf(shown)) {
    const { least, most, first } = extremes(at, from, to);
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
  return html`${band && html`<path class="expected" d="${bandPath(band, shown, x, place)}"/>`}<path class="${kind}" d="${parts.join('')}"/>${mark}<text class="tick" x="${LEFT - 6}" y="${y + 20}" text-anchor="end">${raw(high)}</text><text class="tick" x="${LEFT - 6}" y="${y + height}" text-anchor="end">${raw(low)}</text>`;
}

/** A band as closed shapes, one for each stretch of columns without a hole. */
function bandPath(
  { lower, upper }: NonNullable<LineOptions['band']>,
  shown: Stretch,
  x: LineOptions['x'],
  place: (value: number) => string,
): string {
  const shapes: { above: string[]; below: string[] }[] = [];
  let isOpen = false;
  for (const [from, to] of columnsOf(shown)) {
    const [least, most] = [extremes(lower, from, to).least, extremes(upper, from, to).most];
    if (!(Number.isFinite(least) && Number.isFinite(most))) {
      isOpen = false;
      continue;
    }
    if (!isOpen) shapes.push({ above: [], below: [] });
    const left = x(from + 0.5).toFixed(1);
    shapes.at(-1)!.above.push(`${left} ${place(most)}`);
    shapes.at(-1)!.below.unshift(`${left} ${place(least)}`);
    isOpen = true;
  }
  return shapes.map(({ above, below }) => `M${[...above, ...below].join('L')}Z`).join('');
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
