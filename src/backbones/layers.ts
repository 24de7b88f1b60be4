/** Layers of pretrained networks whose conventions differ from ours. */
import { concrete } from '../core/shape.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import { zerosInit } from '../nn/initializers.ts';
import type { Scope } from '../nn/scope.ts';

/** `x Wᵀ + b` with W `[units, in]`, as PyTorch keeps it. */
export function linear(scope: Scope, x: Value, units: number): Value {
  const [width] = concrete(x.shape.slice(-1), 'A linear layer');
  const product = g.matMul(x, scope.parameter('weight', [units, width], zerosInit), { transposeB: true });
  return g.add(product, scope.parameter('bias', [units], zerosInit));
}

/** The padding with which a window of TensorFlow's `SAME` covers an image: the odd pixel goes behind. */
export function samePadding(x: Value, kernel: number, stride: number): number[] {
  const pads = concrete(x.shape.slice(2), 'SAME padding').map((n) =>
    Math.max(0, (Math.ceil(n / stride) - 1) * stride + kernel - n),
  );
  return [...pads.map((p) => p >> 1), ...pads.map((p) => p - (p >> 1))];
}

/** The mean over the places of a grid, `[N, C, h, w] → [N, C]`. */
export const pooled = (x: Value): Value => g.reduceMean(x, { axes: [2, 3] });
