/**
 * Points a second of the detectors that learn step by step, of thresholds, and of whole streams, on a noisy wave; each row beside
 * the rate that was promised, where there is one. Seconds of the processor count: on a machine with other work they are the
 * steadier figure. `npm run bench -- streaming [--json] [--rounds n] [--save]`.
 */
import { Rng } from '../src/core/random.ts';
import {
  dspot,
  halfSpaceTrees,
  leftProfile,
  openStream,
  pageHinkley,
  randomCutForest,
  rollingQuantile,
  spot,
  windowedGaussian,
} from '../src/streaming/index.ts';
import { median, option, saveRows } from './measure.ts';

const rounds = Number(option('rounds') || 5);

/** A wave with noise, `[steps, channels]`. */
function wave(steps: number, channels: number): Float64Array {
  const noise = new Rng(1).normals(steps * channels);
  return Float64Array.from(
    noise,
    (value, i) => Math.sin(Math.floor(i / channels) / (20 + (i % channels))) + 0.1 * value,
  );
}

interface Case {
  readonly name: string;
  readonly points: number;
  readonly channels?: number;
  /** Points a second that were promised. */
  readonly bar?: number;
  readonly open: () => { push(point: Float64Array): unknown };
}

/** A threshold on the values themselves. */
const onValues = (threshold: { push(score: number): unknown }) => ({
  push: (point: Float64Array) => threshold.push(point[0]),
});

const cases: readonly Case[] = [
  { name: 'half-space-trees', points: 400_000, bar: 200_000, open: () => halfSpaceTrees.open(1) },
  { name: 'half-space-trees, 8 channels', points: 200_000, channels: 8, open: () => halfSpaceTrees.open(8) },
  {
    name: 'random-cut-forest, 50 trees, shingle 1',
    points: 60_000,
    bar: 20_000,
    open: () => randomCutForest.open(1, { shingle: 1 }),
  },
  { name: 'random-cut-forest, 50 trees, shingle 4', points: 60_000, bar: 20_000, open: () => randomCutForest.open(1) },
  {
    name: 'random-cut-forest, 50 trees, shingle 8',
    points: 40_000,
    open: () => randomCutForest.open(1, { shingle: 8 }),
  },
  {
    name: 'random-cut-forest, 100 trees, shingle 4',
    points: 30_000,
    open: () => randomCutForest.open(1, { trees: 100 }),
  },
  {
    name: 'left-profile, window 100, history 10,000',
    points: 30_000,
    open: () => leftProfile.open(1, { length: 100 }),
  },
  { name: 'page-hinkley', points: 400_000, open: () => pageHinkley.open(1) },
  { name: 'windowed-gaussian', points: 400_000, open: () => windowedGaussian.open(1) },
  { name: 'spot', points: 200_000, open: () => onValues(spot.open()) },
  { name: 'dspot', points: 200_000, open: () => onValues(dspot.open()) },
  { name: 'rolling-quantile', points: 400_000, open: () => onValues(rollingQuantile.open()) },
  {
    name: 'stream of half-space-trees and rolling-quantile',
    points: 200_000,
    open: () => openStream({ detector: halfSpaceTrees.open(1), threshold: rollingQuantile.open(), channels: ['wave'] }),
  },
];

/** Points a second of one pass, by the processor. */
function rateOf({ points, channels = 1, open }: Case, values: Float64Array): number {
  const stream = open();
  const point = new Float64Array(channels);
  const before = process.cpuUsage();
  for (let t = 0; t < points; t++) {
    for (let c = 0; c < channels; c++) point[c] = values[t * channels + c];
    stream.push(point);
  }
  const { user, system } = process.cpuUsage(before);
  return (1e6 * points) / (user + system);
}

const rows = cases.map((one) => {
  const values = wave(one.points, one.channels ?? 1);
  rateOf(one, values);
  const rate = median(Array.from({ length: rounds }, () => rateOf(one, values)));
  return {
    name: one.name,
    pointsPerSecond: Math.round(rate),
    bar: one.bar ?? null,
    ratioToBar: one.bar ? Number((rate / one.bar).toFixed(2)) : null,
  };
});
console.log(
  option('json') === undefined ? rows.map((row) => JSON.stringify(row)).join('\n') : JSON.stringify({ rounds, rows }),
);
await saveRows('streaming', rows);
