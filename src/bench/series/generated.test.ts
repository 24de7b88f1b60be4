import { describe, expect, it } from 'vitest';
import { anomalyKinds } from './anomalies.ts';
import { generatedSeries } from './generated.ts';

describe('generated series', () => {
  const all = generatedSeries(1);

  it('are 224 of seven families with eight kinds of anomalies, finite, with labels of both kinds', () => {
    expect(all).toHaveLength(224);
    expect(new Set(all.map(({ family }) => family)).size).toBe(7);
    expect(new Set(all.map(({ anomaly }) => anomaly))).toEqual(new Set(anomalyKinds));
    expect(new Set(all.map(({ id }) => id)).size).toBe(224);
    for (const { values, labels } of all) {
      expect(values.every(Number.isFinite)).toBe(true);
      expect(labels).toHaveLength(values.length);
      const share = labels.reduce((a, b) => a + b, 0) / labels.length;
      expect(share).toBeGreaterThan(0);
      expect(share).toBeLessThan(0.6);
      expect(labels.subarray(0, Math.floor(0.2 * labels.length))).not.toContain(1);
    }
  });

  it('are the same for the same seed, and others for another', () => {
    const again = generatedSeries(1)[17];
    expect(again).toEqual(all[17]);
    expect(generatedSeries(2)[17].values).not.toEqual(all[17].values);
  });
});
