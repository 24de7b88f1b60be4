/** The networks with real weights: reference logits of the ONNX model zoo, and what they see on photographs. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findBackbone, logits } from '../../dist/backbones/index.js';
import { loadWeights } from '../../dist/backbones/load.js';
import type { Tensor } from '../../dist/core/tensor.js';
import { readNpy } from '../../dist/data/formats/npy.js';
import { dataRoot } from '../../dist/data/index.js';
import { bind } from '../../dist/engine/scoring/graph.js';
import { input } from '../../dist/graph/index.js';
import { loadDetector, train } from '../../dist/index.js';
import { Trace } from '../../dist/nn/index.js';
import { openRuntime, type Runtime } from '../../dist/runtime/index.js';

const root = dataRoot();
const weights = join(root, 'weights');
const missing = existsSync(weights) ? undefined : `${weights} (pretrained weights)`;

const clouds = join(root, 'cloud');
const noClouds = existsSync(clouds) ? undefined : `${clouds} (satellite images)`;

describe.skipIf(noClouds)(`clouds among ground${noClouds ? `: skipped, ${noClouds} is absent` : ''}`, () => {
  it('are found by the features of whole images, from the package alone', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'oddity-clouds-'));
    try {
      const { metrics, counts } = await train({
        ...{ model: 'dfm', preset: 'scenes', data: clouds, folderNames: { normal: 'noncloud' }, channels: 3 },
        ...{ out: join(folder, 'run'), testLimit: 200, maps: 0, download: false },
      });
      expect(counts).toMatchObject({ train: 259, test: 200 });
      expect(metrics.item.auroc).toBeGreaterThan(0.95);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 240_000);
});

describe.skipIf(missing)(`pretrained networks${missing ? `: skipped, ${missing} is absent` : ''}`, () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await openRuntime('cpu');
  });
  afterAll(() => runtime?.close());

  /** Class scores of a network for an input that is made from x. */
  async function scores(name: string, x: Tensor): Promise<Float32Array> {
    const backbone = findBackbone(name);
    const tensors = await loadWeights(backbone, { root, download: false });
    const trace = new Trace(false);
    const named = Object.fromEntries(Object.entries(tensors).map(([key, value]) => [`backbone.${key}`, value]));
    const y = logits(backbone, trace.group('backbone'), input('x', x.shape))!;
    const session = await runtime.compile({ name, outputs: bind(name, { y }, trace, named), carry: {} });
    try {
      return (await session.run({ x })).y.data as Float32Array;
    } finally {
      await session.close();
    }
  }

  it.each([0, 1])('squeezenet1_1 gives the reference logits of input %d to 2e-4', async (i) => {
    const golden = async (what: string) =>
      readNpy(readFileSync(join(weights, 'golden', `squeezenet1_1_${what}_${i}.npy`)), what);
    const found = await scores('squeezenet1_1', await golden('input'));
    const wanted = (await golden('output')).data as Float32Array;
    expect(found.length).toBe(1000);
    const largest = wanted.reduce((most, v, k) => Math.max(most, Math.abs(v - found[k])), 0);
    expect(largest).toBeLessThan(2e-4);
  });

  describe('in a detector of industrial parts', () => {
    const folder = mkdtempSync(join(tmpdir(), 'oddity-backbones-'));
    afterAll(() => rmSync(folder, { recursive: true, force: true }));
    const few = {
      data: join(root, 'industrial', 'deeppcb_20085'),
      size: [64, 64],
      channels: 1,
      trainLimit: 10,
      testLimit: 10,
    } as const;

    it.each([
      ['patchcore', { backbone: 'squeezenet1_1', coreset: 0.1, neighbours: 3 }],
      ['patchcore', { backbone: 'resnet50_v2', taps: 'stage1,stage2', descriptor: 'adaptive', dimension: 64 }],
      [
        'patchcore',
        {
          backbone: join(weights, 'onnx', 'SqueezeNet1_1_caffe2_fp16.onnx'),
          ...{ taps: 'fire3/concat_1,fire5/concat_1', preparation: 'caffe' },
        },
      ],
      ['padim', { backbone: 'squeezenet1_1', channels: 20 }],
    ] as const)('%s with %o: the exported file needs nothing else and scores alike', async (model, config) => {
      const out = join(folder, `${model}-${Object.values(config)[0].replaceAll(/\W/g, '')}`);
      const report = await train({
        ...few,
        model,
        config: { ...config } as never,
        out,
        threads: 1,
        maps: 0,
        download: false,
      });
      expect(report.metrics.item.auroc).toBeGreaterThanOrEqual(0);
      const detector = await loadDetector(out, { device: 'wasm' });
      try {
        const images = Float32Array.from({ length: 2 * 64 * 64 }, (_, i) => (i % 97) / 97);
        const alone = await detector.score(images.slice(0, 64 * 64), 1);
        const together = await detector.score(images, 2);
        expect(Math.abs(together.scores[0] / alone.scores[0] - 1)).toBeLessThan(1e-5);
      } finally {
        await detector.close();
      }
    });
  });
});
