/**
 * How the rule of `src/models/parts/series/choose.ts` was found: mean VUS-PR (W = the window length of each series) of each
 * detector alone, of the rules that were tried and of the best detector of each series, on generated series and on anomalies
 * planted into SKAB's normal file and the training parts of SMD. Seeds 1 and 2 are those that the rule was chosen on; 3 is new.
 * No series of NAB, UCR or TSB-AD takes part.
 * `npm run bench -- series-choice [--seeds 1,2,3] [--json] [--save]`. Needs the folders `skab` and `smd` below the data root.
 */
import { generatedSeries } from '../src/bench/series/generated.ts';
import { plantedSeries } from '../src/bench/series/planted.ts';
import { dataRoot } from '../src/data/index.ts';
import { windowLength } from '../src/data/series/window-length.ts';
import { vus } from '../src/metrics/index.ts';
import { type CandidateName, candidates } from '../src/models/parts/series/candidates.ts';
import { choiceLimits, choose, peakHeight, robustPeak } from '../src/models/parts/series/choose.ts';
import { matrixProfile, profileScores } from '../src/models/parts/series/matrix-profile.ts';
import { meanRanks } from '../src/models/parts/series/ranks.ts';
import { option, saveRows } from './measure.ts';

const names = Object.keys(candidates) as CandidateName[];
const never = Number.POSITIVE_INFINITY;
/** Other limits that were tried, beside those of the rule. */
const limits = [
  { shape: 4, points: never, peak: 0 },
  { shape: 5, points: never, peak: 0 },
  { shape: 5, points: 50, peak: 0 },
  { shape: 5, points: never, peak: 3.25 },
  ...[3, 3.5, 4, 4.5, 6, 8].map((shape) => ({ ...choiceLimits, shape })),
  ...[20, 30, 40, 80, 120].map((points) => ({ ...choiceLimits, points })),
  ...[2.5, 2.75, 3, 3.5, 4].map((peak) => ({ ...choiceLimits, peak })),
];

/** VUS-PR of one series by every rule. */
function judged(values: Float64Array, labels: Uint8Array): Record<string, number> {
  const period = windowLength(values);
  const known = new Map(names.map((name) => [name, candidates[name].score(values, period)]));
  const scoresOf = (name: CandidateName) => known.get(name)!;
  const of = (scores: Float64Array) => vus(scores, labels, period)!.pr;
  const alone = Object.fromEntries(names.map((name) => [name, of(scoresOf(name))])) as Record<CandidateName, number>;
  const profile = of(profileScores(matrixProfile(values, period).distance, values.length));
  const larger = (figure: (scores: Float64Array) => number) =>
    figure(scoresOf('mmpad')) > figure(scoresOf('sub-pca')) ? alone.mmpad : alone['sub-pca'];
  const tried = limits.map((one) => {
    const { shape, points, peak } = one;
    const words = `shape ${shape}${points === never ? '' : `, points ${points}`}${peak === 0 ? '' : `, peak ${peak}`}`;
    return [words, of(choose(values, { period, scoresOf, limits: one }).scores)];
  });
  return {
    ...alone,
    'matrix profile': profile,
    'larger robust peak of MMPAD and Sub-PCA': larger(robustPeak),
    'larger peak of MMPAD and Sub-PCA': larger(peakHeight),
    'mean rank of MMPAD and Sub-PCA': of(meanRanks(scoresOf('mmpad'), scoresOf('sub-pca'))),
    'mean rank of all': of(choose(values, { period, scoresOf, combine: true }).scores),
    ...Object.fromEntries(tried),
    'auto (the rule)': of(choose(values, { period, scoresOf }).scores),
    'best of MMPAD and Sub-PCA for each series': Math.max(alone.mmpad, alone['sub-pca']),
    'best of all for each series': Math.max(...names.map((name) => alone[name])),
  };
}

const seeds = (option('seeds') || '1,2,3').split(',').map(Number);
const rows: Record<string, unknown>[] = [];
for (const seed of seeds) {
  const all = [...generatedSeries(seed), ...(await plantedSeries(dataRoot(), seed))];
  const results = all.map(({ values, labels }, i) => {
    if (i % 50 === 0) console.error(`seed ${seed}: series ${i + 1} of ${all.length}`);
    return judged(values, labels);
  });
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
if (option('json') === undefined) console.table(rows);
else console.log(JSON.stringify(rows));
await saveRows('series-choice', rows);
