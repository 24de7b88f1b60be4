/**
 * PaDiM (Defard et al., ICPR workshops 2020, arXiv 2011.08785): at each place of the grid the features of normal images are
 * a Gaussian; the map is the Mahalanobis distance to it. Images must show their object in the same place: for
 * textures and free poses take patchcore. Left out: per-class ensembles.
 */
import * as z from 'zod';
import { Cancelled, DataError } from '../core/errors.ts';
import { float32 } from '../core/tensor.ts';
import { option, say } from '../core/text.ts';
import { input } from '../graph/leaf.ts';
import * as g from '../graph/ops/index.ts';
import type { Program } from '../graph/program.ts';
import type { Value } from '../graph/value.ts';
import { type Scope, Trace } from '../nn/scope.ts';
import { defineModel, type FitData } from './define.ts';
import { aligning, alignOption } from './parts/alignment.ts';
import { asRows, backboneOptions, choiceOf, joined, tapped, tooSmall } from './parts/features.ts';
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
/** Numbers of features that wait until their products are made: 128 MiB. */
const KEPT = 2 ** 25;
/** Places whose covariances are inverted in a turn. */
const TURN = 500;
/** Numbers of products that the device makes at once: 16 MiB. */
const STEP = 2 ** 22;

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
      const select = (net: (group: string) => Scope, x: Value) => ({
        rows: asRows(g.gather(joinedTaps(options, net, x), [...kept], 1)),
      });
      const { first, sums, products } = await momentsOf(data, select, places, d);
      const mean = new Float32Array(d * places);
      const covariance = new Float64Array(d * d);
      const own = new Float64Array(d);
      const begin = performance.now();
      for (let p = 0; p < places; p++) {
        if (p % TURN === 0) {
          // Ctrl-C is heard between turns.
          await new Promise((resolve) => setTimeout(resolve, 0));
          if (data.signal?.aborted) throw new Cancelled();
          const rate = (1000 * p) / Math.max(1, performance.now() - begin);
          data.onEvent({ type: 'progress', task: 'covariances', done: p, total: places, unit: 'places', rate });
        }
        for (let i = 0; i < d; i++) {
          own[i] = sums[p * d + i] / data.count;
          mean[i * places + p] = first[p * d + i] + own[i];
        }
        for (let i = 0; i < d; i++) {
          for (let j = 0; j <= i; j++) {
            const sum = products[(p * d + i) * d + j] - data.count * own[i] * own[j];
            covariance[i * d + j] = sum / Math.max(1, data.count - 1) + (i === j ? options.regularization : 0);
          }
        }
        products.set(inverseFactor(covariance, d), p * d * d);
      }
      data.onEvent({ type: 'progress', task: 'covariances', done: places, total: places, unit: 'places' });
      return {
        'padim.channels': float32(Float32Array.from(kept)),
        'padim.mean': float32(mean, [d, height, width]),
        'padim.whitening': float32(products, [places, d, d]),
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

/** Sums over images, about the features of the first one as a first guess of the mean. */
interface Moments {
  /** `[P, d]`. */
  readonly first: Float32Array;
  /** `[P, d]`. */
  readonly sums: Float64Array;
  /** `[P, d, d]`. */
  readonly products: Float32Array;
}

/** Sums of the features `[N, P, d]` at each place and of their products, which the device makes for many images and places at once. */
async function momentsOf(
  data: FitData,
  build: (net: (group: string) => Scope, x: Value) => { rows: Value },
  places: number,
  d: number,
): Promise<Moments> {
  const size = places * d;
  const [sums, products] = [new Float64Array(size), new Float32Array(size * d)];
  let first: Float32Array | undefined;
  const images = Math.min(data.count, Math.max(BLOCK, Math.floor(KEPT / size)));
  const waiting = new Float32Array(images * size);
  const session = await data.compile(momentProgram(d));
  try {
    let count = 0;
    const add = async () => {
      const step = Math.max(1, Math.floor(STEP / (d * d)));
      for (let at = 0; at < size; at += step * d) {
        const end = Math.min(size, at + step * d);
        const x = new Float32Array(count * (end - at));
        for (let n = 0; n < count; n++) x.set(waiting.subarray(n * size + at, n * size + end), n * (end - at));
        const feeds = {
          x: float32(x, [count, (end - at) / d, d]),
          first: float32(first!.slice(at, end), [1, (end - at) / d, d]),
        };
        const found = await session.run(feeds, { transfer: true, signal: data.signal });
        const [sum, product] = [found.sums.data, found.products.data];
        for (let i = 0; i < sum.length; i++) sums[at + i] += Number(sum[i]);
        for (let i = 0; i < product.length; i++) products[at * d + i] += Number(product[i]);
      }
      count = 0;
    };
    for await (const { count: more, outputs } of data.through('Gaussians', build, BLOCK)) {
      const rows = outputs.rows.data as Float32Array;
      first ??= rows.slice(0, size);
      if (count + more > images) await add();
      waiting.set(rows, count * size);
      count += more;
    }
    await add();
  } finally {
    session.close().catch(() => {}); // who cancels does not wait
  }
  return { first: first!, sums, products };
}

/** Sums over the images of features less those of the first, and of their products, at some places. */
function momentProgram(d: number): Program {
  const centred = g.sub(input('x', ['N', 'P', d]), input('first', [1, 'P', d]));
  return {
    name: 'moments',
    outputs: {
      sums: g.reduceSum(centred, { axes: [0] }),
      products: g.matMul(g.transpose(centred, [1, 2, 0]), g.transpose(centred, [1, 0, 2])),
    },
    carry: {},
  };
}

/** Lᵀ with Σ⁻¹ = LᵀL: the inverse of the Cholesky factor of Σ, whose lower triangle is given and overwritten, transposed. */
function inverseFactor(c: Float64Array, d: number): Float64Array {
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < i; j++) c[i * d + j] = (c[i * d + j] - dot(c, i * d, c, j * d, j)) / c[j * d + j];
    c[i * d + i] = Math.sqrt(c[i * d + i] - dot(c, i * d, c, i * d, i));
  }
  const inverse = new Float64Array(d * d); // a column of L⁻¹ in each row
  for (let j = 0; j < d; j++) {
    inverse[j * d + j] = 1 / c[j * d + j];
    for (let i = j + 1; i < d; i++) {
      inverse[j * d + i] = -dot(c, i * d + j, inverse, j * d + j, i - j) / c[i * d + i];
    }
  }
  return inverse;
}

/** Σ of the products of `length` numbers from `i` in a and from `j` in b; four sums at once, which do not wait for one another. */
function dot(a: Float64Array, i: number, b: Float64Array, j: number, length: number): number {
  let s = 0;
  let t = 0;
  let u = 0;
  let v = 0;
  let k = 0;
  for (; k + 3 < length; k += 4) {
    s += a[i + k] * b[j + k];
    t += a[i + k + 1] * b[j + k + 1];
    u += a[i + k + 2] * b[j + k + 2];
    v += a[i + k + 3] * b[j + k + 3];
  }
  for (; k < length; k++) s += a[i + k] * b[j + k];
  return s + t + (u + v);
}
