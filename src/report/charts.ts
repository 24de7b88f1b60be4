/**
 * The charts of a report as SVG text. Colours are variables of the page's style, so that one drawing serves light and
 * dark; every chart carries a title and a sentence that says what can be read from it.
 */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { findKind } from '../kinds/index.ts';
import { prCurve, rocCurve } from '../metrics/index.ts';
import type { ReportData, ReportEpoch } from './data.ts';
import { escapeHtml, Html } from './html.ts';
import type { Decisions } from './judgement.ts';
import { apart, many, percent, raw } from './numbers.ts';

/** A drawing with its words. */
export interface Chart {
  readonly title: string;
  /** What the chart shows, for people who do not see it. */
  readonly text: string;
  readonly svg: Html;
}

const WIDTH = 460;
const BINS = 56;
const COLOURS = { held: 'var(--held)', normal: 'var(--normal)', anomalous: 'var(--anomalous)', mark: 'var(--mark)' };

/** Scores of held-out normals, test normals and test anomalies, one above the other, with the threshold. */
export function scoreHistogram({ normalScores, items, threshold, counts, kind = 'image' }: ReportData): Chart {
  const { item, items: what } = findKind(kind).words;
  const groups = [
    { name: 'held-out normals', colour: COLOURS.held, scores: normalScores },
    {
      name: counts.testAnomalies > 0 ? 'test normals' : 'test part',
      colour: COLOURS.normal,
      scores: items.filter((i) => i.label === 0).map((i) => i.score),
    },
    {
      name: 'test anomalies',
      colour: COLOURS.anomalous,
      scores: items.filter((i) => i.label === 1).map((i) => i.score),
    },
  ].filter(({ scores }) => scores.length > 0);
  const all = Float64Array.from(groups.flatMap(({ scores }) => [...scores])).sort();
  const low = all[0];
  // A few huge scores must not press all others into one bar: the last bar holds what lies beyond.
  const high = Math.max(all[Math.floor(0.995 * (all.length - 1))], threshold.value ?? low);
  const step = (high - low || 1) / BINS;
  const bars = groups.flatMap(({ name, colour, scores }) => {
    const counts = new Array<number>(BINS + 1).fill(0);
    for (const s of scores) counts[Math.min(BINS, Math.floor((s - low) / step))]++;
    return counts.flatMap((n, k) =>
      n === 0
        ? []
        : [{ name, colour, from: low + k * step, to: low + (k + 1) * step, share: (100 * n) / scores.length }],
    );
  });
  const labels = groups.map(({ name, scores }) => ({ name, text: `${name}, ${many(scores.length, item, what)}` }));
  const beyond = all[all.length - 1] > low + (BINS + 1) * step;
  const { value } = threshold;
  const svg = draw({
    height: 76 + 96 * groups.length,
    marginLeft: 48,
    marginTop: 46,
    x: {
      label: `raw score (no unit; larger = more anomalous)${beyond ? '; last bar: all above' : ''}`,
      nice: false,
      ticks: 5,
      tickFormat: tickText(low, low + (BINS + 1) * step),
    },
    y: { label: 'share of the group (%)', grid: true, ticks: 3, tickFormat: (d: number) => `${d} %` },
    fy: { domain: groups.map((g) => g.name), axis: null, padding: 0.12 },
    marks: [
      Plot.rectY(bars, {
        x1: 'from',
        x2: 'to',
        y: 'share',
        fy: 'name',
        fill: (d: { colour: string }) => d.colour,
        insetLeft: 0.3,
        insetRight: 0.3,
      }),
      Plot.ruleY([0], { strokeOpacity: 0.4 }),
      ...(value === null
        ? []
        : [Plot.ruleX([value], { stroke: COLOURS.mark, strokeWidth: 1.5, strokeDasharray: '4 3' })]),
      Plot.text(labels, {
        fy: 'name',
        text: 'text',
        frameAnchor: value !== null && value > (low + high) / 2 ? 'top-left' : 'top-right',
        dy: -2,
        fontWeight: 600,
        fill: COLOURS.mark,
        ...halo,
      }),
      ...(value === null
        ? []
        : [
            Plot.text([{ name: groups[0].name, value }], {
              fy: 'name',
              x: 'value',
              frameAnchor: 'top',
              dy: -36, // above the name of the axis
              text: () => `threshold ${raw(value)}`,
              // Near a side of the chart it is written inwards.
              textAnchor:
                value > high - 0.15 * (high - low) ? 'end' : value < low + 0.15 * (high - low) ? 'start' : 'middle',
              fill: COLOURS.mark,
              fontWeight: 600,
            }),
          ]),
    ],
    color: { type: 'identity' },
  });
  const middles = apart(groups.map(({ scores }) => Float64Array.from(scores).sort()[scores.length >> 1]));
  const medians = groups.map(({ name }, i) => `${name} ${middles[i]}`).join(', ');
  return chart(
    'Scores by kind of item',
    `Share of each group by raw score. Medians: ${medians}.${value === null ? '' : ` The threshold is ${raw(value)}.`}`,
    svg,
  );
}

/** The ROC curve with the operating point; undefined where the test part has one kind of item only. */
export function rocChart({ items, threshold }: ReportData, decisions?: Decisions): Chart | undefined {
  const curve = rocCurve(
    items.map((i) => i.score),
    items.map((i) => i.label),
  );
  if (!curve) return undefined;
  const points = thin(Array.from(curve.recall, (y, k) => ({ x: curve.falseAlarmRate[k], y })));
  const at = decisions && { x: decisions.falseAlarmRate.share ?? 0, y: decisions.recall.share ?? 0 };
  const svg = draw({
    ...squareFrame,
    x: shareAxis('false-positive rate (% of normal test items)'),
    y: { ...shareAxis('recall (% of anomalous test items)'), grid: true },
    marks: [
      Plot.line(
        [
          { x: 0, y: 0 },
          { x: 1, y: 1 },
        ],
        { x: 'x', y: 'y', stroke: 'currentColor', strokeOpacity: 0.45, strokeDasharray: '2 4' },
      ),
      Plot.line(points, { x: 'x', y: 'y', stroke: COLOURS.anomalous, strokeWidth: 2 }),
      ...operatingPoint(at, at && `threshold: ${percent(at.y)} found\nat ${percent(at.x)} false alarms`),
    ],
  });
  return chart(
    'ROC curve',
    `Recall against false-positive rate over all thresholds; area ${curve.area.toFixed(3)}, a random score has 0.5.` +
      (at
        ? ` At the threshold ${raw(threshold.value!)}: recall ${percent(at.y)}, false-positive rate ${percent(at.x)}.`
        : ''),
    svg,
  );
}

/** The precision–recall curve with the operating point; undefined where the test part has one kind of item only. */
export function precisionRecallChart({ items }: ReportData, decisions?: Decisions): Chart | undefined {
  const curve = prCurve(
    items.map((i) => i.score),
    items.map((i) => i.label),
  );
  if (!curve) return undefined;
  const points = thin(Array.from(curve.recall, (x, k) => ({ x, y: curve.precision[k] })));
  const prevalence = curve.precision[curve.precision.length - 1]; // where all are called anomalous
  const precision = decisions?.precision.share;
  const at =
    decisions && precision !== null && precision !== undefined
      ? { x: decisions.recall.share ?? 0, y: precision }
      : undefined;
  const svg = draw({
    ...squareFrame,
    x: shareAxis('recall (% of anomalous test items)'),
    y: { ...shareAxis('precision (% of alarms that are right)'), grid: true },
    marks: [
      Plot.ruleY([prevalence], { stroke: 'currentColor', strokeOpacity: 0.45, strokeDasharray: '2 4' }),
      Plot.line(points, { x: 'x', y: 'y', stroke: COLOURS.anomalous, strokeWidth: 2, curve: 'step-before' }),
      ...operatingPoint(at, at && `threshold: ${percent(at.y)} right,\n${percent(at.x)} found`),
    ],
  });
  return chart(
    'Precision and recall',
    `Precision against recall over all thresholds; average precision ${curve.area.toFixed(3)}, a random ` +
      `score has the share of anomalies in the test part, ${percent(prevalence)} (dotted).` +
      (at ? ` At the threshold: precision ${percent(at.y)}, recall ${percent(at.x)}.` : ''),
    svg,
  );
}

/** The values of single anomaly maps by type of item, as boxes; undefined where none is known. */
export function mapSpread({ items }: ReportData, title: string, each: readonly (number | null)[]): Chart | undefined {
  const rows = items.flatMap(({ type }, i) => (typeof each[i] === 'number' ? [{ type, value: each[i] }] : []));
  if (rows.length === 0) return undefined;
  const types = [...new Set(rows.map(({ type }) => type))].sort();
  const sorted = rows.map(({ value }) => value).sort((a, b) => a - b);
  const quantile = (q: number) => sorted[Math.round(q * (sorted.length - 1))].toFixed(3);
  const zeros = sorted.filter((value) => value === 0).length;
  const svg = draw({
    height: 62 + 34 * types.length,
    marginLeft: Math.min(160, 24 + 7 * Math.max(...types.map((type) => type.length))),
    marginTop: 12,
    x: { label: `${title} of an image`, domain: [0, 1], ticks: 5, grid: true },
    y: { label: null, domain: types },
    marks: [
      Plot.boxX(rows, {
        x: 'value',
        y: 'type',
        fill: COLOURS.anomalous,
        fillOpacity: 0.35,
        stroke: COLOURS.mark,
        r: 2.5,
      }),
    ],
  });
  return chart(
    `${title} of single images`,
    `Of ${many(rows.length, 'anomalous image', 'anomalous images')} with a mask: median ${quantile(0.5)}, the middle half from ` +
      `${quantile(0.25)} to ${quantile(0.75)}; in ${zeros} nothing is found at that price. A box is the middle half of a type, ` +
      'its line the median, dots are outliers.',
    svg,
  );
}

/**
 * A value by an option that was varied, numbers along a scale and others side by side; undefined where the option had one value only.
 * Trials that were stopped early are hollow.
 */
export function optionChart(
  { model, name, title }: { readonly model: string; readonly name: string; readonly title: string },
  points: readonly { readonly option: unknown; readonly value: number; readonly isStopped: boolean }[],
): Chart | undefined {
  const shown = (option: unknown) => (typeof option === 'string' ? option : JSON.stringify(option));
  if (new Set(points.map(({ option }) => shown(option))).size < 2) return undefined;
  const isNumber = points.every(({ option }) => typeof option === 'number');
  const numbers = points.flatMap(({ option }) => (typeof option === 'number' ? [option] : []));
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const isLog = isNumber && low > 0 && high / low >= 20;
  const best = points.reduce((a, b) => (b.value > a.value ? b : a));
  const stopped = points.filter(({ isStopped }) => isStopped).length;
  const svg = draw({
    height: 240,
    marginLeft: 52,
    marginTop: 28,
    x: {
      label: name,
      ...(isNumber ? { type: isLog ? 'log' : 'linear', ticks: 5, tickFormat: tickText(low, high) } : { type: 'point' }),
    },
    y: { label: title, grid: true, ticks: 5, nice: true },
    marks: [
      Plot.dot(
        points.map(({ option, value, isStopped }) => ({ option: isNumber ? option : shown(option), value, isStopped })),
        {
          ...{ x: 'option', y: 'value', r: 4, stroke: COLOURS.normal, strokeWidth: 1.6 },
          fill: (d: { isStopped: boolean }) => (d.isStopped ? 'none' : COLOURS.normal),
        },
      ),
    ],
  });
  return chart(
    `${model}: ${title} by ${name}`,
    `${many(points.length, 'trial')}${stopped > 0 ? `, ${stopped} stopped early (hollow)` : ''}; the highest, ${best.value.toFixed(3)}, at ${shown(best.option)}.`,
    svg,
  );
}

/** A chart per phase and watched number of training; one epoch makes no curve. */
export function learningCurves(history: readonly ReportEpoch[]): Chart[] {
  const curves = new Map<string, { phase: string; name: string; points: { epoch: number; value: number }[] }>();
  for (const { phase, epoch, trainingLoss, metrics } of history) {
    const named = Object.entries(metrics);
    for (const [name, value] of named.length > 0 ? named : [['loss', trainingLoss] as const]) {
      const key = JSON.stringify([phase, name]);
      if (!curves.has(key)) curves.set(key, { phase, name, points: [] });
      curves.get(key)?.points.push({ epoch, value });
    }
  }
  const long = [...curves.values()].filter(({ points }) => points.length > 1);
  return long.map(({ phase, name, points }) => {
    const svg = draw({
      height: 220,
      marginLeft: 60,
      marginTop: 28,
      x: {
        label: 'epoch',
        ticks: epochTicks(points.length),
        tickFormat: String,
      },
      y: { label: `${name} (mean over the epoch, no unit)`, grid: true, ticks: 5, nice: true },
      marks: [
        Plot.lineY(points, { x: 'epoch', y: 'value', stroke: COLOURS.normal, strokeWidth: 2 }),
        ...(points.length <= 40 ? [Plot.dot(points, { x: 'epoch', y: 'value', fill: COLOURS.normal, r: 3 })] : []),
      ],
    });
    const [first, last] = [points[0], points[points.length - 1]];
    return chart(
      `Phase “${phase}”: ${name}`,
      `From ${raw(first.value)} in epoch ${first.epoch} to ${raw(last.value)} in epoch ${last.epoch}.`,
      svg,
    );
  });
}

/** Writes ticks between two values with as many digits as tell them apart, and short ones however small they are. */
function tickText(low: number, high: number) {
  const step = (high - low) / 10 || 1;
  const size = Math.max(Math.abs(low), Math.abs(high));
  const decimals = Math.max(0, Math.ceil(-Math.log10(step)));
  const digits = Math.min(8, Math.max(1, Math.ceil(Math.log10(size / step))));
  return (tick: number) =>
    tick === 0
      ? '0'
      : size < 1e-3 || size >= 1e6
        ? tick.toExponential(digits - 1)
        : String(Number(tick.toFixed(decimals)));
}

/** Words stay legible over lines. */
const halo = { stroke: 'var(--page)', strokeWidth: 4 };

/** At most eight whole epochs, the first among them. */
function epochTicks(epochs: number): number[] {
  const step = Math.ceil(epochs / 8);
  return Array.from({ length: Math.ceil(epochs / step) }, (_, k) => 1 + k * step);
}

const squareFrame = { height: 380, marginLeft: 52, marginRight: 18, marginTop: 30 };

const shareAxis = (label: string) => ({
  label,
  domain: [0, 1],
  ticks: 5,
  tickFormat: (d: number) => `${Math.round(100 * d)} %`,
});

/** A ring at a point, and its words, in two lines, on the side where there is room. */
function operatingPoint(at: { x: number; y: number } | undefined, text: string | undefined): Plot.Markish[] {
  if (!at || !text) return [];
  const right = at.x > 0.5;
  return [
    Plot.dot([at], { x: 'x', y: 'y', r: 6, fill: 'var(--page)', stroke: COLOURS.mark, strokeWidth: 2.5 }),
    Plot.text([at], {
      x: 'x',
      y: 'y',
      text: () => text,
      textAnchor: right ? 'end' : 'start',
      lineAnchor: at.y > 0.5 ? 'top' : 'bottom',
      dx: right ? -12 : 12,
      dy: at.y > 0.5 ? 8 : -8,
      fill: COLOURS.mark,
      fontWeight: 600,
      ...halo,
    }),
  ];
}

/** Leaves out points that lie within half a pixel of the one before; the ends stay. */
function thin<P extends { x: number; y: number }>(points: readonly P[]): P[] {
  let last: P | undefined;
  return points.filter((p, k) => {
    const keep =
      !last || k === points.length - 1 || Math.abs(p.x - last.x) >= 1 / 800 || Math.abs(p.y - last.y) >= 1 / 800;
    if (keep) last = p;
    return keep;
  });
}

/** Plot's drawing as SVG text, without its own style and title. */
function draw(options: Plot.PlotOptions): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const svg = Plot.plot({
    width: WIDTH,
    marginBottom: 42,
    className: 'plot',
    ...options,
    document,
  } as Plot.PlotOptions);
  svg.querySelector('style')?.remove();
  svg.setAttribute('font-size', '12'); // linkedom has no style to assign to
  return svg.outerHTML
    .replaceAll(/ aria-(?:label|hidden)="[^"]*"/g, '') // the picture as a whole is described, its strokes are not
    .replaceAll(/="[^"]*"/g, (value: string) =>
      value.replaceAll(/-?\d+\.\d{3,}(?:e-\d+)?/g, (n) => String(Number(Number(n).toFixed(2)))),
    );
}

/** Gives a drawing its role, title and description. */
function chart(title: string, text: string, drawn: string): Chart {
  const words = `<title>${escapeHtml(title)}</title><desc>${escapeHtml(text)}</desc>`;
  return { title, text, svg: new Html(drawn.replace(/^<svg([^>]*)>/, `<svg role="img"$1>${words}`)) };
}
