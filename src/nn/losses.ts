/** Losses: scalars, means over all elements and the batch unless said. */
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

/** A normalised Gaussian window as a depthwise kernel `[C, 1, size, 1]` or `[C, 1, 1, size]`. */
export function gaussianKernel(channels: number, size: number, sigma: number, axis: 'height' | 'width'): Value {
  const weights = Array.from({ length: size }, (_, i) => Math.exp(-((i - (size - 1) / 2) ** 2) / (2 * sigma * sigma)));
  const total = weights.reduce((a, b) => a + b, 0);
  const data = Float32Array.from({ length: channels * size }, (_, i) => weights[i % size] / total);
  return constant(float32(data, axis === 'height' ? [channels, 1, size, 1] : [channels, 1, 1, size]));
}

/** Gaussian blur of `[N, C, H, W]`, separable, zero padding that keeps the size unless `valid`. */
export function gaussianBlur(x: Value, size: number, sigma: number, valid = false): Value {
  const [channels] = concrete([x.shape[1]], 'A blur');
  const p = valid ? 0 : (size - 1) / 2;
  const rows = g.conv(x, gaussianKernel(channels, size, sigma, 'height'), { groups: channels, padding: [p, 0, p, 0] });
  return g.conv(rows, gaussianKernel(channels, size, sigma, 'width'), { groups: channels, padding: [0, p, 0, p] });
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
  const blur = (v: Value) => gaussianBlur(g.padReflect(v, (window - 1) / 2), window, sigma, true);
  const [ma, mb] = [blur(a), blur(b)];
  const saa = g.sub(blur(g.square(a)), g.square(ma));
  const sbb = g.sub(blur(g.square(b)), g.square(mb));
  const sab = g.sub(blur(g.mul(a, b)), g.mul(ma, mb));
  const top = g.mul(g.add(g.mul(g.mul(ma, mb), 2), c1), g.add(g.mul(sab, 2), c2));
  const bottom = g.mul(g.add(g.add(g.square(ma), g.square(mb)), c1), g.add(g.add(saa, sbb), c2));
  return g.div(top, bottom);
}

/** 1 − mean SSIM. */
export function ssim(a: Value, b: Value, options: SsimOptions = {}): Value {
  return g.sub(1, g.reduceMean(ssimMap(a, b, options)));
}
