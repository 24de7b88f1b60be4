/** Supervised training: labels, imbalance and what is refused; and the accuracy of cnn where MNIST is. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { synthetic } from '../../dist/data/index.js';
import { loadDetector, type TrainOptions, test as testRun, train } from '../../dist/index.js';

const root = mkdtempSync(join(tmpdir(), 'oddity-supervised-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let count = 0;
const options = (more: Partial<TrainOptions> = {}): TrainOptions => ({
  model: 'cnn',
  data: 'synthetic',
  protocol: 'labelled',
  class: 'blob',
  config: { width: 8, units: 32, epochs: 10, batchSize: 16 },
  out: join(root, `run${count++}`),
  threads: 1,
  maps: 0,
  ...more,
});

describe('cnn', () => {
  it('learns labelled blobs, and its map shows where they are', async () => {
    const run = options();
    const report = await train(run);
    expect(report.counts).toEqual({ train: 285, trainAnomalies: 150, validation: 15, test: 100, testAnomalies: 50 });
    expect(report.metrics.item.auroc).toBeGreaterThan(0.95);
    expect(report.metrics.map!.auroc).toBeGreaterThan(0.8);
    const detector = await loadDetector(run.out!);
    const source = await synthetic();
    const images = new Float32Array(256);
    await source.read([1], images);
    const { scores, maps } = await detector.score(images, 1);
    await detector.close();
    expect(maps).toHaveLength(256);
    expect(scores[0]).toBeGreaterThan(detector.threshold!);
  });

  it('says how rare anomalies are, and counts them', async () => {
    const messages: string[] = [];
    const report = await train(
      options({
        labelledFraction: 0.02,
        config: { width: 4, units: 8, epochs: 1, batchSize: 16 },
        onEvent: (e) => void (e.type === 'warning' && e.code === 'imbalance' && messages.push(e.message)),
      }),
    );
    expect(report.counts.trainAnomalies).toBe(3);
    expect(messages).toEqual([expect.stringContaining('Only 3 of 138 training items are anomalous (2.2 %)')]);
  });

  it('needs labelled anomalies', async () => {
    await expect(train(options({ protocol: 'one-class', class: 'texture' }))).rejects.toThrow(
      'cnn needs labelled anomalies to train on, but the protocol one-class gives normal items only.',
    );
  });

  it('tells seen classes of anomalies from those held out, in the report and after a new test', async () => {
    const run = options({ protocol: 'imbalance', class: 'texture', heldOut: [] });
    const report = await train(run);
    // All anomalies are blobs, and they were seen: there is nothing to say of others.
    expect(report.metrics.item.seenAuroc).toBe(report.metrics.item.auroc);
    expect(report.metrics.item.seenAuroc).toBeGreaterThan(0.95);
    expect(report.metrics.item.heldOutAuroc).toBe(null);
    expect(report.reasons.item!.heldOutAuroc).toContain('No anomalous test item is of a class');
    expect(report.baselines.random.item.seenAuroc).toBe(report.baselines.random.item.auroc);
    expect((await testRun({ run: run.out! })).metrics).toEqual(report.metrics);
    expect((await train(options({ config: { width: 4, units: 8, epochs: 1 } }))).metrics.item).not.toHaveProperty(
      'seenAuroc',
    );
  });

  it('holds classes out under the protocol imbalance only', async () => {
    await expect(train(options({ heldOut: ['blob'] }))).rejects.toThrow(
      'Classes can be held out under the protocol imbalance only; this is labelled.',
    );
  });

  it('leaves anomalies out of the training of other models', async () => {
    const report = await train(options({ model: 'pca', config: { components: 4 } }));
    expect(report.counts).toMatchObject({ train: 135, trainAnomalies: 0 });
  });
});
