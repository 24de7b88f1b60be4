import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { migrateReport } from './report-file.ts';

/** A report that 0.1.0 wrote. */
const old = (run: string) =>
  JSON.parse(readFileSync(new URL(`../../test/golden/v0.1/${run}/metrics.json`, import.meta.url), 'utf8'));

describe('a report of 0.1.0', () => {
  test('of images has its metrics by level, and everything else as it was', () => {
    const before = old('autoencoder');
    const { metrics, intervals, baselines, perType, reasons, threshold, ...rest } = migrateReport(before);
    const { imageAuroc, imageAp, imageF1Max, prevalence, pixelAuroc, pixelAp, aupro, dice, iou } = before.metrics;
    expect(metrics).toEqual({
      item: { auroc: imageAuroc, ap: imageAp, f1Max: imageF1Max, prevalence },
      map: { auroc: pixelAuroc, ap: pixelAp, aupro, dice, iou },
    });
    expect(intervals.item.f1Max).toEqual(before.intervals.imageF1Max);
    expect(baselines.random.map!.aupro).toBe(before.baselines.random.aupro);
    expect(perType[0].metrics).toEqual({ auroc: before.perType[0].auroc, ap: before.perType[0].ap });
    expect(perType[0]).not.toHaveProperty('auroc');
    expect(reasons).toEqual({ item: {}, map: {} });
    // 30 held-out scores: 90 % of the shares of new normals that reach the largest lie below 1 − 0.1^(1/30).
    expect(threshold).toEqual({ ...before.threshold, rateInterval: [0, expect.closeTo(1 - 0.1 ** (1 / 30), 2)] });
    for (const key of Object.keys(rest)) expect(rest[key as keyof typeof rest]).toBe(before[key]);
  });

  test('of rows has no maps, nor reasons why there are none', () => {
    const { metrics, reasons, baselines } = migrateReport(old('pca'));
    expect(Object.keys(metrics)).toEqual(['item']);
    expect(Object.keys(metrics.item)).toEqual(['auroc', 'ap', 'f1Max', 'prevalence']);
    expect(reasons).toEqual({ item: {} });
    expect(Object.keys(baselines['mean-image'])).toEqual(['item']);
  });

  test('of images without masks keeps the reasons', () => {
    const { metrics, reasons } = migrateReport(old('patchcore'));
    expect(metrics.map!.aupro).toBe(null);
    expect(reasons.map!.aupro).toBe('parts has no masks of anomalous pixels.');
  });

  test('is migrated once: today’s reports stay as they are', () => {
    const now = migrateReport(old('knn'));
    expect(migrateReport(now)).toEqual(now);
  });
});
