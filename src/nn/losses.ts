/** Losses: scalars, means over all elements and the batch unless said. */
import { ShapeError } from '../core/errors.ts';
import { concrete } from '../core/shape.ts';
import { float32 } from '../core/tensor.ts';
import { constant } from '../graph/leaf.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';

/** Mean absolute error. */
export function l1(a: Value, b: Value): Value {
  return g.reduceMean(g.abs(g.sub(a, b)));
}

/** Mean squared error. */
export function l2(a: Value, b: Value): Value {
  return g.reduceMean(g.square(g.sub(a, b)));
}

/** Cross-entropy of logits with targets in [0, 1]: mean of softplus(l) − l·t, safe for any logit. */
export function bceWithLogits(logits: Value, targets: Value | number): Value {
  return g.reduceMean(g.sub(g.softplus(logits), g.mul(logits, targets)));
}

/** Cross-entropy of logits `[N, K]` with one-hot (or soft) targets `[N, K]`, mean over N; `weights` per class. */
export function crossEntropy(logits: Value, targets: Value, weights?: Value): Value {
  const terms = g.mul(g.logSoftmax(logits, -1), targets);
  return g.neg(g.reduceMean(g.reduceSum(weights ? g.mul(terms, weights) : terms, { axes: [-1] })));
}

/** Focal loss of Lin et al. 2017 on logits `[N, K]`: −Σ t · (1 − p)^γ · log p, mean over N. */
export function focal(logits: Value, targets: Value, gamma = 2): Value {
  const logP = g.logSoftmax(logits, -1);
  const away = g.pow(g.sub(1, g.clip(g.exp(logP), 0, 1 - 1e-6)), gamma);
  return g.neg(g.reduceMean(g.reduceSum(g.mul(targets, g.mul(away, logP)), { axes: [-1] })));
}

/** 1 − cosine of the angle between rows, over the last axis, mean. */
export function cosine(a: Value, b: Value, eps = 1e-8): Value {
  return g.sub(1, g.reduceMean(cosineSimilarity(a, b, eps)));
}

/** Cosine of the angle between rows `[..., D] → [...]`. */
export function cosineSimilarity(a: Value, b: Value, eps = 1e-8): Value {
  const norm = (v: Value) => g.sqrt(g.add(g.reduceSum(g.square(v), { axes: [-1] }), eps));
  return g.div(g.reduceSum(g.mul(a, b), { axes: [-1] }), g.mul(norm(a), norm(b)));
}

/** KL divergence of N(mean, e^logVariance) from N(0, 1): ½ Σ (μ² + σ² − 1 − log σ²) per row, mean over the batch. */
export function klStandardNormal(mean: Value, logVariance: Value): Value {
  const terms = g.sub(g.sub(g.add(g.square(mean), g.exp(logVariance)), 1), logVariance);
  return g.mul(g.reduceMean(g.reduceSum(terms, { axes: [-1] })), 0.5);
}

/**
 * A Gaussian window of odd `size` along an axis of n pixels, as a matrix `[n, n]`; windows that reach over the border see
 * mirrored pixels (the border pixel once).
 */
function windowMatrix(n: number, size: number, sigma: number): Value {
  const radius = (size - 1) / 2;
  const weights = Array.from({ length: size }, (_, k) => Math.exp(-((k - radius) ** 2) / (2 * sigma * sigma)));
  const total = weights.reduce((a, b) => a + b, 0);
  const matrix = new Float32Array(n * n);
  for (let o = 0; o < n; o++) {
    for (let k = 0; k < size; k++) {
      const at = o + k - radius;
      const mirrored = at < 0 ? -at : at >= n ? 2 * (n - 1) - at : at;
      matrix[o * n + mirrored] += weights[k] / total;
    }
  }
  return constant(float32(matrix, [n, n]));
}

export interface SsimOptions {
  /** Window size in pixels, odd. */
  window?: number;
  sigma?: number;
  /** Largest minus smallest possible value. */
  range?: number;
}

/**
 * Structural similarity per pixel (Wang et al. 2004, equation 13) with a Gaussian window (11 pixels, σ 1.5), K1 0.01 and
 * K2 0.03: `[N, C, H, W] → [N, C, H, W]`. Windows at the border see mirrored pixels.
 */
export function ssimMap(a: Value, b: Value, options: SsimOptions = {}): Value {
  const { window = 11, sigma = 1.5, range = 1 } = options;
  const [c1, c2] = [(0.01 * range) ** 2, (0.03 * range) ** 2];
  const [height, width] = concrete(a.shape.slice(-2), 'SSIM');
  if (Math.min(height, width) <= (window - 1) / 2) {
    throw new ShapeError(
      `SSIM: a window of ${window} needs more than ${(window - 1) / 2} pixels, got ${height} × ${width}.`,
    );
  }
  // Two small matrix products: faster than convolving one channel at a time.
  const rows = windowMatrix(height, window, sigma);
  const columns = windowMatrix(width, window, sigma);
  const blur = (v: Value) => g.matMul(g.matMul(rows, v), columns, { transposeB: true });
  // Variances do not change when a constant is taken off first, and float32 then loses far less in E[x²] − E[x]².
  const level = g.stopGradient(g.reduceMean(a, { axes: [-2, -1], keep: true }));
  const [a0, b0] = [g.sub(a, level), g.sub(b, level)];
  const [ma0, mb0] = [blur(a0), blur(b0)];
  const saa = g.sub(blur(g.square(a0)), g.square(ma0));
  const sbb = g.sub(blur(g.square(b0)), g.square(mb0));
  const sab = g.sub(blur(g.mul(a0, b0)), g.mul(ma0, mb0));
  const [ma, mb] = [g.add(ma0, level), g.add(mb0, level)];
  const top = g.mul(g.add(g.mul(g.mul(ma, mb), 2), c1), g.add(g.mul(sab, 2), c2));
  const bottom = g.mul(g.add(g.add(g.square(ma), g.square(mb)), c1), g.add(g.add(saa, sbb), c2));
  return g.div(top, bottom);
}

/** 1 − mean SSIM. */
export function ssim(a: Value, b: Value, options: SsimOptions = {}): Value {
  return g.sub(1, g.reduceMean(ssimMap(a, b, options)));
}
