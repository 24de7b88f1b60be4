/** What a metric of time series promises. */
import { Rng } from '../core/random.ts';
import type { ItemInputs, SeriesMetric } from '../metrics/index.ts';
import { type Check, checkValue, increasing, must, mustEqual, type Outcome } from './promises.ts';

/** 120 points with two anomalous segments. */
function somePoints(seed: number): { scores: Float64Array; labels: Uint8Array } {
  const rng = new Rng(seed);
  const labels = Uint8Array.from({ length: 120 }, (_, t) => ((t > 30 && t < 42) || (t > 80 && t < 87) ? 1 : 0));
  return { labels, scores: Float64Array.from(labels, (y) => (rng.int(48) + 16 * y) / 64) };
}

function measure(metric: SeriesMetric, points: ItemInputs): Outcome {
  const found = metric.compute(points);
  return typeof found === 'number' ? { value: found } : { value: null, reason: found.reason };
}

/** The checks of a metric of series. */
export function seriesChecks(metric: SeriesMetric): Check[] {
  const points = somePoints(1);
  return [
    {
      name: 'values lie in its range',
      run() {
        for (let seed = 1; seed <= 10; seed++) checkValue(metric, measure(metric, somePoints(seed)), 'a series');
      },
    },
    {
      name: 'what it is given stays as it is, and the same gives the same',
      run() {
        const asText = () => JSON.stringify([[...points.scores], [...points.labels]]);
        const before = asText();
        const { value } = measure(metric, points);
        must(asText() === before, `${metric.name} must not change the scores or labels that it is given.`);
        must(value === measure(metric, points).value, `${metric.name} must give the same value for the same points.`);
      },
    },
    {
      name: 'a series without anomalies gives a value in the range or null and why',
      run: () =>
        checkValue(metric, measure(metric, { ...points, labels: new Uint8Array(120) }), 'a series without anomalies'),
    },
    ...(metric.isOrdinal
      ? [
          {
            name: 'strictly increasing maps of the scores change nothing',
            run() {
              for (const [what, change] of increasing)
                mustEqual(
                  metric,
                  measure(metric, points),
                  measure(metric, { ...points, scores: points.scores.map(change) }),
                  what,
                );
            },
          },
        ]
      : []),
  ];
}
