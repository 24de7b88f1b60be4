/**
 * Deep feature kernel density estimation (DFKDE, of the library Anomalib; there is no paper): features averaged over the
 * image, their first principal components, and over these the density of a Gaussian kernel at each normal image; the
 * score is −log density. The kernel has the covariance of the components times h² with Scott's h = n^(−1/(d + 4)).
 * Divided by the components' largest norm, as published, the score would only shift by a constant, and the published
 * probability 1 / (1 + exp(0.05 (log p − 12))) only squeezes it: both are left out. The map is ours.
 */
import * as z from 'zod';
import { DataError } from '../core/errors.ts';
import { timesTransposed } from '../core/linalg.ts';
import { float32 } from '../core/tensor.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import type { Scope } from '../nn/scope.ts';
import { defineModel, type FitItems } from './define.ts';
import { backboneOptions, choiceOf, tapped, tapsOf, tooSmall } from './parts/features.ts';
import { principalAxes } from './parts/fitting/principal-axes.ts';
import { sampleItems } from './parts/fitting/sample.ts';
import { channelsOf, sidesOf } from './parts/shapes.ts';

const config = z.strictObject({
  ...backboneOptions,
  components: z
    .int()
    .min(1)
    .max(256)
    .default(16)
    .describe('Principal components of the averaged features in which the density is estimated.'),
  points: z
    .int()
    .min(2)
    .max(40000)
    .default(40000)
    .describe('Largest number of normal images in the density, a random sample where there are more.'),
});

const BLOCK = 8;

/**
 * DFKDE: Gaussian kernel density of pretrained features, averaged over the image and reduced to a few principal
 * components; the score is the negative log density (of the library Anomalib; no paper).
 * Images of one subject, anomalous as a whole rather than in one place. One pass over the data learns it; scoring
 * compares with every stored normal image.
 */
export const dfkde = defineModel({
  name: 'dfkde',
  title: 'Kernel density of features',
  idea: 'Pretrained features averaged over the image; the fewer normal images are near an image, the higher its score.',
  paper: 'None: DFKDE of the library Anomalib.',
  learning: 'one-class',
  inputs: ['image'],
  learns: 'statistics',
  config,
  presets: {},
  imageSize: [256, 256],
  tiny: { taps: 'fine' },
  backbone: choiceOf,

  unsuitable: (options, shape) => tooSmall(options, shape),

  async fit(options, data) {
    const { backbone, taps } = tapsOf(options);
    const width = taps.reduce((n, tap) => n + backbone.taps[tap].channels, 0);
    // A few hundred numbers an image: they are read once and kept.
    const rows = new Float32Array(data.count * width);
    let seen = 0;
    const build = (net: (group: string) => Scope, x: Value) => ({ y: means(tapped(options, net, x)) });
    for await (const { count, outputs } of data.through('features', build, BLOCK)) {
      rows.set(outputs.y.data as Float32Array, seen * width);
      seen += count;
    }
    const items: FitItems = {
      ...{ shape: [width], count: data.count, rng: data.rng },
      async *blocks(size) {
        for (let at = 0; at < seen; at += size) {
          const count = Math.min(size, seen - at);
          yield { count, data: rows.subarray(at * width, (at + count) * width) };
        }
      },
    };
    const { mean, axes, variances } = await principalAxes(items, { count: options.components });
    const d = variances.length;
    if (d === 0) {
      throw new DataError(
        'no-variance',
        `dfkde: training images must differ from each other, found ${data.count === 1 ? 'only one' : `${data.count} with equal features`}. Add images.`,
      );
    }
    const kept = await sampleItems(items, options.points);
    // In units of the kernel: u = V (f − μ) / (h √λ), so that every kernel is N(u_i, I).
    const bandwidth = kept.rows ** (-1 / (d + 4));
    const scales = Float64Array.from(variances, (v) => bandwidth * Math.sqrt(v));
    const scaled = axes.map((v, i) => v / scales[Math.floor(i / width)]); // [d,D]
    const origin = timesTransposed(mean, 1, scaled, d);
    const points = timesTransposed(kept.items, kept.rows, scaled, d).map((u, i) => u - origin[i % d]); // [M,d]
    // log of n · (2π)^(d/2) · Π h √λ
    const logNorm =
      Math.log(kept.rows) + (d / 2) * Math.log(2 * Math.PI) + scales.reduce((sum, s) => sum + Math.log(s), 0);
    return {
      'dfkde.mean': float32(mean, [width]),
      'dfkde.axes': float32(scaled, [d, width]),
      'dfkde.points': float32(points, [kept.rows, d]),
      'dfkde.norm': float32([logNorm]),
    };
  },

  /**
   * Score: −log (1/n) Σ N(u; u_i, I) in the units above. Map: with weights w_i of the kernels at u and m = Σ w_i u_i, the
   * gradient of the score is u − m, and u is the mean over places of u_p; so (u_p − m) · (u − m), whose mean is |u − m|²,
   * says how much a place pulls the image away from the normal ones.
   */
  score(options, net, x) {
    const dfkde = net('dfkde');
    const [axes, points, mean] = ['axes', 'points', 'mean'].map((name) => dfkde.learnt(name)); // [d,D], [M,d], [D]
    const grids = tapped(options, net, x);
    const u = g.matMul(g.sub(means(grids), mean), axes, { transposeB: true }); // [N,d]
    const apart = g.sub(g.unsqueeze(u, 1), points); // [N,M,d]
    const logs = g.mul(g.reduceSum(g.square(apart), { axes: [2] }), -0.5); // [N,M]
    const score = g.sub(g.reshape(dfkde.learnt('norm'), []), g.logSumExp(logs, { axes: [1] })); // [N]

    const centre = g.matMul(g.softmax(logs, 1), points); // m, [N,d]
    const pull = g.sub(u, centre); // [N,d]
    const gradient = g.matMul(pull, axes); // [N,D]
    // (u_p − m) · pull = (f_p − f) · gradient + |pull|², split evenly over the taps.
    const whole = g.div(g.reduceSum(g.square(pull), { axes: [1], keep: true }), grids.length); // [N,1]
    const gradients = g.split(gradient, grids.map(channelsOf), 1);
    const maps = grids.map((y, i) => {
      const away = g.sub(y, g.reduceMean(y, { axes: [2, 3], keep: true })); // [N,C,h,w]
      const along = g.reduceSum(g.mul(away, wide(gradients[i])), { axes: [1], keep: true }); // [N,1,h,w]
      return g.resizeBilinear(g.add(along, wide(whole)), sidesOf(x));
    });
    return { map: maps.reduce((a, b) => g.add(a, b)), score };
  },
});

/** `[N, C] → [N, C, 1, 1]`. */
const wide = (y: Value): Value => g.reshape(y, [...y.shape, 1, 1]);

/** Means over the places of grids, joined: `[N, D]`. */
const means = (grids: readonly Value[]): Value =>
  g.concat(
    grids.map((y) => g.reduceMean(y, { axes: [2, 3] })),
    1,
  );
