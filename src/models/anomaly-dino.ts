/**
 * AnomalyDINO (Damm et al., AnomalyDINO: boosting patch-based few-shot anomaly detection with DINOv2, WACV 2025, arXiv
 * 2405.14529): a bank of all patches of the reference images, each of length 1, and for each patch of an image one minus the
 * cosine to the nearest. Made for vision transformers, whose last tokens are compared under the last norm; of other
 * backbones the usual taps are joined. Ours: images are resampled to a multiple of the patch instead of cropped, turned
 * references are filled by their border instead of black, and every normal image is a reference unless fewer are given.
 * Left out: half precision, approximate neighbours, and the authors' list of objects for which masks and turns pay.
 */
import * as z from 'zod';
import { DataError } from '../core/errors.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import { option, say } from '../core/text.ts';
import { full } from '../graph/leaf.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import type { Scope } from '../nn/scope.ts';
import { defineModel, type FitData } from './define.ts';
import { asRows, backboneOptions, choiceOf, joined, tapped, tapsOf, tooSmall } from './parts/features.ts';
import { objectMask } from './parts/maps/object-mask.ts';
import { smoothMap } from './parts/maps/smooth-map.ts';
import { nearestPlace } from './parts/nearest-place.ts';
import { nearestRows, squaresTo } from './parts/nearest-rows.ts';
import * as common from './parts/options.ts';
import { sidesOf } from './parts/shapes.ts';
import { turnedImage, turnedPlaces } from './parts/turn-image.ts';

const config = z.strictObject({
  ...backboneOptions,
  rotations: z
    .boolean()
    .default(false)
    .describe('Turn each reference image by 0, 45, … 315 degrees: eight times the bank.'),
  mask: z
    .boolean()
    .default(false)
    .describe(
      "Compare only the patches of the object, found in the backbone's tokens; for single objects on a plain ground.",
    ),
  top: z
    .number()
    .positive()
    .max(1)
    .default(0.01)
    .describe('Share of the patches whose mean distance is the score: the largest.'),
  smoothing: common.smoothing(2.3),
});
type Config = z.infer<typeof config>;

/** Turns of the references, in degrees. */
const TURNS = [0, 45, 90, 135, 180, 225, 270, 315];
/** Numbers of the bank (512 MiB). */
const MOST = 2 ** 27;
/** Images per call. */
const BLOCK = 4;

/**
 * AnomalyDINO: a bank of all patch tokens of the normal images; the map is one minus the cosine to the nearest (Damm et al.,
 * WACV 2025, arXiv 2405.14529).
 * Images, from a single normal one on. Nothing is trained; memory and scoring time grow with the number of normal images.
 * Items can be added or removed later by `update`.
 */
export const anomalyDino = defineModel({
  name: 'anomaly-dino',
  title: 'AnomalyDINO',
  idea: 'All patch features of a few normal images are kept; the map is one minus the cosine of each patch to the nearest of them.',
  paper: 'Damm et al., AnomalyDINO: boosting patch-based few-shot anomaly detection with DINOv2, WACV 2025.',
  learning: 'one-class',
  inputs: ['image'],
  learns: 'statistics',
  config,
  presets: { paper: { backbone: 'dinov2_vits14' } },
  imageSize: { atMost: 448 },
  tiny: { taps: 'fine', smoothing: 1 },
  backbone: choiceOf,

  unsuitable(options, shape) {
    const { backbone } = tapsOf(options);
    if (options.mask && backbone.classToken === undefined) {
      return say`${option('config.mask', true)} needs tokens of a vision transformer, and ${backbone.name} has none. Choose
        such a backbone, or leave the mask out.`;
    }
    return tooSmall(options, shape);
  },

  async fit(options, data) {
    return tensorsOf(options, await gatherBank(options, data, 0));
  },

  async update(options, learnt, kept, added) {
    const former = staying(learnt, kept);
    if (added.count === 0) return tensorsOf(options, former);
    const fresh = await gatherBank(options, added, kept.length, former.rows.length);
    const [rows, origins] = [
      new Float32Array(former.rows.length + fresh.rows.length),
      [...former.origins, ...fresh.origins],
    ];
    rows.set(former.rows);
    rows.set(fresh.rows, former.rows.length);
    return tensorsOf(options, { rows, origins });
  },

  score(options, net, x) {
    const { rows, mask, grid } = patches(options, net, x);
    const bank = net('anomaly-dino').learnt('bank'); // [M,D]
    const origins = net('anomaly-dino').learnt('origins'); // [M,2]
    const nearest = nearestRows(rows, bank, full([bank.shape[0]], 0)); // [N,P]
    // Of rows of length 1: 1 − cos = ½|x − b|².
    const cosines = g.mul(squaresTo(rows, bank, nearest), 0.5);
    const distances = mask ? g.mul(cosines, g.reshape(mask, cosines.shape)) : cosines; // [N,P]
    const count = Math.max(1, Math.floor(options.top * grid[0] * grid[1]));
    const map = smoothMap(g.reshape(distances, [x.shape[0], 1, ...grid]), sidesOf(x), options.smoothing);
    return {
      map,
      score: g.reduceMean(g.topK(distances, count).values, { axes: [1] }),
      nearest: nearestPlace(g.argMax(distances, 1), nearest, origins, { grid, image: sidesOf(x) }),
    };
  },
});

/** Patches that are kept, and the image and the place in its grid from which each is. */
interface Bank {
  /** `[M, D]`, each row of length 1. */
  readonly rows: Float32Array;
  /** `[M, 2]`. */
  readonly origins: readonly number[];
}

/** Patches of images as rows `[N, P, D]` of length 1, and which of them are the object's, `[N, 1, h, w]`. */
function patches({ mask, ...options }: Config, net: (group: string) => Scope, x: Value) {
  const found = joined(tapped(options, net, x));
  const rows = asRows(found);
  const lengths = g.sqrt(g.add(g.reduceSum(g.square(rows), { axes: [2], keep: true }), 1e-12));
  const grid = sidesOf(found);
  return { rows: g.div(rows, lengths), grid, mask: mask ? objectMask(rows, grid) : undefined };
}

/** The bank of the data, whose images are counted from `first` on; `held` are numbers of a bank that it joins. */
async function gatherBank(options: Config, data: FitData, first: number, held = 0): Promise<Bank> {
  const turns = options.rotations ? TURNS : [0];
  let grid: [number, number] = [0, 0];
  const build = (net: (group: string) => Scope, x: Value): Record<string, Value> => {
    const outputs: Record<string, Value> = {};
    for (const [k, degrees] of turns.entries()) {
      const found = patches(options, net, turnedImage(x, degrees));
      grid = found.grid;
      outputs[`rows${k}`] = found.rows;
      if (found.mask) outputs[`mask${k}`] = g.reshape(found.mask, [x.shape[0], grid[0] * grid[1]]);
    }
    return outputs;
  };
  const parts: Float32Array[] = [];
  const origins: number[] = [];
  let [numbers, image] = [held, first];
  for await (const { count, outputs } of data.through('patches', build, BLOCK)) {
    for (const [k, degrees] of turns.entries()) {
      const [size, width] = outputs[`rows${k}`].shape.slice(1);
      const rows = outputs[`rows${k}`].data as Float32Array;
      const mask = outputs[`mask${k}`]?.data as Float32Array | undefined;
      const places = turnedPlaces(grid, degrees);
      const kept = Array.from({ length: count * size }, (_, i) => i).filter((i) => !mask || mask[i] > 0);
      numbers += kept.length * width;
      if (numbers > MOST) throw tooLarge(size * turns.length * width, data.count);
      const part = new Float32Array(kept.length * width);
      for (const [j, i] of kept.entries()) {
        part.set(rows.subarray(i * width, (i + 1) * width), j * width);
        origins.push(image + Math.floor(i / size), places[i % size]);
      }
      parts.push(part);
    }
    image += count;
  }
  const rows = new Float32Array(parts.reduce((n, { length }) => n + length, 0));
  let at = 0;
  for (const part of parts) {
    rows.set(part, at);
    at += part.length;
  }
  return { rows, origins };
}

/** The error of a bank that does not fit; `each` are numbers of one image. */
function tooLarge(each: number, count: number): DataError {
  return new DataError(
    'bank-memory',
    say`The bank may hold ${MOST} numbers (512 MiB): all patches of about ${Math.floor(MOST / each)} images of this size. It
      would hold those of ${count}. Train on fewer with ${option('trainLimit', Math.max(1, Math.floor(MOST / each)))}, choose
      smaller images, or the model patchcore, which thins its bank.`,
  );
}

/** The part of a learnt bank that is from the images that stay, which are counted anew. */
function staying(learnt: Tensors, kept: Uint32Array): Bank {
  const [bank, from] = [learnt['anomaly-dino.bank'], learnt['anomaly-dino.origins']];
  const width = bank.shape[1];
  const numbers = new Map(Array.from(kept, (item, k) => [item, k]));
  const stay = Array.from({ length: bank.shape[0] }, (_, m) => m).filter((m) => numbers.has(Number(from.data[2 * m])));
  const rows = new Float32Array(stay.length * width);
  for (const [k, m] of stay.entries())
    rows.set((bank.data as Float32Array).subarray(m * width, (m + 1) * width), k * width);
  return { rows, origins: stay.flatMap((m) => [numbers.get(Number(from.data[2 * m]))!, Number(from.data[2 * m + 1])]) };
}

function tensorsOf({ mask }: Config, { rows, origins }: Bank): Tensors {
  const size = origins.length / 2;
  if (size === 0) {
    throw new DataError(
      'empty-bank',
      mask
        ? say`No patch of the normal images belongs to an object. Train without ${option('config.mask')}.`
        : 'All patches of the bank are from the images to be removed. Remove fewer, add others, or train again.',
    );
  }
  return {
    'anomaly-dino.bank': float32(rows, [size, rows.length / size]),
    'anomaly-dino.origins': float32(origins, [size, 2]),
  };
}
