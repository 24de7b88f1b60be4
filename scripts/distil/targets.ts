/**
 * What the heads of the backbone are to say: the leading principal components of pretrained features, standardised per
 * channel. They are fixed before training, and not whitened: what varies most counts most. The teachers run with their
 * tensors as constants in a session of their own, which takes a fraction of their time inside of a training step.
 */

import { features, findBackbone, oddityTaps } from '../../src/backbones/index.ts';
import { loadWeights } from '../../src/backbones/load.ts';
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

export const heads = ['fine', 'coarse'] as const;
export type Head = (typeof heads)[number];

/** Features of all teachers side by side on the grid of each head, of images `[N, 3, side, side]`. */
export async function teacherFeatures(names: readonly string[], root: string, image: Value): Promise<Value[]> {
  const sides = heads.map((head) => Number(image.shape[2]) / oddityTaps[head].stride);
  const all = await Promise.all(
    names.map(async (name) => {
      const backbone = findBackbone(name);
      const weights = await loadWeights(backbone, { root });
      const trace = new Trace(false);
      const found = features(backbone, trace.group('b'), image, backbone.usual);
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

/** Weight `[k, C, 1, 1]` and bias `[k]` of each head's projection, by `fine.weight` and so on. */
export async function findProjections(
  runtime: Runtime,
  teachers: readonly string[],
  { root, supply, side, images = 512, rng }: { root: string; supply: Supply; side: number; images?: number; rng: Rng },
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
          .subarray(0, 32);
        for (const p of order)
          rows.push(Float32Array.from({ length: channels }, (_, c) => Number(data[(i * channels + c) * places + p])));
      }
    }
  }
  await session.close();
  const tensors: Tensors = {};
  for (const { head, rows } of kept) Object.assign(tensors, await projection(head, rows, rng.split('axes')));
  return tensors;
}

/** The affine map from raw features to components whose mean square is 1. */
async function projection(head: Head, rows: readonly Float32Array[], rng: Rng): Promise<Tensors> {
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
  const scale = Math.sqrt(explained / count);
  const weight = axes.map((v, i) => v / (std[i % width] * scale));
  const bias = Float32Array.from({ length: count }, (_, k) => {
    let sum = 0;
    for (let c = 0; c < width; c++) sum -= weight[k * width + c] * mean[c];
    return sum;
  });
  return {
    [`${head}.weight`]: float32(Float32Array.from(weight), [count, width, 1, 1]),
    [`${head}.bias`]: float32(bias),
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
