/** A made-up run to draw pages of: textures with a bright square as the defect, scores with a gap that is not clean. */
import { Rng } from '../../src/core/random.ts';
import type { ReportData, ReportItem } from '../../src/report/data.ts';
import { chooseItems } from '../../src/report/judgement.ts';

/** A full report, with everything that is optional; `changes` replace parts of it. */
export function madeUpReport(changes: Partial<ReportData> = {}): ReportData {
  const rng = new Rng(5);
  const score = (mean: number) => mean + 0.1 * rng.normals(1)[0];
  const items = Array.from({ length: 90 }, (_, i): ReportItem => {
    const type = i < 50 ? 'good' : i < 75 ? 'crack' : 'hole & <burr>';
    return {
      id: `test/${type}/${i}.png`,
      type,
      label: i < 50 ? 0 : 1,
      score: score(i < 50 ? 0.3 : i < 75 ? 0.5 : 0.8),
    };
  });
  const { misses, falseAlarms, hits } = chooseItems(items);
  return {
    run: 'made-up',
    startedAt: '2026-01-02T03:04:05.678Z',
    model: { name: 'autoencoder', title: 'Convolutional autoencoder', isBaseline: false },
    config: { epochs: 3, loss: 'ssim' },
    data: { name: 'tiles', licence: 'CC0', hash: 'abcdef0123456789abcdef' },
    protocol: 'folder',
    description: '"good" is normal.',
    class: 'good',
    seed: 1,
    device: 'cpu',
    versions: { oddity: '0.1.0', node: 'v20.0.0' },
    counts: { train: 200, validation: 120, test: 90, testAnomalies: 40 },
    leakFree: true,
    metrics: {
      item: { auroc: 0.93, ap: 0.95, f1Max: 0.9, prevalence: 40 / 90 },
      map: { auroc: 0.91, aupro: null },
    },
    reasons: { map: { aupro: 'No region of the ground truth is larger than nothing.' } },
    intervals: { item: { auroc: [0.88, 0.97], ap: [0.9, 0.98] } },
    baselines: { 'mean-image': { item: { auroc: 0.8, ap: 0.7 } }, random: { item: { auroc: 0.5, ap: 0.44 } } },
    threshold: {
      value: 0.55,
      rule: 'a false-positive rate (false alarms) of 0.01 on held-out normals',
      sawTest: false,
      normals: 120,
      empiricalRate: 0,
      interval: [0, 0.03],
      rateInterval: [0, 0.019],
      wantedFalseAlarmRate: 0.01,
      reason: null,
    },
    normalScores: Array.from({ length: 120 }, () => score(0.3)),
    items,
    history: [1, 2, 3].map((epoch) => ({
      phase: 'fit',
      epoch,
      trainingLoss: 1 / epoch,
      metrics: { 'fit.loss': 1 / epoch },
    })),
    timings: { fitSeconds: 12, stepsPerSecond: 40, scoreMsPerItem: 0.5, totalSeconds: 20 },
    peakMemoryBytes: 2 ** 28,
    pictures: {
      shape: [3, 12, 16],
      scale: { low: 0, threshold: 0.4, high: 1 },
      pictures: [...misses, ...falseAlarms, ...hits].map((item) => {
        const isDefect = (p: number) => items[item].label === 1 && p % 16 > 10 && p < 5 * 16;
        return {
          item,
          image: Float32Array.from({ length: 3 * 192 }, (_, i) => (i % 16) / 16),
          reconstruction: new Float32Array(3 * 192).fill(0.5),
          map: Float32Array.from({ length: 192 }, (_, p) => (isDefect(p) ? items[item].score : 0.2)),
          mask: Uint8Array.from({ length: 192 }, (_, p) => (isDefect(p) ? 1 : 0)),
        };
      }),
    },
    ...changes,
  };
}
