/**
 * Runs and artefacts that oddity 0.1.0 wrote (v0.1/, made on 29 November 2026): later versions read them, score with them
 * as 0.1.0 did, and go on with the one that was stopped. Scores are compared loosely: other processors round differently.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import {
  compareRuns,
  exportModel,
  listRuns,
  loadDetector,
  makeReport,
  predict,
  test,
  threshold,
  train,
  update,
} from '../../dist/index.js';

const golden = fileURLToPath(new URL('./v0.1/', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'oddity-v0.1-'));
cpSync(golden, root, { recursive: true });
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Name of a run, and where its data lie where they are files. */
const runs: readonly (readonly [string, string | undefined])[] = [
  ['autoencoder', undefined],
  ['deep-svdd', join(root, 'rows.csv')],
  ['isolation-forest', join(root, 'rows.csv')],
  ['knn', join(root, 'rows.csv')],
  ['patchcore', join(root, 'parts')],
  ['pca', join(root, 'rows.csv')],
];

/** The scores of a predictions.csv, by its fourth column. */
const scoresOf = (path: string) =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => Number(line.split(',').at(-2)));

describe.each(runs)('%s of 0.1.0', (name, data) => {
  const run = join(root, name);

  it('is tested again with the same result', async () => {
    const before = JSON.parse(readFileSync(join(run, 'metrics.json'), 'utf8'));
    const now = await test({ run, data });
    expect(now.metrics.item.auroc).toBeCloseTo(before.metrics.imageAuroc, 5);
    expect(now.metrics.item.ap).toBeCloseTo(before.metrics.imageAp, 5);
    expect(now.threshold.value).toBe(JSON.parse(readFileSync(join(run, 'model.json'), 'utf8')).threshold.value);
    expect(now.baselines['mean-image'].item.auroc).toBeCloseTo(before.baselines['mean-image'].imageAuroc, 5);
  });

  it('opens as a detector, keeps its threshold, and is exported and verified', async () => {
    const detector = await loadDetector(run, { device: 'cpu', threads: 1 });
    const { threshold: kept } = await threshold({ run });
    expect(detector.threshold).toBe(kept.value);
    await detector.close();
    const exported = await exportModel({ run, out: join(root, `${name}-exported`), verify: !data, device: 'cpu' });
    if (!data) expect(exported.maxDifference).toBeLessThan(1e-4);
  });

  it('makes its report page again', async () => {
    const { report } = await makeReport({ run, pictures: false });
    expect(readFileSync(report, 'utf8')).toContain(name);
  });
});

it('is listed and compared under the names that metrics have now', async () => {
  const listed = await listRuns({ folder: root, sort: 'item.f1Max' });
  const finished = listed.filter(({ metrics }) => metrics);
  expect(finished.map(({ model }) => model).slice(0, 3)).toEqual(['patchcore', 'knn', 'pca']);
  const before = JSON.parse(readFileSync(join(golden, 'pca', 'metrics.json'), 'utf8')).metrics;
  const compared = await compareRuns({ a: join(root, 'pca'), b: join(root, 'knn') });
  expect(compared.metrics.map(({ level, name }) => `${level}.${name}`)).toEqual([
    'item.auroc',
    'item.ap',
    'item.f1Max',
  ]);
  expect(compared.metrics[0]).toMatchObject({
    a: before.imageAuroc,
    interval: [expect.any(Number), expect.any(Number)],
  });
});

it('predicts rows by the columns of 0.1.0, with the review band that was set', async () => {
  const { predictions } = await predict({ run: join(root, 'knn'), images: [join(root, 'rows.csv')] });
  expect(predictions).toHaveLength(400);
  expect(new Set(predictions.map((p) => p.decision))).toEqual(new Set(['normal', 'review', 'anomalous']));
});

it('updates a bank of patches of 0.1.0', async () => {
  const out = join(root, 'updated');
  const record = JSON.parse(readFileSync(join(root, 'patchcore', 'run.json'), 'utf8'));
  expect(record.data).toBe('parts'); // where the data lie is not known any more: `data` says it
  const report = await update({
    run: join(root, 'patchcore'),
    data: join(root, 'parts'),
    remove: ['train/good/1.png'],
    out,
  });
  expect(report.counts.train).toBe(8);
  // What is called `oddity` now is another network: the bank stays with the one that it was seen through.
  expect(JSON.parse(readFileSync(join(out, 'run.json'), 'utf8')).config.backbone).toBe('oddity_v0');
});

it('goes on with a run that 0.1.0 was stopped in', async () => {
  const out = join(root, 'cancelled');
  const { metrics } = await train({
    model: 'autoencoder',
    data: 'synthetic',
    class: 'texture',
    config: { code: 4, width: 4, epochs: 60 },
    trainLimit: 300,
    testLimit: 200,
    maps: 0,
    threads: 1,
    out,
    resume: true,
  });
  const whole = scoresOf(join(root, 'cancelled-whole.csv'));
  const resumed = scoresOf(join(out, 'predictions.csv'));
  expect(Math.max(...whole.map((score, i) => Math.abs(score / resumed[i] - 1)))).toBeLessThan(1e-2);
  expect(metrics.item.auroc).toBeGreaterThan(0.9);
});
