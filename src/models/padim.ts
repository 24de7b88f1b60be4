/**
 * PaDiM (Defard et al., ICPR workshops 2020, arXiv 2011.08785): at each place of the grid the features of normal images are
 * a Gaussian; the map is the Mahalanobis distance to it. Images must show their object in the same place: for
 * textures and free poses take patchcore. Left out: per-class ensembles.
 */
import * as z from 'zod';
import { DataError } from '../core/errors.ts';
import { float32 } from '../core/tensor.ts';
import { option, say } from '../core/text.ts';
import { input } from '../graph/leaf.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import { type Scope, Trace } from '../nn/scope.ts';
import { defineModel } from './define.ts';
import { aligning, alignOption } from './parts/alignment.ts';
import { backboneOptions, choiceOf, joined, tapped, tooSmall } from './parts/features.ts';
import { imageScoreOptions, meanOfTop, scoreOfPlaces } from './parts/maps/image-score.ts';
import { poolMap } from './parts/maps/pool-map.ts';
import { smoothMap } from './parts/maps/smooth-map.ts';
import * as common from './parts/options.ts';
import { channelsOf, sidesOf } from './parts/shapes.ts';

const config = z.strictObject({
  ...backboneOptions,
  align: alignOption,
  channels: z
    .int()
    .min(2)
    .max(2048)
    .default(100)
    .describe('Channels that are kept, chosen at random; published: 100 for ResNet-18, 550 for wide ResNet-50.'),
  regularization: z
    .number()
    .positive()
    .max(10)
    .default(0.01)
    .describe('Number that is added to each variance, ε of equation 2.'),
  ...imageScoreOptions(['smoothed', 'largest', 'top']),
  smoothing: common.smoothing(4),
});
type Config = z.infer<typeof config>;

/** Numbers that the covariances may take: 1 GiB. */
const LIMIT = 2 ** 28;
const BLOCK = 8;

/**
 * PaDiM: a Gaussian of pretrained features at each place of the image; the map is the Mahalanobis distance (Defard et
 * al., ICPR workshops 2020, arXiv 2011.08785).
 * Images that show the object in the same position; for textures and free poses use `patchcore`. One pass over the
 * data; the covariances of all places (at most 1 GiB) are stored in the detector.
 */
export const padim = aligning(
  defineModel({
    name: 'padim',
    title: 'PaDiM',
    idea: 'A Gaussian of pretrained features at each place of the image; the Mahalanobis distance to it is the map.',
    paper: 'Defard et al., PaDiM: a patch distribution modeling framework, ICPR workshops 2020.',
    learning: 'one-class',
    inputs: ['image'],
    learns: 'statistics',
    config,
    presets: {},
    imageSize: { atMost: 512 },
    tiny: { taps: 'fine', channels: 16, smoothing: 1 },
    backbone: choiceOf,

    unsuitable: (options, shape) => tooSmall(options, shape),

    async fit(options, data) {
      const all = joinedTaps(options, (group) => new Trace(false).group(group), input('x', ['N', ...data.shape]));
      const [height, width] = sidesOf(all);
      const [places, most] = [height * width, channelsOf(all)];
      const d = Math.min(options.channels, most);
      if (places * d * d > LIMIT) {
        throw new DataError(
          'covariance-memory',
          say`The covariances of ${places} places with ${d} channels take ${Math.round((places * d * d) / 2 ** 18)} MiB; at
          most 1024 MiB are allowed. Choose ${option('config.channels', Math.floor(Math.sqrt(LIMIT / places)))} or less,
          or smaller images.`,
        );
      }
      const kept = data.rng.split('channels').permutation(most).subarray(0, d).sort();
      const select = (net: (group: string) => Scope, x: Value) => g.gather(joinedTaps(options, net, x), [...kept], 1);
      const means = new Float64Array(d * places);
      // Float64 sums of products about a first guess of the mean: the features of the first image.
      const first = new Float32Array(d * places);
      const squares = new Float64Array(places * d * d);
      let seen = 0;
      for await (const { count, outputs } of data.through('Gaussians', (net, x) => ({ y: select(net, x) }), BLOCK)) {
        const y = outputs.y.data as Float32Array; // [n,d,h·w]
        if (seen === 0) first.set(y.subarray(0, d * places));
        const centred = new Float64Array(d);
        for (let n = 0; n < count; n++) {
          for (let p = 0; p < places; p++) {
            for (let i = 0; i < d; i++) {
              centred[i] = y[(n * d + i) * places + p] - first[i * places + p];
              means[i * places + p] += centred[i];
            }
            addOuter(squares, p * d * d, centred);
          }
        }
        seen += count;
      }
      const whitening = new Float32Array(places * d * d);
      const mean = new Float32Array(d * places);
      const covariance = new Float64Array(d * d);
      const own = new Float64Array(d);
      for (let p = 0; p < places; p++) {
        for (let i = 0; i < d; i++) {
          own[i] = means[i * places + p] / seen;
          mean[i * places + p] = first[i * places + p] + own[i];
        }
        for (let i = 0; i < d; i++) {
          for (let j = 0; j <= i; j++) {
            const sum = squares[p * d * d + i * d + j] - seen * own[i] * own[j];
            covariance[i * d + j] = sum / Math.max(1, seen - 1) + (i === j ? options.regularization : 0);
          }
        }
        whitening.set(inverseFactor(covariance, d), p * d * d);
      }
      return {
        'padim.channels': float32(Float32Array.from(kept)),
        'padim.mean': float32(mean, [d, height, width]),
        'padim.whitening': float32(whitening, [places, d, d]),
      };
    },

    score(options, net, x) {
      const padim = net('padim');
      const mean = padim.learnt('mean'); // [d,h,w]
      const [d, height, width] = mean.shape as number[];
      const places = height * width;
      const y = g.sub(g.gather(joinedTaps(options, net, x), g.cast(padim.learnt('channels'), 'int64'), 1), mean); // [N,d,h,w]
      const rows = g.transpose(g.reshape(y, [x.shape[0], d, places]), [2, 0, 1]); // [P,N,d]
      // Σ⁻¹ = LᵀL, and whitening is Lᵀ: the distance is the length of L y.
      const white = g.matMul(rows, padim.learnt('whitening')); // [P,N,d]
      const distances = g.sqrt(g.reduceSum(g.square(white), { axes: [2] })); // [P,N]
      const grid = g.reshape(g.transpose(distances, [1, 0]), [x.shape[0], 1, height, width]);
      const map = smoothMap(grid, sidesOf(x), options.smoothing);
      return { map, score: scoreOfPlaces(options.imageScore, options.top, g.flatten(grid), map) };
    },

    pool: ({ imageScore, top }, map) => (imageScore === 'top' ? meanOfTop(map, top) : poolMap('max', map)),
  }),
);

function joinedTaps(options: Config, net: (group: string) => Scope, x: Value): Value {
  return joined(tapped(options, net, x), 'nearest');
}

/** Adds v vᵀ, its lower triangle, to the matrix that begins at `at`. */
function addOuter(into: Float64Array, at: number, v: Float64Array): void {
  const d = v.length;
  for (let i = 0; i < d; i++) {
    const vi = v[i];
    const row = at + i * d;
    for (let j = 0; j <= i; j++) into[row + j] += vi * v[j];
  }
}

/** Lᵀ with Σ⁻¹ = LᵀL: the inverse of the Cholesky factor of Σ, whose lower triangle is given, transposed. */
function inverseFactor(covariance: Float64Array, d: number): Float64Array {
  const c = covariance.slice();
  for (let j = 0; j < d; j++) {
    for (let k = 0; k < j; k++) {
      const factor = c[j * d + k];
      for (let i = j; i < d; i++) c[i * d + j] -= c[i * d + k] * factor;
    }
    const root = Math.sqrt(c[j * d + j]);
    for (let i = j; i < d; i++) c[i * d + j] /= root;
  }
  const inverse = new Float64Array(d * d); // a column of L in each row
  for (let j = 0; j < d; j++) {
    inverse[j * d + j] = 1 / c[j * d + j];
    for (let i = j + 1; i < d; i++) {
      let sum = 0;
      for (let k = j; k < i; k++) sum += c[i * d + k] * inverse[j * d + k];
      inverse[j * d + i] = -sum / c[i * d + i];
    }
  }
  return inverse;
}
