/**
 * PatchCore (Roth et al., Towards total recall in industrial anomaly detection, CVPR 2022, arXiv 2106.08265): a bank of
 * patch features of normal images, thinned by greedy selection; the map is the distance of a patch to the nearest in the
 * bank. Distances are exact. Descriptors are local means of the features at each tap, joined – or, with `descriptor`
 * "adaptive", those of the authors' code, where neighbourhoods are unfolded and averaged to a fixed length. Left out:
 * approximate neighbours and ensembles of backbones.
 */
import * as z from 'zod';
import { DataError } from '../core/errors.ts';
import { float32, type Tensor, type Tensors } from '../core/tensor.ts';
import { option, say } from '../core/text.ts';
import { constant, input } from '../graph/leaf.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import { type Scope, Trace } from '../nn/scope.ts';
import { defineModel, type FitData } from './define.ts';
import { aligning, alignOption } from './parts/alignment.ts';
import { asRows, backboneOptions, choiceOf, joined, tapped, tapsOf, tooSmall } from './parts/features.ts';
import { greedyCoreset } from './parts/fitting/coreset.ts';
import { imageScoreOptions, onlyWith, scoreOfPlaces } from './parts/maps/image-score.ts';
import { smoothMap } from './parts/maps/smooth-map.ts';
import { nearestPlace } from './parts/nearest-place.ts';
import { nearestRows, squaresTo } from './parts/nearest-rows.ts';
import * as common from './parts/options.ts';
import { channelsOf, sidesOf } from './parts/shapes.ts';

const config = z.strictObject({
  ...backboneOptions,
  align: alignOption,
  coreset: z
    .number()
    .positive()
    .max(1)
    .default(0.01)
    .describe('Share of the patches of normal images that is kept in the bank.'),
  neighbourhood: z
    .int()
    .min(1)
    .max(9)
    .default(3)
    .describe('Side of the neighbourhood over which features are averaged, in places of the grid; odd.'),
  neighbours: z
    .int()
    .min(1)
    .max(50)
    .default(1)
    .describe('Neighbours in the bank that re-weight the largest distance; published: 9; 1 leaves it unchanged.'),
  descriptor: z
    .enum(['pooled', 'adaptive'])
    .default('pooled')
    .describe('Local means of the features, or unfolded neighbourhoods averaged to "dimension" numbers.'),
  dimension: z.int().min(8).max(4096).default(1024).describe('Length of an adaptive descriptor.'),
  projection: z
    .int()
    .min(8)
    .max(4096)
    .default(128)
    .describe('Dimensions of the random projection in which the bank is chosen.'),
  squared: z.boolean().default(false).describe('Use squared distances in maps and scores.'),
  ...imageScoreOptions(['largest', 'top', 'smoothed']),
  smoothing: common.smoothing(4),
});
type Config = z.infer<typeof config>;

/** Numbers that patches may take while the bank is chosen (1 GiB), and the bank itself (512 MiB). */
const LIMITS = { patches: 2 ** 28, bank: 2 ** 27 };
/** Images per call. */
const BLOCK = 8;

/**
 * PatchCore: a bank of pretrained patch features of normal images, thinned by greedy selection; the map is the distance
 * to the nearest patch in the bank (Roth et al., CVPR 2022, arXiv 2106.08265).
 * Images. Nothing is trained; memory and scoring time grow with `coreset`. Items can be added or removed later by
 * `update`.
 */
export const patchcore = aligning(
  defineModel({
    name: 'patchcore',
    title: 'PatchCore',
    idea: 'A bank of patch features of normal images; the map is the distance of each patch to the nearest one in the bank.',
    paper: 'Roth et al., Towards total recall in industrial anomaly detection, CVPR 2022.',
    learning: 'one-class',
    inputs: ['image'],
    learns: 'statistics',
    startFor: {
      image: 'compares every place of an image with those of good ones, needs few images and fits in seconds',
    },
    config,
    presets: {
      official: { descriptor: 'adaptive', squared: true },
    },
    imageSize: { atMost: 512 },
    tiny: { taps: 'fine', coreset: 0.1, smoothing: 1 },
    backbone: choiceOf,

    unsuitable(options, shape) {
      const { neighbourhood, descriptor, dimension, neighbours, imageScore } = options;
      const { taps } = tapsOf(options);
      if (neighbourhood % 2 === 0) return say`${option('config.neighbourhood')} must be odd, got ${neighbourhood}.`;
      if (descriptor === 'adaptive' && dimension % taps.length !== 0) {
        return `an adaptive descriptor of ${dimension} numbers needs a number of taps that divides it, got ${taps.length}.`;
      }
      return (
        onlyWith(neighbours > 1, 'neighbours re-weight the largest distance and need', 'largest', imageScore) ??
        tooSmall(options, shape)
      );
    },

    async fit(options, data) {
      return tensorsOf(await chooseBank(options, data, { rows: new Float32Array(), origins: new Float32Array() }, 0));
    },

    async update(options, learnt, kept, added) {
      const former = staying(learnt, kept);
      if (added.count > 0) return tensorsOf(await chooseBank(options, added, former, kept.length));
      if (former.origins.length > 0) return tensorsOf(former);
      throw new DataError(
        'empty-bank',
        'All patches of the bank are from the images to be removed. Remove fewer, add others, or train again.',
      );
    },

    score(options, net, x) {
      const { neighbours, squared, smoothing, imageScore, top } = options;
      const found = descriptors(options, net, x); // [N,D,h,w]
      const [height, width] = sidesOf(found);
      const rows = asRows(found); // [N,P,D]
      const bank = net('patchcore').learnt('bank'); // [M,D]
      const halves = net('patchcore').learnt('halves'); // [M]
      const places = nearestRows(rows, bank, halves); // [N,P]
      const squares = squaresTo(rows, bank, places); // [N,P]
      const distances = squared ? squares : g.sqrt(squares);
      const grid = g.reshape(distances, [x.shape[0], 1, height, width]);
      const map = smoothMap(grid, sidesOf(x), smoothing);
      const overall = scoreOfPlaces(imageScore, top, distances, map); // [N]
      const b = Math.min(neighbours, Number(bank.shape[0]));
      const worst = g.argMax(squares, 1); // [N,1]
      return {
        map,
        score: b === 1 ? overall : g.mul(overall, weight(rows, squares, places, bank, halves, b)),
        nearest: nearestPlace(worst, places, net('patchcore').learnt('origins'), {
          grid: [height, width],
          image: sidesOf(x),
        }),
      };
    },
  }),
);

/** Descriptors that stand for all, and the image and the place in its grid from which each is. */
interface Bank {
  /** `[M, D]`. */
  readonly rows: Float32Array;
  /** `[M, 2]`. */
  readonly origins: Float32Array;
}

/** The former bank of `images` images, with as many patches of the data as its share asks for. */
async function chooseBank(options: Config, data: FitData, former: Bank, images: number): Promise<Bank> {
  const { coreset, projection } = options;
  const { width, height, channels } = sizesOf(options, data);
  const perImage = width * height;
  const patches = perImage * data.count;
  const total = Math.max(1, Math.round(coreset * perImage * (images + data.count)));
  if (total * channels > LIMITS.bank) {
    const share = Number(((coreset * 0.9 * LIMITS.bank) / channels / total).toPrecision(2));
    throw new DataError(
      'bank-memory',
      say`The bank may hold ${LIMITS.bank / channels} patches of ${channels} numbers (512 MiB), but a share of ${coreset}
        of ${perImage * (images + data.count)} is ${total}. Choose ${option('config.coreset', share)} or less.`,
    );
  }
  const count = Math.min(patches, total - former.origins.length / 2);
  if (count <= 0) return former;
  // The choice is made in fewer dimensions, so that the features of all patches need not be kept.
  const dimensions = Math.min(projection, channels);
  const random = data.rng.split('projection').normals(channels * dimensions, 0, 1 / Math.sqrt(dimensions));
  const matrix = constant(float32(random, [channels, dimensions]));
  const seen = Math.min(patches, Math.floor(LIMITS.patches / dimensions));
  const sample = seen < patches ? data.rng.split('patches').permutation(patches).subarray(0, seen).sort() : undefined;
  if (sample) {
    const message = `The bank is chosen from ${seen} of ${patches} patches, sampled at random: more do not fit into memory.`;
    data.onEvent({ type: 'log', level: 'info', message });
  }
  const rows = new Float32Array(seen * dimensions);
  const project = (net: (group: string) => Scope, x: Value) => ({
    rows: g.matMul(asRows(descriptors(options, net, x)), matrix),
  });
  await gatherRows(data, 'patches', project, perImage, dimensions, sample, rows);
  const taken = former.rows.length > 0 ? await projected(data, former.rows, channels, matrix) : undefined;
  const rng = data.rng.split('coreset');
  const { chosen } = await greedyCoreset(rows, dimensions, Math.min(count, seen), { ...data, rng, taken });
  const sorted = Uint32Array.from(chosen, (i) => (sample ? sample[i] : i)).sort();
  const bank = new Float32Array(sorted.length * channels);
  const whole = (net: (group: string) => Scope, x: Value) => ({ rows: asRows(descriptors(options, net, x)) });
  await gatherRows(data, 'bank', whole, perImage, channels, sorted, bank);
  const origins = Array.from(sorted).flatMap((place) => [images + Math.floor(place / perImage), place % perImage]);
  return { rows: concat(former.rows, bank), origins: concat(former.origins, origins) };
}

/** The part of a learnt bank that is from the images that stay, which are counted anew. */
function staying(learnt: Tensors, kept: Uint32Array): Bank {
  const [rows, origins] = [learnt['patchcore.bank'], learnt['patchcore.origins']].map((t) => t.data as Float32Array);
  const channels = rows.length / (origins.length / 2);
  const numbers = new Map(Array.from(kept, (item, k) => [item, k]));
  const stay = Array.from({ length: origins.length / 2 }, (_, m) => m).filter((m) => numbers.has(origins[2 * m]));
  const left = new Float32Array(stay.length * channels);
  for (const [k, m] of stay.entries()) left.set(rows.subarray(m * channels, (m + 1) * channels), k * channels);
  return {
    rows: left,
    origins: Float32Array.from(stay.flatMap((m) => [numbers.get(origins[2 * m])!, origins[2 * m + 1]])),
  };
}

function concat(a: Float32Array, b: ArrayLike<number>): Float32Array {
  const both = new Float32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

function tensorsOf({ rows, origins }: Bank): Tensors {
  const size = origins.length / 2;
  const channels = rows.length / size;
  const halves = new Float32Array(size);
  for (let i = 0; i < rows.length; i++) halves[Math.floor(i / channels)] += rows[i] ** 2 / 2;
  return {
    'patchcore.bank': float32(rows, [size, channels]),
    'patchcore.halves': float32(halves),
    'patchcore.origins': float32(origins, [size, 2]),
  };
}

/** Rows `[M, D]` times a matrix `[D, d]`. */
async function projected(data: FitData, rows: Float32Array, width: number, matrix: Value): Promise<Float32Array> {
  const bank = input('bank', ['M', width]);
  const session = await data.compile({ name: 'projection', outputs: { y: g.matMul(bank, matrix) }, carry: {} });
  try {
    const { y } = await session.run({ bank: float32(rows, [rows.length / width, width]) }, { signal: data.signal });
    return y.data as Float32Array;
  } finally {
    session.close().catch(() => {}); // who cancels does not wait
  }
}

/** Height, width and channels of the grid of descriptors of a data set. */
function sizesOf(options: Config, { shape }: Pick<FitData, 'shape'>) {
  const trace = new Trace(false);
  const found = descriptors(options, (group) => trace.group(group), input('x', ['N', ...shape]));
  const [height, width] = sidesOf(found);
  return { height, width, channels: channelsOf(found) };
}

/** Descriptors of all patches, `[N, D, h, w]` on the finest grid of the taps. */
function descriptors(options: Config, net: (group: string) => Scope, x: Value): Value {
  const { neighbourhood: side, descriptor, dimension } = options;
  const grids = tapped(options, net, x);
  if (descriptor === 'pooled') {
    return joined(grids.map((y) => (side === 1 ? y : g.averagePool(y, side, { stride: 1, padding: side >> 1 }))));
  }
  const each = dimension / grids.length;
  return joined(
    grids.map((y) => g.conv(y, constant(adaptiveKernel(channelsOf(y), side, each, dimension)), { padding: side >> 1 })),
  );
}

/**
 * The authors' two averages as one convolution, `[outputs, C, side, side]`: an unfolded neighbourhood (channel, row,
 * column) is averaged to `dimension` numbers, and of several taps so many of these are averaged that each tap is left
 * with `outputs`.
 */
function adaptiveKernel(channels: number, side: number, outputs: number, dimension: number): Tensor {
  const length = channels * side * side;
  const kernel = new Float32Array(outputs * length);
  const group = dimension / outputs;
  for (let o = 0; o < dimension; o++) {
    const [start, end] = [Math.floor((o * length) / dimension), Math.ceil(((o + 1) * length) / dimension)];
    for (let i = start; i < end; i++) kernel[Math.floor(o / group) * length + i] += 1 / (end - start) / group;
  }
  return float32(kernel, [outputs, channels, side, side]);
}

/** Rows of all patches, or of those at ascending `places`, in order into `out`. */
async function gatherRows(
  data: FitData,
  task: string,
  build: (net: (group: string) => Scope, x: Value) => { rows: Value },
  perImage: number,
  width: number,
  places: Uint32Array | undefined,
  out: Float32Array,
): Promise<void> {
  let [first, k] = [0, 0];
  for await (const { count, outputs } of data.through(task, build, BLOCK)) {
    const rows = outputs.rows.data as Float32Array;
    if (!places) out.set(rows, first * width);
    for (; places && k < places.length && places[k] < first + count * perImage; k++) {
      const from = (places[k] - first) * width;
      out.set(rows.subarray(from, from + width), k * width);
    }
    first += count * perImage;
  }
}

/**
 * Equation 7: 1 − exp(d*) / Σ exp(d), over the `count` rows of the bank that are nearest to m*, the row next to the worst
 * patch; d are the distances of that patch to them. Near 0 where the bank is dense about m*, `[N]`.
 */
function weight(rows: Value, squares: Value, places: Value, bank: Value, halves: Value, count: number): Value {
  const [n, , width] = rows.shape;
  const worst = g.argMax(squares, 1); // [N,1]
  const patch = g.gatherElements(rows, g.broadcastTo(g.unsqueeze(worst, 2), [n, 1, width]), 1); // [N,1,D]
  const centre = g.gather(bank, g.gatherElements(places, worst, 1), 0); // m*, [N,1,D]
  const nearness = g.sub(g.matMul(centre, bank, { transposeB: true }), halves); // [N,1,M]
  const around = g.gather(bank, g.reshape(g.topK(nearness, count).indices, [n, count]), 0); // [N,b,D]
  const distances = g.sqrt(g.reduceSum(g.square(g.sub(around, patch)), { axes: [2] })); // [N,b]
  const closest = g.sqrt(g.reduceMax(squares, { axes: [1], keep: true })); // d*, [N,1]
  return g.sub(1, g.exp(g.sub(g.reshape(closest, [n]), g.logSumExp(distances, { axes: [1] }))));
}
