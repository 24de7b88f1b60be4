/**
 * Deep feature modelling (Ahuja et al. 2019, arXiv 1909.11786) and feature reconstruction error (FRE, Ndiour et al. 2022,
 * arXiv 2203.10422): features of normal images lie near a plane. What the plane does not explain is anomalous, and the
 * grid from which the features come gives a map; or the Gaussian inside the plane says how likely an image is. For
 * images that are anomalous as a whole, such as scenes, a preset pools to a single place. Left out: intrinsic dimensions by
 * other means than a share of variance.
 */
import * as z from 'zod';
import { DataError } from '../core/errors.ts';
import { float32 } from '../core/tensor.ts';
import { input } from '../graph/leaf.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import { type Scope, Trace } from '../nn/scope.ts';
import { defineModel, type FitItems } from './define.ts';
import { aligning, alignOption } from './parts/alignment.ts';
import { backboneOptions, choiceOf, tapped, tooSmall } from './parts/features.ts';
import { principalAxes } from './parts/fitting/principal-axes.ts';
import { imageScoreOptions, onlyWith, scoreOfPlaces } from './parts/maps/image-score.ts';
import { sidesOf, sizeOf } from './parts/shapes.ts';

const config = z.strictObject({
  ...backboneOptions,
  align: alignOption,
  cell: z
    .int()
    .min(1)
    .max(1024)
    .default(4)
    .describe('Side of the cells over which a grid of features is averaged, in places of the grid.'),
  variance: z
    .number()
    .positive()
    .max(1)
    .default(0.97)
    .describe('Share of the variance of normal features that the plane explains.'),
  score: z
    .enum(['fre', 'nll'])
    .default('fre')
    .describe('Squared distance to the plane, or the negative log-likelihood inside it.'),
  ...imageScoreOptions(['all', 'largest', 'top']),
});
type Config = z.infer<typeof config>;

const BLOCK = 8;

/**
 * Deep feature modelling: the principal components of pretrained features of normal images; the score is the squared
 * distance from their plane, or the negative log-likelihood in it (Ahuja et al. 2019, arXiv 1909.11786).
 * Images. One pass over the data learns it, without gradient steps; scoring is one pass of the backbone and a matrix
 * product.
 */
export const dfm = aligning(
  defineModel({
    name: 'dfm',
    title: 'Deep feature modelling',
    idea: 'Pretrained features of normal images lie near a plane; the score is the squared distance of an image to it.',
    paper:
      'Ahuja et al., Probabilistic modeling of deep features for out-of-distribution and adversarial detection, 2019.',
    learning: 'one-class',
    inputs: ['image'],
    learns: 'statistics',
    config,
    // One place that stands for the whole image.
    presets: { scenes: { cell: 1024 } },
    imageSize: [256, 256],
    tiny: { taps: 'fine', cell: 1 },
    backbone: choiceOf,

    unsuitable: (options, shape) =>
      onlyWith(
        options.score === 'nll',
        'the likelihood is one of the whole image and needs',
        'all',
        options.imageScore,
      ) ?? tooSmall(options, shape),

    async fit(options, data) {
      const trace = new Trace(false);
      const cells = cellsOf(options, (group) => trace.group(group), input('x', ['N', ...data.shape]));
      const width = cells.reduce((n, y) => n + sizeOf(y), 0);
      const items: FitItems = {
        ...{ shape: [width], count: data.count, rng: data.rng },
        async *blocks(size) {
          const build = (net: (group: string) => Scope, x: Value) => ({ y: flat(cellsOf(options, net, x)) });
          for await (const { count, outputs } of data.through('features', build, Math.min(size, BLOCK)))
            yield { count, data: outputs.y.data as Float32Array };
        },
      };
      const { mean, axes, variances } = await principalAxes(items, { share: options.variance });
      if (variances.length === 0) {
        throw new DataError(
          'no-variance',
          `dfm: training images must differ from each other, found ${data.count === 1 ? 'only one' : `${data.count} with equal features`}. Add images.`,
        );
      }
      return {
        'dfm.mean': float32(mean, [width]),
        'dfm.axes': float32(axes, [variances.length, width]),
        'dfm.variances': float32(variances, [variances.length]),
      };
    },

    score(options, net, x) {
      const { score, imageScore, top } = options;
      const dfm = net('dfm');
      const axes = dfm.learnt('axes'); // V, [k,D]
      const variances = dfm.learnt('variances'); // λ, [k]
      const cells = cellsOf(options, net, x);
      const centred = g.sub(flat(cells), dfm.learnt('mean')); // [N,D]
      const codes = g.matMul(centred, axes, { transposeB: true }); // z, [N,k]
      const errors = g.square(g.sub(centred, g.matMul(codes, axes))); // [N,D]
      const grids = g
        .split(errors, cells.map(sizeOf), 1)
        .map((part, i) => g.reduceSum(g.reshape(part, cells[i].shape), { axes: [1], keep: true })); // [N,1,h,w]
      const at = (sides: readonly [number, number]) =>
        grids.map((grid) => g.resizeBilinear(grid, sides)).reduce((a, b) => g.add(a, b));
      const map = at(sidesOf(x)); // [N,1,H,W]
      // Places are the cells of the finest grid.
      const finest = sidesOf(grids.reduce((a, b) => (sizeOf(b) > sizeOf(a) ? b : a)));
      const whole = () => (score === 'fre' ? g.reduceSum(errors, { axes: [1] }) : likelihood());
      // −log p = ½ Σ (z²/λ + log λ) + k/2 log 2π
      const likelihood = () => {
        const terms = g.add(g.add(g.div(g.square(codes), variances), g.log(variances)), Math.log(2 * Math.PI));
        return g.mul(g.reduceSum(terms, { axes: [1] }), 0.5);
      };
      return {
        map,
        score: imageScore === 'all' ? whole() : scoreOfPlaces(imageScore, top, g.flatten(at(finest)), map),
      };
    },
  }),
);

/** Grids of features at the taps, averaged over cells; whole grids where they are smaller than a cell. */
function cellsOf(options: Config, net: (group: string) => Scope, x: Value): Value[] {
  return tapped(options, net, x).map((y) => {
    const kernel = sidesOf(y).map((side) => Math.min(options.cell, side));
    return kernel.every((k) => k === 1) ? y : g.averagePool(y, kernel);
  });
}

const flat = (cells: readonly Value[]): Value =>
  g.concat(
    cells.map((y) => g.flatten(y)),
    1,
  );
