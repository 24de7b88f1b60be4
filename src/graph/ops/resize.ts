/**
 * Linear resampling as two matrix products, one per axis: the same numbers on every runtime, differentiable as often as
 * wanted. Half-pixel centres (align_corners = false); antialiasing widens the filter when the image shrinks.
 */
import { concrete, type Shape } from '../../core/shape.ts';
import { float32, type Tensor } from '../../core/tensor.ts';
import { constant } from '../leaf.ts';
import type { Value } from '../value.ts';
import { matMul } from './matmul.ts';

/**
 * The matrix `[to, from]` that resamples one axis with the triangle (bilinear) filter. With `antialias` and to < from
 * the filter is as wide as one output pixel, as in Pillow; without, only the two nearest pixels count, as in PyTorch.
 */
export function resizeMatrix(from: number, to: number, antialias: boolean): Tensor {
  const matrix = new Float32Array(to * from);
  const scale = from / to;
  const support = antialias ? Math.max(1, scale) : 1;
  for (let o = 0; o < to; o++) {
    let centre = (o + 0.5) * scale - 0.5;
    if (!antialias) centre = Math.min(Math.max(centre, 0), from - 1);
    let sum = 0;
    const row = new Float64Array(from);
    for (let i = Math.max(0, Math.ceil(centre - support)); i <= Math.min(from - 1, Math.floor(centre + support)); i++) {
      row[i] = Math.max(0, 1 - Math.abs(i - centre) / support);
      sum += row[i];
    }
    for (let i = 0; i < from; i++) matrix[o * from + i] = row[i] / sum;
  }
  return float32(matrix, [to, from]);
}

/** Bilinear resize of the last two axes to `[height, width]`. */
export function resizeBilinear(x: Value, size: Shape, options: { antialias?: boolean } = {}): Value {
  const [height, width] = concrete(x.shape.slice(-2), 'resizeBilinear');
  const [toHeight, toWidth] = concrete(size, 'resizeBilinear');
  const antialias = options.antialias ?? false;
  let y = x;
  if (height !== toHeight) y = matMul(constant(resizeMatrix(height, toHeight, antialias)), y);
  if (width !== toWidth) y = matMul(y, constant(resizeMatrix(width, toWidth, antialias)), { transposeB: true });
  return y;
}
