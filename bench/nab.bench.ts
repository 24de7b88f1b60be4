/**
 * The score of the Numenta Anomaly Benchmark on the files of NAB that are here, in its three profiles, with two thresholds: the
 * one for all files that is best for their labels (as the benchmark publishes; an oracle), and for each file the highest score
 * in its probation part, which needs no label. The benchmark takes every step above a threshold that lies outside of a window for
 * a false alarm, so a score that stays high for long loses most of what it earns; beside that stands one alarm for each run of
 * such steps. The detectors that lead its table answer that with a likelihood (`likelihood.ts`): a run of high scores soon becomes
 * usual. Detectors of a stream see no later step; those that see windows around a step see half a window of later ones; `choose`
 * sees the whole series. Published scores (results/final_results.json) are of all 58 files and stand beside ours for orientation
 * only.
 * `npm run bench -- nab [--files nyc_taxi,…] [--json] [--save]`. Needs the folder `nab` below the data root.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../src/core/errors.ts';
import { Rng } from '../src/core/random.ts';
import { segmentsOf } from '../src/core/segments.ts';
import { nab } from '../src/data/files/datasets/series/nab.ts';
import { dataRoot, findProtocol } from '../src/data/index.ts';
import { regular } from '../src/data/series/regular.ts';
import { seriesSource } from '../src/data/series/source.ts';
import { windowLength } from '../src/data/series/window-length.ts';
import { lastStepScores } from '../src/data/series/windows.ts';
import { quickScores } from '../src/engine/judging/trial.ts';
import { chooseDetector } from '../src/engine/task/auto.ts';
import { type NabFile, nabBest, nabProbation, nabProfiles, nabScoreAt } from '../src/metrics/index.ts';
import { findModel } from '../src/models/index.ts';
import { choose } from '../src/models/parts/series/choose.ts';
import { leftMatrixProfile } from '../src/models/parts/series/matrix-profile.ts';
import { ranksOf } from '../src/models/parts/series/ranks.ts';
import { nodePlatform } from '../src/runs/platform.ts';
import { openRuntime } from '../src/runtime/index.ts';
import { type AnyStreamDetector, halfSpaceTrees, randomCutForest, windowedGaussian } from '../src/streaming/index.ts';
import { anomalyLikelihood } from './likelihood.ts';
import { option, saveRows } from './measure.ts';

interface Detector {
  readonly name: string;
  /** What it sees: `past` steps only, `half a window` of later ones, the `whole` series, or `nothing`. */
  readonly sees: 'past' | 'half a window' | 'whole' | 'nothing';
  /** Scores of steps `[T]` on a scale that files share. */
  score(values: Float64Array, probation: number, file: string): Float64Array | Promise<Float64Array>;
}

/** Steps of the moving z-score. */
const MOVING = 100;

/** A detector of streams with its defaults; 0 while it has no score. */
const streamed = (detector: AnyStreamDetector) => (values: Float64Array) => {
  const stream = detector.open(1, {}, 1);
  const point = new Float64Array(1);
  return values.map((value) => {
    point[0] = value;
    return stream.push(point)?.score ?? 0;
  });
};

const runtime = await openRuntime('cpu');

/** What `oddity train auto` does with the probation part, as a multiple of the highest score of the steps held out there. */
async function trained(values: Float64Array, probation: number, id: string): Promise<Float64Array> {
  const series = { id, channels: ['value'], values, train: probation };
  const loaded = await seriesSource({ name: id, title: id, licence: 'that of the data', series: [series] });
  const rng = new Rng(1);
  const split = findProtocol('prefix').split(loaded, { rng });
  const source = (await loaded.prepare?.(split.train, { onEvent: () => {} })) ?? loaded;
  const open = { runtime, platform: nodePlatform({}) };
  const task = { source, split, rng };
  const { model } = chooseDetector(task);
  const items = Uint32Array.from(source.items.keys());
  const zeros = new Float32Array(items.length);
  // A probation part that is constant trains nothing.
  const { scores } = await quickScores(findModel(model), { task }, { source, items }, open).catch((error: unknown) => {
    if (error instanceof DataError) return { scores: zeros };
    throw error;
  });
  const highest = split.validation.reduce((most, step) => Math.max(most, scores[step]), 0) || 1;
  const held = new Set(split.validation);
  // Steps that were fitted to say nothing of the threshold.
  return Float64Array.from(scores, (score, t) => (t < probation && !held.has(t) ? 0 : score / highest));
}

const likely =
  (score: (values: Float64Array) => Float64Array) =>
  (values: Float64Array): Float64Array =>
    anomalyLikelihood(score(values));

const detectors: readonly Detector[] = [
  {
    name: 'random',
    sees: 'nothing',
    score: (values, _, file) => Float64Array.from(new Rng(1).split(file).uniforms(values.length)),
  },
  { name: `moving z-score of ${MOVING} steps`, sees: 'past', score: (values) => movingZ(values, MOVING) },
  {
    name: 'left matrix profile',
    sees: 'past',
    // The window length is that of the probation part; the longest distance is 2 √L.
    score(values, probation) {
      const length = windowLength(values.subarray(0, probation));
      const { distance, index } = leftMatrixProfile(values, length);
      const scores = distance.map((d, i) => (index[i] < 0 ? 0 : d / (2 * Math.sqrt(length))));
      return lastStepScores(scores, { steps: values.length, length, stride: 1 });
    },
  },
  { name: 'windowed Gaussian', sees: 'past', score: streamed(windowedGaussian) },
  { name: 'half-space trees', sees: 'past', score: streamed(halfSpaceTrees) },
  { name: 'random cut forest', sees: 'past', score: streamed(randomCutForest) },
  { name: 'half-space trees, as likelihood', sees: 'past', score: likely(streamed(halfSpaceTrees)) },
  { name: 'random cut forest, as likelihood', sees: 'past', score: likely(streamed(randomCutForest)) },
  { name: 'auto, fitted to the probation part', sees: 'half a window', score: trained },
  { name: 'choose, ranked in each file', sees: 'whole', score: (values) => ranksOf(choose(values).scores) },
];

/** The distance of a step from the mean of the `length` steps before it, in their standard deviations; 0 for the first ones. */
function movingZ(values: Float64Array, length: number): Float64Array {
  return values.map((value, t) => {
    if (t < length) return 0;
    let [mean, squares] = [0, 0];
    for (let k = t - length; k < t; k++) mean += values[k] / length;
    for (let k = t - length; k < t; k++) squares += (values[k] - mean) ** 2 / length;
    const distance = Math.abs(value - mean);
    return squares > 0 ? distance / Math.sqrt(squares) : distance > 0 ? Number.MAX_VALUE : 0;
  });
}

/** Alarms `[T]` above the highest score of the first steps, at every such step or at the first of each run of them. */
function aboveProbation({ scores, probation }: NabFile, once: boolean): Float64Array {
  const first = Float64Array.from({ length: probation }, (_, t) => scores[t]);
  const highest = first.reduce((a, b) => Math.max(a, b));
  return Float64Array.from(scores, (score, t) => Number(score > highest && !(once && scores[t - 1] > highest)));
}

/** Thresholds that are tried for alarms at the first step of a run. */
const TRIED = 80;

/** The best score for all files in each profile with an alarm at the first step of each run above a threshold, of some. */
function bestOnce(scored: readonly NabFile[]) {
  const all = Float64Array.from(scored.flatMap(({ scores }) => Array.from(scores))).sort();
  const high = all.subarray(Math.floor(0.8 * all.length));
  const tried = new Set(Array.from({ length: TRIED }, (_, k) => high[Math.floor(((k + 0.5) * high.length) / TRIED)]));
  const best: Record<string, number> = Object.fromEntries(profiles.map((profile) => [profile, 0])); // no alarm at all
  for (const threshold of tried) {
    const alarms = scored.map((file) => {
      const scores = new Float64Array(file.scores.length);
      for (let t = 0; t < scores.length; t++)
        if (file.scores[t] >= threshold && !(t > 0 && file.scores[t - 1] >= threshold)) scores[t] = 1;
      return { ...file, scores };
    });
    for (const profile of profiles)
      best[profile] = Math.max(best[profile], nabScoreAt(alarms, 1, profile).normalised ?? 0);
  }
  return Object.fromEntries(profiles.map((profile) => [profile, round(best[profile])]));
}

const root = dataRoot();
const names = option('files') ? option('files')!.split(',') : nab.categoriesAt(root);
const files = await Promise.all(
  names.map(async (name) => {
    const { times: _, ...series } = (await nab.read(name, root)).series[0];
    const { values } = regular(series).series;
    const windows = segmentsOf(series.labels!);
    return { name, values, windows, probation: nabProbation(values.length) };
  }),
);
const published = JSON.parse(await readFile(join(root, 'nab', 'results', 'final_results.json'), 'utf8'));
const inFile = { standard: 'standard', lowFp: 'reward_low_FP_rate', lowFn: 'reward_low_FN_rate' } as const;
const profiles = Object.keys(nabProfiles) as (keyof typeof nabProfiles)[];
const round = (value: number | null) => (value === null ? '' : Number(value.toFixed(2)));

/** The score in each profile, at a threshold or at the best one. */
const profileScores = (scored: readonly NabFile[], threshold?: number) =>
  Object.fromEntries(
    profiles.map((profile) => {
      const score = threshold === undefined ? nabBest(scored, profile) : nabScoreAt(scored, threshold, profile);
      return [profile, round(score.normalised)];
    }),
  );

const rows: Record<string, unknown>[] = [];
for (const { name, sees, score } of detectors) {
  const begin = performance.now();
  const scored: NabFile[] = [];
  for (const file of files) scored.push({ ...file, scores: await score(file.values, file.probation, file.name) });
  const seconds = Number(((performance.now() - begin) / 1000).toFixed(1));
  const common = { detector: name, sees, files: files.length };
  rows.push({ ...common, threshold: 'best for all files (oracle)', ...profileScores(scored), seconds });
  rows.push({
    ...common,
    threshold: 'best for all files (oracle), an alarm for each run of steps above it',
    ...bestOnce(scored),
  });
  for (const once of [false, true]) {
    const alarms = scored.map((file) => ({ ...file, scores: aboveProbation(file, once) }));
    const threshold = `highest score of the probation part${once ? ', an alarm for each run of steps above it' : ''}`;
    rows.push({ ...common, threshold, ...profileScores(alarms, 1), seconds: '' });
  }
  console.error(`${name}: ${seconds} s`);
}
await runtime.close();
for (const [detector, scores] of Object.entries(published as Record<string, Record<string, number>>)) {
  const theirs = profiles.map((profile) => [profile, round(scores[inFile[profile]])]);
  rows.push({ detector, sees: 'past', files: 58, threshold: 'published, all 58 files', ...Object.fromEntries(theirs) });
}
if (option('json') === undefined) console.table(rows);
else console.log(JSON.stringify(rows));
await saveRows('nab', rows);
