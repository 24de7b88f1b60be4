/** Normalisation layers: batch, layer, group, instance, pixel; and spectral normalisation of weights. */
import { concrete, product } from '../core/shape.ts';
import { float32 } from '../core/tensor.ts';
import { constant } from '../graph/leaf.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import { type Initializer, normalInit, onesInit, zerosInit } from './initializers.ts';
import type { Scope } from './scope.ts';

export interface BatchNormOptions {
  /** Share of the new batch in the running statistics. */
  momentum?: number;
  eps?: number;
  scaleInit?: Initializer;
  /** Learn a scale and an offset per channel; true by default. */
  affine?: boolean;
}

/**
 * Batch normalisation (Ioffe & Szegedy 2015) over all axes but the second. Training uses the batch's own mean and
 * variance and moves the running ones (unbiased variance, as in PyTorch); inference uses the running ones.
 */
export function batchNorm(scope: Scope, x: Value, options: BatchNormOptions = {}): Value {
  const { momentum = 0.1, eps = 1e-5, affine = true } = options;
  const [channels] = concrete([x.shape[1]], 'Batch norm');
  const fixed = (value: number) => constant(float32(new Float32Array(channels).fill(value)));
  const scale = affine ? scope.parameter('weight', [channels], options.scaleInit ?? onesInit) : fixed(1);
  const shift = affine ? scope.parameter('bias', [channels], zerosInit) : fixed(0);
  const runningMean = scope.buffer('running_mean', [channels], zerosInit);
  const runningVariance = scope.buffer('running_var', [channels], onesInit);
  if (!scope.training) {
    const factor = g.div(scale, g.sqrt(g.add(runningVariance, eps)));
    const offset = g.sub(shift, g.mul(runningMean, factor));
    return g.scaleChannels(x, factor, offset);
  }
  const { y, mean, variance } = g.batchNormalize(x, scale, shift, eps);
  const count = Number(product(x.shape)) / channels;
  const unbiased = g.mul(variance, count / Math.max(1, count - 1));
  scope.update('running_mean', g.add(g.mul(runningMean, 1 - momentum), g.mul(mean, momentum)));
  scope.update('running_var', g.add(g.mul(runningVariance, 1 - momentum), g.mul(unbiased, momentum)));
  return y;
}

/** `(x − mean) / √(variance + eps)` with both taken over `axes`. */
function standardize(x: Value, axes: readonly number[], eps: number): Value {
  const centred = g.sub(x, g.reduceMean(x, { axes, keep: true }));
  const variance = g.reduceMean(g.square(centred), { axes, keep: true });
  return g.div(centred, g.sqrt(g.add(variance, eps)));
}

/**
 * Layer normalisation (Ba et al. 2016) over all axes but the first. Scale and offset are per channel (axis 1), as in
 * f-AnoGAN's critic; for `[N, D]` that is per feature.
 */
export function layerNorm(scope: Scope, x: Value, eps = 1e-5): Value {
  const axes = x.shape.slice(1).map((_, i) => i + 1);
  return affine(scope, standardize(x, axes, eps), 1);
}

/** Layer normalisation over the last axis only, as in transformers. */
export function layerNormLast(scope: Scope, x: Value, eps = 1e-5): Value {
  return affine(scope, standardize(x, [x.shape.length - 1], eps), x.shape.length - 1);
}

/** Group normalisation (Wu & He 2018) over groups of channels and all pixels. */
export function groupNorm(scope: Scope, x: Value, groups: number, eps = 1e-5): Value {
  const [channels] = concrete([x.shape[1]], 'Group norm');
  const scale = scope.parameter('weight', [channels], onesInit);
  const shift = scope.parameter('bias', [channels], zerosInit);
  return g.groupNormalize(x, scale, shift, { groups, eps }).y;
}

/** Instance normalisation (Ulyanov et al. 2016): each channel of each image by itself. */
export function instanceNorm(scope: Scope, x: Value, eps = 1e-5): Value {
  return affine(
    scope,
    standardize(
      x,
      x.shape.slice(2).map((_, i) => i + 2),
      eps,
    ),
    1,
  );
}

/** Pixel normalisation (Karras et al. 2018): each pixel's channels to unit mean square. */
export function pixelNorm(x: Value, eps = 1e-8): Value {
  return g.div(x, g.sqrt(g.add(g.reduceMean(g.square(x), { axes: [1], keep: true }), eps)));
}

function affine(scope: Scope, x: Value, axis: number): Value {
  const [width] = concrete([x.shape[axis]], 'A norm');
  const wide = x.shape.map((_, i) => (i === axis ? width : 1));
  const scale = scope.parameter('weight', [width], onesInit);
  const shift = scope.parameter('bias', [width], zerosInit);
  return g.add(g.mul(x, g.reshape(scale, wide)), g.reshape(shift, wide));
}

/**
 * Spectral normalisation (Miyato et al. 2018): the weight divided by its largest singular value, estimated by one power
 * iteration per training step. `outputAxis` is the axis of output units (0 for kernels, 1 for dense weights).
 */
export function spectralNorm(scope: Scope, weight: Value, outputAxis = 0): Value {
  const shape = concrete(weight.shape, 'Spectral norm');
  const rows = shape[outputAxis];
  const order = [outputAxis, ...shape.map((_, i) => i).filter((i) => i !== outputAxis)];
  const matrix = g.reshape(g.transpose(weight, order), [rows, -1]);
  const unit = (v: Value) => g.div(v, g.add(g.sqrt(g.reduceSum(g.square(v))), 1e-12));
  const u = g.reshape(scope.buffer('u', [rows], normalInit(1)), [rows, 1]);
  const v = g.stopGradient(unit(g.matMul(matrix, u, { transposeA: true }))); // [in, 1]
  const uNext = g.stopGradient(scope.training ? unit(g.matMul(matrix, v)) : u);
  if (scope.training) scope.update('u', g.reshape(uNext, [rows]));
  const sigma = g.reduceSum(g.mul(uNext, g.matMul(matrix, v)));
  return g.div(weight, sigma);
}
