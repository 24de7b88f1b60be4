/** Metrics of a user's own stand in reports, tables, pages, lists and comparisons without any other change. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareRuns, type RunReport, test as testRun, train } from '../../dist/index.js';
import { defineMetric, type MapInput, readMetric } from '../../dist/metrics/index.js';
import { checkMetric } from '../../dist/testing/check-metric.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const cwd = mkdtempSync(join(tmpdir(), 'oddity-own-metrics-'));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));
const oddity = (...args: string[]) =>
  spawnSync(process.execPath, [main, ...args], { cwd, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } })
    .stdout;

const youden = defineMetric({
  name: 'youden',
  level: 'item',
  title: 'Youden’s J',
  meaning: 'the largest difference of recall and false-positive rate over all thresholds',
  range: [0, 1],
  better: 'higher',
  isOrdinal: true,
  interval: true,
  needs: ['both-labels'],
  compute: ({ ranks }) =>
    ranks.truePositives.reduce(
      (best, hits, k) => Math.max(best, hits / ranks.positives - ranks.falsePositives[k] / ranks.negatives),
      0,
    ),
});

/** Whether the warmest pixel of an anomalous image lies on its defect. */
const pointing = defineMetric({
  name: 'pointing',
  level: 'map',
  title: 'pointing game',
  meaning: 'share of the anomalous images whose warmest pixel lies on the defect',
  range: [0, 1],
  better: 'higher',
  isOrdinal: true,
  accumulator() {
    let [hits, images] = [0, 0];
    return {
      add({ map, mask, counted }: MapInput) {
        if (mask.every((v) => v === 0)) return;
        const considered = map.map((v, i) => (mask[i] === 0 && counted?.[i] === 0 ? Number.NEGATIVE_INFINITY : v));
        const warmest = considered.indexOf(considered.reduce((a, b) => Math.max(a, b)));
        images++;
        if (mask[warmest]) hits++;
      },
      result: () => ({ hits, images }),
    };
  },
  compute: ({ hits, images }) => (images > 0 ? hits / images : { reason: 'No image is anomalous.' }),
});

const metrics = [youden, pointing];
const task = { data: 'synthetic', class: 'texture', threads: 1, maps: 0, metrics } as const;
let report: RunReport;
beforeAll(async () => {
  report = await train({ ...task, model: 'mean-image', out: join(cwd, 'runs', 'mean') });
  await train({ ...task, model: 'random', out: join(cwd, 'runs', 'random') });
});

describe.each([
  ['youden', youden],
  ['pointing', pointing],
] as const)('%s', (_, metric) => {
  for (const { name, run } of checkMetric(metric)) it(name, run);
});

it('stands in the report and in those of the baselines, with its interval and its words', async () => {
  expect(readMetric(report.metrics, youden)).toBeGreaterThan(0.3);
  expect(readMetric(report.metrics, pointing)).toBeGreaterThan(0.8);
  expect(readMetric(report.intervals, youden)![0]).toBeLessThan(readMetric(report.metrics, youden)!);
  expect(readMetric(report.baselines.random, pointing)).toBeLessThan(0.5);
  expect(report.ownMetrics?.map(({ title }) => title)).toEqual(['Youden’s J', 'pointing game']);
  expect((await testRun({ run: report.run, metrics })).metrics).toEqual(report.metrics);
  expect((await testRun({ run: report.run })).ownMetrics).toBe(undefined);
});

it('stands on the page, in lists and in comparisons, also of programs that do not know it', async () => {
  const page = () => readFileSync(join(report.run, 'report.html'), 'utf8');
  for (const again of [false, true]) {
    if (again) oddity('report', 'runs/mean', '--no-pictures');
    expect(page()).toMatch(/pointing game<small>share of the anomalous images whose warmest pixel/);
  }
  expect(oddity('runs', '--sort', 'map.pointing')).toMatch(/^run .* pointing game .*\nruns\/mean .*\nruns\/random /);
  expect(oddity('compare', 'runs/random', 'runs/mean')).toMatch(/\nYouden’s J +0\.\d+ +0\.\d+ +\+0\.\d+ *\n/);
  const runs = { a: join(cwd, 'runs', 'random'), b: join(cwd, 'runs', 'mean') };
  const compared = await compareRuns({ ...runs, metrics });
  expect(compared.metrics.find(({ name }) => name === 'youden')!.interval![0]).toBeGreaterThan(0);
});

it('is refused under a name that is taken, before anything is trained', async () => {
  const twin = defineMetric({ ...youden, name: 'auroc' });
  const out = join(cwd, 'runs', 'none');
  await expect(train({ ...task, model: 'random', metrics: [twin], out })).rejects.toThrow(
    'There is already a metric item.auroc. Give yours another name.',
  );
  expect(existsSync(out)).toBe(false);
});
