/** Anomalies that pass for normal in training, and a test part cut short: what a run records and what is refused. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { type TrainOptions, test as testRun, train } from '../../dist/index.js';
import { readRun } from '../../dist/runs/folder.js';

const root = mkdtempSync(join(tmpdir(), 'oddity-contamination-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let count = 0;
const options = (more: Partial<TrainOptions> = {}): TrainOptions => ({
  model: 'pca',
  data: 'synthetic',
  class: 'texture',
  config: { components: 4 },
  contamination: 0.1,
  testLimit: 40,
  out: join(root, `run${count++}`),
  threads: 1,
  maps: 0,
  ...more,
});
const withCode = (code: string) => expect.objectContaining({ code });

it('is recorded, takes part in training and not in the threshold, and tests again to the same numbers', async () => {
  const run = options();
  const report = await train(run);
  const clean = await train(options({ contamination: 0, testLimit: undefined }));
  expect(report.counts).toEqual({ ...clean.counts, train: 150, contaminants: 15, test: 40, testAnomalies: 20 });
  expect(report).toMatchObject({ contamination: 0.1, testLimit: 40, leakFree: true, parameters: 0 });
  expect(report.description).toContain('15 anomalies, none from the test part');
  expect(clean).not.toHaveProperty('contamination');
  expect(report.validation.mean).not.toBe(clean.validation.mean); // the axes were learnt from other items
  expect(await readRun(run.out!)).toMatchObject({ contamination: 0.1, testLimit: 40 });
  const again = await testRun({ run: run.out! });
  expect(again).toMatchObject({ contamination: 0.1, testLimit: 40, description: report.description });
  expect([again.counts, again.metrics]).toEqual([report.counts, report.metrics]);
});

it('is part of what a run resumes with', async () => {
  const config = { width: 4, code: 4, epochs: 60, batchSize: 16 };
  const stop = new AbortController();
  const cut = options({ model: 'autoencoder', config });
  const onEvent: TrainOptions['onEvent'] = (event) => void (event.type === 'progress' && stop.abort());
  await expect(train({ ...cut, onEvent, signal: stop.signal })).rejects.toThrow(withCode('cancelled'));
  for (const [other, message] of [
    [{ contamination: 0.05 }, 'was started with `contamination: 0.1`, but is resumed with `contamination: 0.05`'],
    [{ testLimit: undefined }, 'was started with `testLimit: 40`, but is resumed without `testLimit`'],
  ] as const) {
    const again = train({ ...cut, ...other, resume: true });
    await expect(again).rejects.toThrow(withCode('checkpoint-mismatch'));
    await expect(again).rejects.toThrow(message);
  }
});

it('is refused by models that learn from labels or classes', async () => {
  await expect(train(options({ model: 'cnn', protocol: 'one-class', config: {} }))).rejects.toThrow(
    'cnn needs labelled anomalies to train on',
  );
  const refused = train(options({ model: 'conditional-gan', config: {} }));
  await expect(refused).rejects.toThrow(withCode('contamination'));
  await expect(refused).rejects.toThrow(
    'conditional-gan learns from the classes of items, which reveal them. Leave `contamination` out',
  );
});

it('counts the numbers that gradient training moves', async () => {
  const config = { width: 4, code: 4, epochs: 1, batchSize: 16 };
  const [small, large] = await Promise.all(
    [4, 8].map((code) => train(options({ model: 'autoencoder', config: { ...config, code } }))),
  );
  expect(small.parameters).toBeGreaterThan(100);
  expect(large.parameters).toBeGreaterThan(small.parameters);
});
