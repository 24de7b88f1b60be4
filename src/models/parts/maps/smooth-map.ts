/** A coarse grid of scores as a smooth map at the size of the image. */
import { float32, type Tensor } from '../../../core/tensor.ts';
import { constant } from '../../../graph/leaf.ts';
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';

/**
 * The matrix `[size, size]` that blurs one axis with a Gaussian of `sigma` pixels, cut at four deviations and reflected
 * at the edges (d c b a | a b c d), as SciPy's gaussian_filter does.
 */
export function blurMatrix(size: number, sigma: number): Tensor {
  const reach = Math.floor(4 * sigma + 0.5); // 0 below an eighth of a pixel: nothing to blur
  const weights = Float64Array.from({ length: 2 * reach + 1 }, (_, k) =>
    Math.exp(-((k - reach) ** 2) / (2 * sigma ** 2)),
  );
  const sum = weights.reduce((a, b) => a + b);
  const matrix = new Float32Array(size * size);
  for (let i = 0; i < size; i++) {
    for (const [k, weight] of weights.entries()) {
      const at = (((i + k - reach) % (2 * size)) + 2 * size) % (2 * size);
      matrix[i * size + (at < size ? at : 2 * size - 1 - at)] += weight / sum;
    }
  }
  return float32(matrix, [size, size]);
}

/** Shorter side of the images in whose pixels the blur is given. */
const PUBLISHED = 256;

/**
 * `[N, 1, h, w] → [N, 1, H, W]`: bilinear, then a Gaussian blur, 0 for none. Its deviation `smoothing` is in pixels of an image
 * whose shorter side is 256, so that 4, as published, is a sixty-fourth of the side of any image.
 */
export function smoothMap(grid: Value, [height, width]: readonly [number, number], smoothing: number): Value {
  const map = g.resizeBilinear(grid, [height, width]);
  if (smoothing === 0) return map;
  const sigma = (smoothing * Math.min(height, width)) / PUBLISHED;
  return g.matMul(g.matMul(constant(blurMatrix(height, sigma)), map), constant(blurMatrix(width, sigma)), {
    transposeB: true,
  });
}
