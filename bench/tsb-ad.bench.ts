/**
 * Detectors of a whole series on the files of TSB-AD that can be had here, by the published protocol of unsupervised detectors:
 * the whole series is seen, VUS-PR with W = its window length. Per file our figures beside the published ones (Sub-PCA, MMPAD,
 * MatrixProfile, POLY, SR, KMeansAD, KShapeAD), then the means, the best single published detector on these files and the best of
 * our candidates for each file. Published means are of the same files. Nothing of the rule of `auto` was chosen on them
 * (`npm run bench -- series-choice`). Series of several channels are scored by MMPAD of several channels (k = 15, .7).
 * `npm run bench -- tsb-ad [--files 001,013] [--json] [--save]`. Needs the folders `tsb_ad`, `nab` below the data root.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { Rng } from '../src/core/random.ts';
import { tsbAd } from '../src/data/files/datasets/series/tsb-ad.ts';
import { dataRoot } from '../src/data/index.ts';
import { type Series, stepsOf } from '../src/data/series/series.ts';
import { windowLength } from '../src/data/series/window-length.ts';
import { meanOfWindows, windowsOf } from '../src/data/series/windows.ts';
import { vus } from '../src/metrics/index.ts';
import { type CandidateName, candidates, subPcaSteps } from '../src/models/parts/series/candidates.ts';
import { choose } from '../src/models/parts/series/choose.ts';
import { centreDistances, kMeans } from '../src/models/parts/series/kmeans-windows.ts';
import { fitShapes, shapeScores } from '../src/models/parts/series/kshape.ts';
import { matrixProfile, profileScores } from '../src/models/parts/series/matrix-profile.ts';
import { mmpadLength, mmpadScores } from '../src/models/parts/series/mmpad.ts';
import { normalised } from '../src/models/parts/series/window-neighbours.ts';
import { option, saveRows } from './measure.ts';

const single = ['001', '006', '008', '013', '016', '017', '018', '019', '023', '326', '346'];
const several = ['008-M', '169-M'];
const files = option('files') ? option('files')!.split(',') : [...single, ...several];
const root = dataRoot();

/** What runs on a series of one channel, and the column that its figure is published in. */
interface Detector {
  readonly name: string;
  readonly published?: string;
  score(values: Float64Array, period: number): Float64Array;
}

const detectors: readonly Detector[] = [
  { name: 'mmpad', published: 'MMPAD', score: candidates.mmpad.score },
  { name: 'sub-pca', score: candidates['sub-pca'].score },
  { name: 'sub-pca compat', published: 'Sub-PCA', score: (x, period) => subPcaSteps(x, period, 'compat') },
  {
    name: 'matrix-profile',
    published: 'MatrixProfile',
    score: (x, period) => profileScores(matrixProfile(x, period).distance, x.length),
  },
  { name: 'poly', published: 'POLY', score: candidates.poly.score },
  { name: 'spectral-residual', published: 'SR', score: candidates['spectral-residual'].score },
  { name: 'point', score: candidates.point.score },
  {
    name: 'kmeans-windows',
    published: 'KMeansAD',
    score(x) {
      const length = windowLength(x, 2);
      const rows = normalised(windowsOf(x, { length }), length, 'window');
      const scores = centreDistances(rows, length, kMeans(rows, length, 10, new Rng(1)));
      return meanOfWindows(scores, { steps: x.length, length, stride: 1 });
    },
  },
  { name: 'kshape', published: 'KShapeAD', score: (x, period) => shapeScores(fitShapes(x, period, 6, new Rng(1)), x) },
];

type Published = Readonly<Record<string, Readonly<Record<string, string>>>>;

async function published(name: string): Promise<Published> {
  const text = await readFile(join(root, 'tsb_ad', name), 'utf8');
  const lines = parse(text, { columns: true }) as Record<string, string>[];
  return Object.fromEntries(lines.map((line) => [line.file.replace(/\.csv$/, ''), line]));
}

/** Columns of the published tables that are no detectors. */
const about = /^(file|ts_len|anomaly_len|num_anomaly|avg_anomaly_len|anomaly_ratio|point_anomaly|seq_anomaly)$/;

const univariate = await published('published-univariate-vus-pr.csv');
const mmpadAlone = await published('published-mmpad-univariate.csv');
const multivariate = await published('published-multivariate-vus-pr.csv');

/** All published figures of a file by detector. */
function figuresOf(id: string, channels: number): Record<string, number> {
  const line = (channels === 1 ? univariate : multivariate)[id] ?? {};
  const cells = Object.entries(line).filter(([column]) => !about.test(column));
  const figures = Object.fromEntries(cells.map(([column, cell]) => [column, Number(cell)]));
  return channels === 1 && mmpadAlone[id] ? { ...figures, MMPAD: Number(mmpadAlone[id]['VUS-PR']) } : figures;
}

interface Row {
  file: string;
  detector: string;
  vusPr: number;
  published: number | '';
  seconds: number | '';
  remark: string;
}

const rows: Row[] = [];
const round = (value: number) => Number(value.toFixed(4));

function add(file: string, detector: string, vusPr: number, more: Partial<Row> = {}): void {
  const row = {
    file,
    detector,
    vusPr: round(vusPr),
    published: '' as const,
    seconds: '' as const,
    remark: '',
    ...more,
  };
  rows.push(row);
  if (option('json') === undefined) {
    const { published: theirs, seconds, remark } = row;
    const words = [`${seconds === '' ? '' : `${seconds} s`}`, theirs === '' ? '' : `published ${theirs}`, remark];
    console.log(
      `${file.padEnd(8)} ${detector.padEnd(44)} ${row.vusPr.toFixed(4)}  ${words.filter(Boolean).join(', ')}`,
    );
  }
}

/** Scores a series of one channel by all detectors and by the choice. */
function oneChannel(file: string, { id, values, labels }: Series): void {
  const period = windowLength(values);
  const figures = figuresOf(id, 1);
  const known = new Map<string, Float64Array>();
  for (const { name, published: column, score } of detectors) {
    const begin = performance.now();
    const scores = score(values, period);
    const seconds = Number(((performance.now() - begin) / 1000).toFixed(2));
    known.set(name, scores);
    const theirs = column === undefined || figures[column] === undefined ? '' : round(figures[column]);
    add(file, name, vus(scores, labels!, period)!.pr, { seconds, published: theirs });
  }
  const begin = performance.now();
  const { scores, reason } = choose(values, { period });
  const seconds = Number(((performance.now() - begin) / 1000).toFixed(2));
  add(file, 'auto', vus(scores, labels!, period)!.pr, { seconds, remark: reason });
  const scoresOf = (name: CandidateName) => known.get(name)!;
  const combined = choose(values, { period, scoresOf, combine: true });
  add(file, 'auto, all ranks combined', vus(combined.scores, labels!, period)!.pr);
}

function severalChannels(file: string, { id, channels, values, labels }: Series): void {
  const first = new Float64Array(values.length / channels.length).map((_, t) => values[t * channels.length]);
  const period = windowLength(first);
  const begin = performance.now();
  const scores = mmpadScores(values, { length: mmpadLength(period), neighbours: 15, channels: channels.length });
  const seconds = Number(((performance.now() - begin) / 1000).toFixed(2));
  const figures = Object.entries(figuresOf(id, channels.length)).sort(([, a], [, b]) => b - a);
  const [best, value] = figures[0];
  const remark = `${channels.length} channels; not part of the means; best published: ${best} ${value.toFixed(4)}`;
  add(file, 'mmpad of several channels', vus(scores, labels!, period)!.pr, { seconds, remark });
}

const ids: string[] = [];
for (const file of files) {
  const [series] = (await tsbAd.read(file, root)).series;
  if (series.channels.length > 1) severalChannels(file, series);
  else {
    ids.push(series.id);
    oneChannel(file, series);
  }
  console.error(`${file}: ${stepsOf(series)} steps, ${series.channels.length} channels`);
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const ofOne = rows.filter(({ file }) => !file.endsWith('-M'));
const byName = (name: string) => ofOne.filter(({ detector }) => detector === name);
const many = `mean of ${ids.length}`;
if (ids.length > 0) {
  for (const name of [...detectors.map((one) => one.name), 'auto', 'auto, all ranks combined']) {
    const own = byName(name);
    const theirs = own.map((row) => row.published).filter((value) => value !== '');
    add(many, name, mean(own.map(({ vusPr }) => vusPr)), {
      published: theirs.length === own.length ? round(mean(theirs)) : '',
      seconds: Number(own.reduce((sum, { seconds }) => sum + (seconds || 0), 0).toFixed(2)) || '',
    });
  }
  const auto = mean(byName('auto').map(({ vusPr }) => vusPr));
  const gap = (to: number) => `auto ${auto >= to ? 'is above' : 'is below'} by ${Math.abs(auto - to).toFixed(4)}`;
  const all = ids.map((id) => figuresOf(id, 1));
  const complete = Object.keys(all[0]).filter((name) => all.every((figures) => Number.isFinite(figures[name])));
  const [name, best] = complete
    .map((one) => [one, mean(all.map((figures) => figures[one]))] as const)
    .reduce((a, b) => (b[1] > a[1] ? b : a));
  add(many, `best single published detector: ${name}`, best, { published: round(best), remark: gap(best) });
  const oracle = (names: readonly string[]) =>
    mean(ids.map((_, i) => Math.max(...names.map((one) => byName(one)[i].vusPr))));
  for (const [words, names] of [
    ['best of the candidates of auto for each file', Object.keys(candidates)],
    ['best of all detectors here for each file', detectors.map((one) => one.name)],
  ] as const) {
    add(many, words, oracle(names), { remark: gap(oracle(names)) });
  }
}
if (option('json') !== undefined) console.log(JSON.stringify(rows));
await saveRows('tsb-ad', rows as unknown as Record<string, unknown>[]);
