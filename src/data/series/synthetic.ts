/**
 * A made-up series for tests and first steps: two channels that go round and round, and in the second half anomalies of four
 * kinds. Results on it say that a pipeline works, never how good a model is.
 */
import { Rng } from '../../core/random.ts';
import type { Series } from './series.ts';
import type { SeriesSourceOptions } from './source.ts';

const STEPS = 1600;
/** Steps of a round. */
const PERIOD = 25;

/** A minute a step, 1,600 steps. Anomalies: a spike, a shift of level, a round left out, rounds that go twice as fast. */
export function syntheticSeries(): SeriesSourceOptions {
  const rng = new Rng(0).split('synthetic-series');
  const noise = rng.normals(2 * STEPS, 0, 0.05);
  const labels = new Uint8Array(STEPS);
  const values = new Float64Array(2 * STEPS);
  const change = (from: number, count: number, f: (value: number, t: number) => number) => {
    labels.fill(1, from, from + count);
    for (let t = from; t < from + count; t++) values[2 * t] = f(values[2 * t], t);
  };
  for (let t = 0; t < STEPS; t++) {
    const phase = (2 * Math.PI * t) / PERIOD;
    values[2 * t] = 20 + 3 * Math.sin(phase) + 3 * noise[2 * t];
    values[2 * t + 1] = 5 + Math.cos(phase) + 0.3 * Math.sin(2 * phase) + noise[2 * t + 1];
  }
  change(900, 3, (value) => value + 6);
  change(1050, 30, (value) => value + 2.5);
  change(1220, PERIOD, (_, t) => 20 + 3 * noise[2 * t]);
  change(1400, 2 * PERIOD, (_, t) => 20 + 3 * Math.sin((4 * Math.PI * t) / PERIOD) + 3 * noise[2 * t]);
  const series: Series = {
    id: 'synthetic-series',
    channels: ['temperature', 'pressure'],
    values,
    times: Float64Array.from({ length: STEPS }, (_, t) => Date.UTC(2026, 0, 1) + 60_000 * t),
    labels,
    train: 800,
  };
  return {
    name: 'synthetic-series',
    title: 'Synthetic series (made up)',
    licence: 'none needed: generated',
    series: [series],
  };
}
