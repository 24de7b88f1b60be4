/**
 * What the heads of the backbone are to say: the leading principal components of pretrained features, standardised per
 * channel. They are fixed before training, and not whitened: what varies most counts most. The teachers run with their
 * tensors as constants in a session of their own, which takes a fraction of their time inside of a training step.
 */

import { type Backbone, features, findBackbone, oddityTaps } from '../../src/backbones/index.ts';
import { loadWeights } from '../../src/backbones/load.ts';
import { ConfigError } from '../../src/core/errors.ts';
import type { Rng } from '../../src/core/random.ts';
import { float32, type Tensors } from '../../src/core/tensor.ts';
import { bind } from '../../src/engine/scoring/graph.ts';
import { constant, input } from '../../src/graph/index.ts';
import * as g from '../../src/graph/ops/index.ts';
import type { Value } from '../../src/graph/value.ts';
import { principalAxes } from '../../src/models/parts/fitting/principal-axes.ts';
import { Trace } from '../../src/nn/scope.ts';
import type { Runtime, Session } from '../../src/runtime/index.ts';
import type { Supply } from './images.ts';
import { ridge } from './ridge.ts';

export const heads = ['finest', 'fine', 'coarse'] as const;
export type Head = (typeof heads)[number];

/** The last tap of each head's stride. */
function tapsOf({ name, taps }: Backbone): string[] {
  return heads.map((head) => {
    const found = Object.entries(taps).findLast(([, { stride }]) => stride === oddityTaps[head].stride);
    if (!found) throw new ConfigError('teachers', `${name} has no tap of stride ${oddityTaps[head].stride}.`);
    return found[0];
  });
}

/**
 * How a teacher sees images, so that its places look where ours do: the first pixel of the image for the finest grid and for the
 * others, since the places of ResNet-50 v2 look at the first pixel of theirs and those of SqueezeNet at the last, and pixels
 * more for SqueezeNet, which does not pad. The middles are then at 4i + 2, 8i + 3 or 4, 16i + 4 or 11, ours at 4i + 2,
 * 8i + 2 and 16i + 10.
 */
const VIEWS: Readonly<Record<string, { finest: number; others: number; more: number }>> = {
  resnet50_v2: { finest: 2, others: 4, more: 0 },
  squeezenet1_1: { finest: -1, others: -4, more: 3 },
};

/** The image from another pixel on, its borders continued. */
function moved(image: Value, first: number, more: number): Value {
  const side = Number(image.shape[2]);
  const from = Array.from({ length: side + more }, (_, i) => Math.min(side - 1, Math.max(0, i + first)));
  return g.gather(g.gather(image, from, 2), from, 3);
}

/** Features of all teachers side by side on the grid of each head, of images `[N, 3, side, side]`. */
export async function teacherFeatures(names: readonly string[], root: string, image: Value): Promise<Value[]> {
  const sides = heads.map((head) => Number(image.shape[2]) / oddityTaps[head].stride);
  const all = await Promise.all(
    names.map(async (name) => {
      const backbone = findBackbone(name);
      const weights = await loadWeights(backbone, { root });
      const trace = new Trace(false);
      const { finest, others, more } = VIEWS[name] ?? { finest: 0, others: 0, more: 0 };
      const [first, ...rest] = tapsOf(backbone);
      const found = [
        ...features(backbone, trace.group('b'), moved(image, finest, more), [first]),
        ...features(backbone, trace.group('b'), moved(image, others, more), rest),
      ];
      const tensors = Object.fromEntries(Object.entries(weights).map(([key, t]) => [`b.${key}`, t]));
      const bound = bind(name, Object.fromEntries(found.map((v, i) => [i, v])), trace, tensors);
      return Object.values(bound).map((v, i) => g.resizeBilinear(v, [sides[i], sides[i]]));
    }),
  );
  return heads.map((_, i) =>
    g.concat(
      all.map((values) => values[i]),
      1,
    ),
  );
}

/** How far components are brought to one variance: 0 not at all, 1 wholly. */
const WHITENED = 0.5;

/** Places of an image at which its features are taken for the components. */
const PLACES = 32;

/**
 * Weight `[k, C, 1, 1]` and bias `[k]` of each head's projection, by `fine.weight` and so on; and, by `begin.fine.weight`, of its
 * best linear guess from the features of the last teacher alone, which is SqueezeNet.
 */
export async function findProjections(
  runtime: Runtime,
  teachers: readonly string[],
  { root, supply, side, images = 200, rng }: { root: string; supply: Supply; side: number; images?: number; rng: Rng },
): Promise<Tensors> {
  const batch = 8;
  const x = input('image', [batch, 3, side, side]);
  const found = await teacherFeatures(teachers, root, x);
  const outputs = Object.fromEntries(heads.map((head, i) => [head, found[i]]));
  const session = await runtime.compile({ name: 'teachers', outputs, carry: {} });
  const kept = heads.map((head) => ({ head, rows: [] as Float32Array[] }));
  for (let at = 0; at < images; at += batch) {
    const results = await session.run({ image: batchOf(supply, at, batch, side) });
    for (const { head, rows } of kept) {
      const { data, shape } = results[head];
      const [, channels, height, width] = shape;
      const places = height * width;
      for (let i = 0; i < batch; i++) {
        const order = rng
          .split(head)
          .split(at + i)
          .permutation(places)
          .subarray(0, PLACES);
        for (const p of order)
          rows.push(Float32Array.from({ length: channels }, (_, c) => Number(data[(i * channels + c) * places + p])));
      }
    }
  }
  await session.close();
  const last = findBackbone(teachers.at(-1)!);
  const known = (head: Head) => last.taps[tapsOf(last)[heads.indexOf(head)]].channels;
  const tensors: Tensors = {};
  for (const { head, rows } of kept)
    Object.assign(tensors, await projection(head, rows, known(head), rng.split('axes')));
  return tensors;
}

/** What is added to the diagonal where the guess is fitted, in variances. */
const RIDGE = 0.01;

/** The affine maps: from raw features to components whose mean square is 1, and from those of the last teacher to a guess of them. */
async function projection(head: Head, rows: readonly Float32Array[], known: number, rng: Rng): Promise<Tensors> {
  const width = rows[0].length;
  const mean = new Float64Array(width);
  const squares = new Float64Array(width);
  for (const row of rows)
    for (let c = 0; c < width; c++) {
      mean[c] += row[c] / rows.length;
      squares[c] += row[c] ** 2 / rows.length;
    }
  const std = squares.map((s, c) => Math.sqrt(Math.max(1e-8, s - mean[c] ** 2)));
  for (const row of rows) for (let c = 0; c < width; c++) row[c] = (row[c] - mean[c]) / std[c];
  const count = oddityTaps[head].channels;
  const { axes, variances, total } = await principalAxes(
    {
      shape: [width],
      count: rows.length,
      rng,
      async *blocks(size) {
        for (let at = 0; at < rows.length; at += size) {
          const some = rows.slice(at, at + size);
          const data = new Float32Array(some.length * width);
          some.forEach((row, i) => {
            data.set(row, i * width);
          });
          yield { count: some.length, data };
        }
      },
    },
    { count },
  );
  const explained = variances.reduce((a, b) => a + b);
  console.log(
    `${head}: ${count} of ${width} components hold ${((100 * explained) / total).toFixed(1)} % of the variance`,
  );
  // λ^(−w/2), times what makes the mean square 1: Σ λ^(1−w) / count of the kept components.
  const kept = Float64Array.from(variances, (v) => v ** (1 - WHITENED));
  const scale = Math.sqrt(kept.reduce((a, b) => a + b) / count);
  const factors = Float64Array.from(variances, (v) => v ** (-WHITENED / 2) / scale);
  const weight = axes.map((v, i) => (v * factors[Math.floor(i / width)]) / std[i % width]);
  const biasOf = (from: number, weights: ArrayLike<number>) =>
    Float32Array.from({ length: count }, (_, k) => {
      const size = width - from;
      let sum = 0;
      for (let c = 0; c < size; c++) sum -= weights[k * size + c] * mean[from + c];
      return sum;
    });
  const from = width - known;
  const wanted = rows.map((row) =>
    Float32Array.from({ length: count }, (_, k) => {
      let sum = 0;
      for (let c = 0; c < width; c++) sum += row[c] * axes[k * width + c];
      return sum * factors[k];
    }),
  );
  const { map } = ridge(
    rows.map((row) => row.subarray(from)),
    wanted,
    RIDGE,
  );
  const guess = Float32Array.from({ length: count * known }, (_, i) => {
    const [k, c] = [Math.floor(i / known), i % known];
    return map[c * count + k] / std[from + c];
  });
  const left = wanted.reduce((sum, row, n) => {
    let part = 0;
    for (let k = 0; k < count; k++) {
      let v = row[k];
      for (let c = 0; c < known; c++) v -= rows[n][from + c] * map[c * count + k];
      part += v * v;
    }
    return sum + part / count / rows.length;
  }, 0);
  console.log(`${head}: a linear guess from the last teacher leaves ${left.toFixed(3)} of the mean square`);
  return {
    [`begin.${head}.weight`]: float32(guess, [count, known, 1, 1]),
    [`begin.${head}.bias`]: float32(biasOf(from, guess)),
    [`${head}.weight`]: float32(Float32Array.from(weight), [count, width, 1, 1]),
    [`${head}.bias`]: float32(biasOf(0, weight)),
    [`${head}.variances`]: float32(Float32Array.from(variances)),
  };
}

/** A session from images to targets, `fine` and `coarse`, for batches of a fixed size. */
export async function openTargets(
  runtime: Runtime,
  teachers: readonly string[],
  root: string,
  projections: Tensors,
  [batch, side]: readonly [number, number],
): Promise<Session> {
  const x = input('image', [batch, 3, side, side]);
  const found = await teacherFeatures(teachers, root, x);
  const outputs = Object.fromEntries(
    heads.map((head, i) => {
      const [weight, bias] = ['weight', 'bias'].map((part) => constant(projections[`${head}.${part}`]));
      return [head, g.conv(found[i], weight, { bias })];
    }),
  );
  return runtime.compile({ name: 'targets', outputs, carry: {} });
}

export function batchOf(supply: Supply, first: number, count: number, side: number) {
  const size = 3 * side * side;
  const data = new Float32Array(count * size);
  for (let i = 0; i < count; i++) data.set(supply(first + i), i * size);
  return float32(data, [count, 3, side, side]);
}
