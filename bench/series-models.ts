/**
 * What the benches of series sets share: each series by its own protocol (its first part, or its series for training, trains; the
 * rest is judged), baselines first, then detectors that fit in seconds, then `auto`, which chooses between `knn` and `sub-pca` from the training
 * part. Means are over the series. Point-adjusted F1 stands beside that of a random score and says nothing alone.
 * Options: `[--files a,b] [--json] [--save]`.
 */
import { Rng } from '../src/core/random.ts';
import { seriesDatasets } from '../src/data/files/datasets/series/index.ts';
import { dataRoot, findDataset, findProtocol } from '../src/data/index.ts';
import { judgeSteps } from '../src/engine/judging/judge-steps.ts';
import { quickScores } from '../src/engine/judging/trial.ts';
import { chooseDetector } from '../src/engine/task/auto.ts';
import { takes } from '../src/engine/task/suitable.ts';
import type { Task } from '../src/engine/task/task.ts';
import { withOwnMetrics } from '../src/metrics/index.ts';
import { findModel, models } from '../src/models/index.ts';
import { nodePlatform } from '../src/runs/platform.ts';
import { openRuntime } from '../src/runtime/index.ts';
import { option, saveRows } from './measure.ts';

const figures = ['vusPr', 'vusRoc', 'ap', 'auroc', 'eventF1Max', 'paF1Max', 'paF1MaxRandom'] as const;
type Figures = Record<(typeof figures)[number], number | null>;

const baselines = models
  .filter((model) => model.learning === 'baseline' && takes(model, 'series'))
  .map(({ name }) => name);
/** What fits in seconds: those that `auto` chooses between, and others. */
const candidates = ['knn', 'sub-pca'];
const others = ['matrix-profile', 'poly', 'spectral-residual'];

interface Row extends Partial<Figures> {
  readonly series: string;
  readonly steps: number | '';
  readonly channels: number | '';
  readonly window: number | '';
  readonly detector: string;
  readonly seconds: number;
  readonly remark: string;
}

const round = (value: number | null | undefined, digits = 4) =>
  value === null || value === undefined ? null : Number(value.toFixed(digits));

/** Loads `set/category` and splits it; channels are scaled by the training part. */
async function taskOf(set: string, category: string): Promise<Task> {
  const begin = performance.now();
  const loaded = await findDataset(`${set}:${category}`).load({ root: dataRoot(), download: false });
  const rng = new Rng(1);
  const split = findProtocol('prefix').split(loaded, { rng });
  const source = (await loaded.prepare?.(split.train, { onEvent: () => {} })) ?? loaded;
  const seconds = (performance.now() - begin) / 1000;
  return { source, split, splitHash: '', class: 'normal', rng, seconds };
}

/** Runs the bench of a set by name: the rows of its series and their means, printed, and kept with `--save`. */
export async function benchSeries(set: string): Promise<void> {
  const asked = option('files');
  const names = asked ? asked.split(',') : seriesDatasets.find(({ name }) => name === set)!.categoriesAt(dataRoot());
  const runtime = await openRuntime('cpu');
  const platform = nodePlatform({});
  const rows: Row[] = [];
  const chosen = new Map<string, number>();
  try {
    for (const name of names) {
      const task = await taskOf(set, name);
      const { source, split } = task;
      if (!split.testLabels.includes(1)) continue;
      const [window, channels] = source.shape;
      const about = { series: name, steps: split.test.length, channels: channels as number, window };
      const open = { runtime, platform };
      const done = new Map<string, Row>();
      for (const detector of [...baselines, ...candidates, ...others]) {
        const begin = performance.now();
        try {
          const jury = { source, items: split.test };
          const { scores } = await quickScores(findModel(detector), { task }, jury, open);
          const seconds = round((performance.now() - begin) / 1000, 2)!;
          const given = { scores, labels: split.testLabels };
          const { values } = judgeSteps(task, given, withOwnMetrics())!;
          const found = Object.fromEntries(figures.map((figure) => [figure, round(values[figure])])) as Figures;
          done.set(detector, { ...about, detector, ...found, seconds, remark: '' });
        } catch (error) {
          done.set(detector, { ...about, detector, seconds: 0, remark: (error as Error).message });
        }
      }
      const begin = performance.now();
      const { model, reason } = chooseDetector(task);
      const seconds = round((performance.now() - begin) / 1000, 2)!;
      chosen.set(model, (chosen.get(model) ?? 0) + 1);
      const auto = { ...done.get(model)!, detector: 'auto', seconds, remark: reason };
      const known = [...candidates, ...others].map((one) => done.get(one)!).filter(({ vusPr }) => vusPr !== undefined);
      const best = known.reduce((a, b) => (b.vusPr! > a.vusPr! ? b : a));
      const oracle = {
        ...best,
        detector: 'best of these detectors for each series (oracle)',
        seconds: 0,
        remark: best.detector,
      };
      rows.push(...done.values(), auto, oracle);
      console.error(
        `${name}: auto ${auto.vusPr} (${model}), best ${best.vusPr} (${best.detector}), ${seconds} s to choose`,
      );
    }
  } finally {
    await runtime.close();
  }
  const all = meansOf(rows, [...chosen].map(([model, count]) => `${model} ${count}`).join(', '));
  if (option('json') === undefined) console.table(all.map(({ remark: _, ...row }) => row));
  else console.log(JSON.stringify([...all, ...rows]));
  await saveRows(set, [...all, ...rows] as unknown as Record<string, unknown>[]);
}

/** The mean of each detector over the series that it could score. */
function meansOf(rows: readonly Row[], chosen: string): Row[] {
  const count = new Set(rows.map(({ series }) => series)).size;
  return [...new Set(rows.map(({ detector }) => detector))].map((detector) => {
    const own = rows.filter((row) => row.detector === detector && row.vusPr !== undefined);
    const mean = (figure: (typeof figures)[number]) =>
      own.length === 0 ? null : round(own.reduce((sum, row) => sum + (row[figure] ?? 0), 0) / own.length);
    const absent = own.length < count ? `${count - own.length} series could not be scored` : '';
    return {
      ...{ series: `mean of ${own.length}`, steps: '' as const, channels: '' as const, window: '' as const, detector },
      ...(Object.fromEntries(figures.map((figure) => [figure, mean(figure)])) as Figures),
      seconds: round(
        own.reduce((sum, { seconds }) => sum + seconds, 0),
        1,
      )!,
      remark: detector === 'auto' ? `chose ${chosen}` : absent,
    };
  });
}
