/** Z-scored maps: inside the artefact, from one half of the held-out normals, with a threshold from the other. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Rng } from '../../dist/core/random.js';
import { findProtocol, synthetic } from '../../dist/data/index.js';
import { halve } from '../../dist/engine/fitting/map-statistics.js';
import { exportModel, loadDetector, type TrainOptions, test as testRun, train } from '../../dist/index.js';

const root = mkdtempSync(join(tmpdir(), 'oddity-maps-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let count = 0;
const options = (more: Partial<TrainOptions> = {}): TrainOptions => ({
  model: 'pca',
  data: 'synthetic',
  class: 'texture',
  config: { components: 4 },
  validationFraction: 0.4,
  mapNormalization: 'zscore',
  out: join(root, `run${count++}`),
  threads: 1,
  maps: 0,
  ...more,
});
const withCode = (code: string) => expect.objectContaining({ code });

describe('mapNormalization zscore', () => {
  it('centres and scales every pixel on normals that the threshold does not see', async () => {
    const run = options();
    const report = await train(run);
    expect(report.mapNormalization).toBe('zscore');
    expect(report.counts.validation).toBe(60);
    expect(report.threshold.normals).toBe(30);

    const source = await synthetic();
    const rng = new Rng(1);
    const split = findProtocol('one-class').split(source, { class: 'texture', validationFraction: 0.4, rng });
    const { statistics, threshold } = halve(split.validation, rng);
    expect([...statistics, ...threshold].sort((a, b) => a - b)).toEqual([...split.validation]);
    const images = new Float32Array(30 * 256);
    await source.read(statistics, images);
    const detector = await loadDetector(run.out!);
    const { maps, scores } = await detector.score(images, 30);
    await detector.close();
    // Over the very items of the statistics a pixel has mean 0, and with the floor a deviation of at most 1.
    for (let p = 0; p < 256; p++) {
      const values = Array.from({ length: 30 }, (_, k) => maps[k * 256 + p]);
      const mean = values.reduce((a, b) => a + b) / 30;
      const variance = values.reduce((a, v) => a + (v - mean) ** 2, 0) / 29;
      expect(Math.abs(mean)).toBeLessThan(1e-3);
      expect(variance).toBeLessThan(1.001);
      expect(variance).toBeGreaterThan(0.3);
    }
    // The score is pooled from the z-scored map.
    for (let k = 0; k < 30; k++) {
      const map = maps.subarray(k * 256, (k + 1) * 256);
      expect(scores[k]).toBeCloseTo(map.reduce((a, b) => a + b, 0) / 256, 4);
    }
    expect((await testRun({ run: run.out! })).metrics).toEqual(report.metrics);
    const exported = await exportModel({ run: run.out!, out: join(root, 'exported'), verify: true });
    expect(exported.maxDifference).toBeLessThan(1e-3);
  });

  it('refuses what it cannot do with a sentence', async () => {
    await expect(train(options({ validationFraction: 0.1 }))).rejects.toThrow(
      'Z-scores of maps need at least 20 held-out normal items, half of them for the threshold; there are 15.',
    );
    await expect(train(options({ model: 'random', config: {} }))).rejects.toThrow(withCode('map-normalization'));
    await expect(train(options({ mapNormalization: 'zscores' as 'zscore' }))).rejects.toThrow('Did you mean "zscore"?');
  });
});
