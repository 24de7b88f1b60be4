/**
 * Times of detectors of whole series, each beside the bar that was promised: profiles by pairs of windows a second on one core, the
 * k-th neighbour, principal components over a million steps, and the training of a forecaster.
 * `npm run bench -- series-speed [--json] [--save]`.
 */
import { Rng } from '../src/core/random.ts';
import { seriesSource } from '../src/data/index.ts';
import { matrixProfile, profilePairs } from '../src/models/parts/series/matrix-profile.ts';
import { mmpadLength, mmpadScores } from '../src/models/parts/series/mmpad.ts';
import { fit } from '../src/runs/fit.ts';
import { option, saveRows } from './measure.ts';

const WINDOW = 100;

/** A wave with noise, `[steps, channels]`. */
function wave(steps: number, channels = 1): Float64Array {
  return new Rng(1).normals(steps * channels, 0, 0.1).reduce(
    (all, noise, i) => {
      all[i] = Math.sin(Math.floor(i / channels) / (20 + (i % channels))) + noise;
      return all;
    },
    new Float64Array(steps * channels),
  );
}

const named = (channels: number) => Array.from({ length: channels }, (_, c) => `channel ${c + 1}`);

/** Steps that all train, but a tenth. */
const sourceOf = (steps: number, channels: number) =>
  seriesSource({
    name: 'wave',
    title: 'Wave with noise',
    licence: 'made here',
    series: [{ id: 'wave', channels: named(channels), values: wave(steps, channels), train: Math.round(0.9 * steps) }],
    window: WINDOW,
  });

async function secondsOf(work: () => unknown): Promise<number> {
  const begin = performance.now();
  await work();
  return (performance.now() - begin) / 1000;
}

type Row = {
  readonly name: string;
  readonly seconds: number;
  readonly pairsPerSecond: number | null;
  readonly bar: string;
  readonly peakMiB: number;
};
const rows: Row[] = [];
const add = (name: string, bar: string, seconds: number, pairs?: number) => {
  const peakMiB = Math.round(process.resourceUsage().maxRSS / 1024);
  const row = {
    name,
    seconds: Number(seconds.toFixed(2)),
    pairsPerSecond: pairs === undefined ? null : Math.round(pairs / seconds),
    bar,
    peakMiB,
  };
  rows.push(row);
  console.error(JSON.stringify(row));
};

for (const [steps, bar] of [
  [20_000, '400,000,000 pairs a second on one core'],
  [100_000, '8 s on two cores'],
] as const) {
  const values = wave(steps);
  matrixProfile(values.subarray(0, 5000), WINDOW);
  const seconds = await secondsOf(() => matrixProfile(values, WINDOW));
  add(`matrix profile of ${steps} points, window ${WINDOW}, one core`, bar, seconds, profilePairs(steps, WINDOW));
}
{
  const values = wave(10_000);
  add(
    'MMPAD of 10,000 points, one core',
    '3 s',
    await secondsOf(() => mmpadScores(values, { length: mmpadLength(WINDOW), neighbours: 5 })),
  );
}
{
  await using detector = await fit('sub-pca', await sourceOf(20_000, 8));
  const values = wave(1_000_000, 8);
  const seconds = await secondsOf(() => detector.scoreSeries({ id: 'wave', channels: named(8), values }));
  add('sub-pca scores 1,000,000 steps of 8 channels, window 100', '10 s, 1 GiB', seconds);
}
{
  const source = await sourceOf(100_000, 1);
  const seconds = await secondsOf(async () => (await fit('cnn-forecaster', source)).close());
  add('cnn-forecaster trains on 100,000 steps', '60 s', seconds);
}
console.log(
  option('json') === undefined ? rows.map((row) => JSON.stringify(row)).join('\n') : JSON.stringify({ rows }),
);
await saveRows('series-speed', rows);
