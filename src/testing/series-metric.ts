/** What a metric of time series promises. */
import { Rng } from '../core/random.ts';
import { measureSeries, type SeriesGiven, type SeriesMetric } from '../metrics/index.ts';
import { type Check, checkValue, increasing, must, mustEqual, type Outcome } from './promises.ts';

/** Everything that a metric of series can need. */
interface Points extends SeriesGiven {
  readonly scores: Float64Array;
  readonly labels: Uint8Array;
}

/** 120 steps on 64 levels, so that scores tie, with two anomalous segments unless all have one label. */
function somePoints(seed: number, label?: 0 | 1): Points {
  const rng = new Rng(seed);
  const isInside = (t: number) => (t > 30 && t < 42) || (t > 80 && t < 87);
  const labels = Uint8Array.from({ length: 120 }, (_, t) => label ?? (isInside(t) ? 1 : 0));
  const scores = Float64Array.from(labels, (y) => (rng.int(48) + 16 * y) / 64);
  return { labels, scores, window: 8, threshold: 0.5, probation: 18 };
}

function measure(metric: SeriesMetric, points: SeriesGiven): Outcome {
  const { values, reasons } = measureSeries([points], [metric]).each[0];
  return { value: values[metric.name] ?? null, reason: reasons[metric.name] };
}

/** The checks of a metric of series. */
export function seriesChecks(metric: SeriesMetric): Check[] {
  const points = () => somePoints(1); // anew for each check: one that changes them must not hide from the next
  return [
    { name: 'values lie in its range', run: () => checkRange(metric) },
    { name: 'what it is given stays as it is, and the same gives the same', run: () => checkPurity(metric, points()) },
    {
      name: 'a series of one label, of one step or of none gives a value in the range or null and why',
      run: () => checkOneLabel(metric),
    },
    { name: 'a score that is NaN gives null and why, or is refused', run: () => checkNotANumber(metric, points()) },
    {
      name: 'other series beside it change nothing, and their mean is that of their values',
      run: () => checkMean(metric, points()),
    },
    ...(metric.isOrdinal
      ? [{ name: 'strictly increasing maps of the scores change nothing', run: () => checkOrdinal(metric, points()) }]
      : []),
  ];
}

function checkRange(metric: SeriesMetric): void {
  for (let seed = 1; seed <= 10; seed++) checkValue(metric, measure(metric, somePoints(seed)), 'a series');
  const points = somePoints(1);
  const constant = points.scores.map(() => 0.5);
  checkValue(metric, measure(metric, { ...points, scores: constant }), 'a constant score');
}

function checkPurity(metric: SeriesMetric, points: Points): void {
  const asText = () => JSON.stringify([[...points.scores], [...points.labels]]);
  const before = asText();
  const { value } = measure(metric, points);
  must(asText() === before, `${metric.name} must not change the scores or labels that it is given.`);
  must(value === measure(metric, points).value, `${metric.name} must give the same value for the same points.`);
}

function checkOneLabel(metric: SeriesMetric): void {
  const one = somePoints(3, 1);
  const cut = (length: number) => ({
    ...one,
    scores: one.scores.slice(0, length),
    labels: one.labels.slice(0, length),
  });
  for (const [what, points] of [
    ['a series without anomalies', somePoints(3, 0)],
    ['a series that is anomalous throughout', one],
    ['a single step', cut(1)],
    ['a series without steps', cut(0)],
  ] as const)
    checkValue(metric, measure(metric, points), what);
}

function checkNotANumber(metric: SeriesMetric, points: Points): void {
  let outcome: Outcome;
  try {
    outcome = measure(metric, { ...points, scores: points.scores.map((v, t) => (t === 4 ? Number.NaN : v)) });
  } catch (error) {
    must(error instanceof Error && error.message !== '', `${metric.name} must refuse NaN with a sentence.`);
    return;
  }
  checkValue(metric, outcome, 'a score that is NaN');
}

function checkMean(metric: SeriesMetric, points: Points): void {
  const others = [points, somePoints(2), somePoints(3, 0)];
  const values = others.map((one) => measure(metric, one).value);
  const { each, mean } = measureSeries(others, [metric]);
  each.forEach((one, i) => {
    mustEqual(metric, { value: values[i] }, { value: one.values[metric.name] ?? null }, 'Another series beside it');
  });
  const numbers = values.filter((value) => value !== null);
  const wanted = numbers.length === 0 ? null : numbers.reduce((a, b) => a + b, 0) / numbers.length;
  mustEqual(
    metric,
    { value: wanted },
    { value: mean.values[metric.name] ?? null },
    'Taking the mean of several series',
  );
}

function checkOrdinal(metric: SeriesMetric, points: Points): void {
  for (const [what, change] of increasing) {
    const changed = { ...points, scores: points.scores.map(change), threshold: change(points.threshold!) };
    mustEqual(metric, measure(metric, points), measure(metric, changed), what);
  }
}
