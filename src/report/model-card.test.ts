import { describe, expect, it } from 'vitest';
import type { RunReport } from '../engine/judging/report-types.ts';
import type { ArtifactInfo } from '../engine/scoring/artifact.ts';
import { modelCard } from './model-card.ts';

const threshold = {
  ...{ value: 2, rule: 'a false-positive rate of 0.01 on held-out normals', sawTest: false, normals: 120 },
  ...{ wantedFalseAlarmRate: 0.01, empiricalRate: 0, interval: [0, 0.03], rateInterval: [0, 0.03], reason: null },
};
const info = {
  ...{ title: 'PatchCore', model: 'patchcore', oddity: '0.1.0', description: 'Good is normal.', seed: 3 },
  ...{ kind: 'image', shape: [3, 64, 64], config: { coreset: 0.1 }, threshold },
  data: { name: 'tiles', hash: 'a'.repeat(64), licence: 'that of the images' },
} as unknown as ArtifactInfo;
const report = {
  ...{ kind: 'image', protocol: 'folder' },
  counts: { train: 50, trainAnomalies: 0, validation: 120, test: 30, testAnomalies: 10 },
  metrics: { item: { auroc: 0.91234, ap: 0.8 }, map: { auroc: 0.95 } },
  intervals: { item: { auroc: [0.85, 0.97] } },
  warnings: [{ code: 'few', message: 'Few normals were held out.' }],
} as unknown as RunReport;

describe('the card of a model', () => {
  it('says data, figures with intervals by their full names, threshold, limits and licences', () => {
    const card = modelCard({ report, info, weights: [{ name: 'SqueezeNet 1.1', licence: 'Apache-2.0' }] });
    expect(card).toContain('- image AUROC: 0.9123, 95 % interval 0.85 to 0.97.');
    expect(card).toContain('- pixel AUROC: 0.95.');
    expect(card).toContain('30 items to judge with, 10 of them anomalous');
    expect(card).toContain('It rests on 120 normal items.');
    expect(card).toContain('- Few normals were held out.');
    expect(card).toContain('Weights of SqueezeNet 1.1: Apache-2.0.');
  });

  it('says of a threshold that saw the test part that its figures are too good, and not what it rests on', () => {
    const seen = {
      ...info,
      threshold: { ...threshold, sawTest: true, rule: 'a value set by hand' },
    } as unknown as ArtifactInfo;
    const card = modelCard({ report, info: seen, weights: [] });
    expect(card).toContain('figures at this threshold are too good');
    expect(card).not.toContain('It rests on');
    expect(card).toContain('No pretrained weights are in this model.');
  });

  it('says where nothing is known of what it finds', () => {
    const bare = { ...report, metrics: { item: { auroc: null } }, intervals: { item: {} } } as unknown as RunReport;
    expect(modelCard({ report: bare, info, weights: [] })).toContain('nothing is known of what it finds');
  });
});
