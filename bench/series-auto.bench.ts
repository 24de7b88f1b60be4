/**
 * How the rule of `src/engine/task/auto.ts` was found: mean VUS-PR (W = the window of each series) of detectors that are fitted to
 * the first half of a series and judged on the rest, of the rule and its neighbours, and of the better of the two that it
 * chooses between. Generated series, and anomalies planted into SKAB's normal file and the training parts of SMD, every fifth of
 * each seed. Seeds 1 and 2 are those that the rule was chosen on; 3 is new. No series of NAB, UCR or TSB-AD takes part.
 * `npm run bench -- series-auto [--seeds 1,2,3] [--json] [--save]`. Needs the folders `skab` and `smd` below the data root.
 */
import { generatedSeries } from '../src/bench/series/generated.ts';
import { plantedSeries } from '../src/bench/series/planted.ts';
import { Rng } from '../src/core/random.ts';
import { dataRoot, findProtocol } from '../src/data/index.ts';
import { seriesSource } from '../src/data/series/source.ts';
import { quickScores } from '../src/engine/judging/trial.ts';
import { chooseDetector, riseOf } from '../src/engine/task/auto.ts';
import { vus } from '../src/metrics/index.ts';
import { findModel } from '../src/models/index.ts';
import { nodePlatform } from '../src/runs/platform.ts';
import { openRuntime } from '../src/runtime/index.ts';
import { option, saveRows } from './measure.ts';

const SHARE = 0.5;
const EVERY = 5;
const names = [
  'knn',
  'sub-pca',
  'matrix-profile',
  'pca',
  'isolation-forest',
  'poly',
  'spectral-residual',
  'mean-image',
];
const limits = [0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6];

const runtime = await openRuntime('cpu');
const open = { runtime, platform: nodePlatform({}) };

/** VUS-PR of the later half of one series by every detector and rule. */
async function judged(id: string, values: Float64Array, labels: Uint8Array): Promise<Record<string, number>> {
  const train = Math.floor(SHARE * values.length);
  const series = { id, channels: ['value'], values, labels, train };
  const loaded = await seriesSource({ name: id, title: id, licence: 'none needed', series: [series] });
  const rng = new Rng(1);
  const split = findProtocol('prefix').split(loaded, { rng });
  const source = (await loaded.prepare?.(split.train, { onEvent: () => {} })) ?? loaded;
  const { window } = source.series!;
  const alone: Record<string, number> = {};
  for (const name of names) {
    try {
      const jury = { source, items: split.test };
      const { scores } = await quickScores(findModel(name), { task: { source, split, rng } }, jury, open);
      alone[name] = vus(scores, split.testLabels, window)!.pr;
    } catch {
      alone[name] = 0; // a window that is too short for it
    }
  }
  const rise = riseOf(values.subarray(split.train[0], split.train.at(-1)! + 1), window) ?? 0;
  const rules = limits.map((limit) => [
    `rise above ${limit}: knn, else sub-pca`,
    alone[rise > limit ? 'knn' : 'sub-pca'],
  ]);
  return {
    ...alone,
    ...Object.fromEntries(rules),
    'auto (the rule)': alone[chooseDetector({ source, split }).model],
    'better of knn and sub-pca for each series': Math.max(alone.knn, alone['sub-pca']),
    'best of all for each series': Math.max(...Object.values(alone)),
  };
}

const seeds = (option('seeds') || '1,2,3').split(',').map(Number);
const rows: Record<string, unknown>[] = [];
for (const seed of seeds) {
  const whole = [...generatedSeries(seed, SHARE), ...(await plantedSeries(dataRoot(), seed, SHARE))];
  const all = whole.filter((_, i) => i % EVERY === 0);
  const results: Record<string, number>[] = [];
  for (const [i, { id, values, labels }] of all.entries()) {
    if (i % 10 === 0) console.error(`seed ${seed}: series ${i + 1} of ${all.length}`);
    results.push(await judged(id, values, labels));
  }
  const mean = (rule: string, take: (family: string) => boolean) => {
    const chosen = results.filter((_, i) => take(all[i].family)).map((result) => result[rule]);
    return Number((chosen.reduce((a, b) => a + b, 0) / chosen.length).toFixed(4));
  };
  const isPlanted = (family: string) => family === 'skab' || family === 'smd';
  for (const rule of Object.keys(results[0])) {
    rows.push({
      ...{ rule, seed, seenWhenChosen: seed <= 2 ? 'yes' : 'no', series: all.length, all: mean(rule, () => true) },
      generated: mean(rule, (family) => !isPlanted(family)),
      skab: mean(rule, (family) => family === 'skab'),
      smd: mean(rule, (family) => family === 'smd'),
    });
  }
}
await runtime.close();
if (option('json') === undefined) console.table(rows);
else console.log(JSON.stringify(rows));
await saveRows('series-auto', rows);
