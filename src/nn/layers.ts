/** Layers with parameters: dense, convolution, transposed convolution, embedding; and dropout. */
import { ShapeError } from '../core/errors.ts';
import { concrete, show } from '../core/shape.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import { fanInUniform, type Initializer, normalInit } from './initializers.ts';
import { spectralNorm } from './norms.ts';
import type { Scope } from './scope.ts';

export interface LayerOptions {
  bias?: boolean;
  weightInit?: Initializer;
  biasInit?: Initializer;
  /** Divide the weight by its largest singular value (spectral normalisation). */
  spectral?: boolean;
}

/** `x · W + b` over the last axis: `[..., in] → [..., units]`. W is `[in, units]`. */
export function dense(scope: Scope, x: Value, units: number, options: LayerOptions = {}): Value {
  const [features] = concrete(x.shape.slice(-1), 'A dense layer');
  const fan = { in: features, out: units };
  const weight = scope.parameter('weight', [features, units], options.weightInit ?? fanInUniform, fan);
  if (x.shape.length < 2) throw new ShapeError(`dense: the input needs a batch axis, got ${show(x.shape)}.`);
  const y = g.matMul(x, options.spectral ? spectralNorm(scope, weight, 1) : weight);
  return options.bias === false ? y : g.add(y, scope.parameter('bias', [units], options.biasInit ?? fanInUniform, fan));
}

export interface ConvLayerOptions extends LayerOptions, g.ConvOptions {
  filters: number;
  /** Kernel size per spatial axis, or one number for all. */
  kernel: number | readonly number[];
}

function kernelShape(x: Value, kernel: number | readonly number[]): number[] {
  return typeof kernel === 'number' ? x.shape.slice(2).map(() => kernel) : [...kernel];
}

/** Convolution layer, 1-D or 2-D: `[N, C, ...] → [N, filters, ...]`. The kernel is `[filters, C / groups, ...]`. */
export function conv(scope: Scope, x: Value, options: ConvLayerOptions): Value {
  const [channels] = concrete([x.shape[1]], 'A convolution');
  const kernel = kernelShape(x, options.kernel);
  const taps = kernel.reduce((n, k) => n * k, 1);
  const perGroup = channels / (options.groups ?? 1);
  // As PyTorch counts: groups lessen the inputs of a unit, not its outputs.
  const fan = { in: perGroup * taps, out: options.filters * taps };
  const weight = scope.parameter(
    'weight',
    [options.filters, perGroup, ...kernel],
    options.weightInit ?? fanInUniform,
    fan,
  );
  const bias =
    options.bias === false
      ? undefined
      : scope.parameter('bias', [options.filters], options.biasInit ?? fanInUniform, fan);
  return g.conv(x, options.spectral ? spectralNorm(scope, weight) : weight, { ...options, bias });
}

/**
 * Transposed convolution layer: `[N, C, ...] → [N, filters, ...]`, size (n − 1)·stride − 2·padding + kernel +
 * outputPadding. The kernel is `[C, filters / groups, ...]`, as in PyTorch.
 */
export function convTranspose(scope: Scope, x: Value, options: ConvLayerOptions & { outputPadding?: number }): Value {
  const [channels] = concrete([x.shape[1]], 'A transposed convolution');
  const kernel = kernelShape(x, options.kernel);
  const taps = kernel.reduce((n, k) => n * k, 1);
  const perGroup = options.filters / (options.groups ?? 1);
  // PyTorch counts the fan of a transposed kernel over its second axis.
  const fan = { in: perGroup * taps, out: channels * taps };
  const weight = scope.parameter('weight', [channels, perGroup, ...kernel], options.weightInit ?? fanInUniform, fan);
  const bias =
    options.bias === false
      ? undefined
      : scope.parameter('bias', [options.filters], options.biasInit ?? fanInUniform, fan);
  return g.convTranspose(x, options.spectral ? spectralNorm(scope, weight, 1) : weight, { ...options, bias });
}

/** Rows of a learnt table: int64 indices `[...] → [..., width]`. */
export function embedding(
  scope: Scope,
  indices: Value,
  options: { count: number; width: number; init?: Initializer },
): Value {
  const { count, width } = options;
  const table = scope.parameter('weight', [count, width], options.init ?? normalInit(1), { in: count, out: width });
  return g.gather(table, indices, 0);
}

/** Zeroes a share `rate` of the values while training and scales the others by 1 / (1 − rate); else the identity. */
export function dropout(scope: Scope, x: Value, rate: number): Value {
  if (!scope.training || rate === 0) return x;
  const noise = scope.draw('dropout', { kind: 'uniform', shape: concrete(x.shape, 'Dropout') });
  return g.mul(x, g.mul(g.step(g.sub(noise, rate)), 1 / (1 - rate)));
}
