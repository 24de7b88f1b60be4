/** What GANomaly and Skip-GANomaly have alike: the canvas of an image, and convolutions as in DCGAN. */
import * as g from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import * as nn from '../../nn/index.ts';

/** A layer that halves or doubles its image, begun as in DCGAN: kernels N(0, 0.02²). */
export const kernels = { weightInit: nn.normalInit(0.02), bias: false };
export const halving = { kernel: 4, stride: 2, padding: 1, ...kernels };

/** Batch norm with scales that begin as N(1, 0.02²). */
export function norm(at: nn.Scope, h: Value): Value {
  return nn.batchNorm(at.at('norm'), h, { scaleInit: nn.normalInit(0.02, 1) });
}

/** Filters of a level from 0: each has twice as many as the one before, up to eight times the first. */
export function filtersOf(width: number, level: number): number {
  return width << Math.min(level, 3);
}

/** Halvings that leave the shorter side three to five pixels; the same for an image and its canvas. */
export function depthOf(image: Value): number {
  const [height, width] = image.shape.slice(2) as number[];
  return Math.max(1, Math.ceil(Math.log2(Math.min(height, width) / 5)));
}

/** Rows and columns of frame that make every halving whole: `[top, left]` and `[bottom, right]`. */
function frameOf(image: Value): [number[], number[]] {
  const step = 2 ** depthOf(image);
  const missing = (image.shape.slice(2) as number[]).map((n) => Math.ceil(n / step) * step - n);
  return [missing.map((n) => n >> 1), missing.map((n) => n - (n >> 1))];
}

/** The image in [−1, 1] within a black frame: 28 × 28 becomes 32 × 32. */
export function toCanvas(image: Value): Value {
  const [before, after] = frameOf(image);
  return g.sub(g.mul(g.padAll(image, [0, 0, ...before], [0, 0, ...after]), 2), 1);
}

/** The part of a canvas where the image lies. */
export function withoutFrame(canvas: Value, image: Value): Value {
  const [[top, left]] = frameOf(image);
  const [height, width] = image.shape.slice(2) as number[];
  return g.slice(canvas, { 2: [top, top + height], 3: [left, left + width] });
}

/** A drawn canvas as an image: [0, 1], without the frame. */
export function fromCanvas(canvas: Value, image: Value): Value {
  return g.mul(g.add(withoutFrame(canvas, image), 1), 0.5);
}

/** The convolutions that encoders and discriminators begin with: `[N,C,32,32] → [N,256,4,4]`. */
export function trunk(width: number, net: nn.Scope, x: Value): Value {
  let h = x;
  for (let i = 0; i < depthOf(x); i++) {
    const at = net.at(`down${i}`);
    h = nn.conv(at, h, { filters: filtersOf(width, i), ...halving });
    h = g.leakyRelu(i === 0 ? h : norm(at, h)); // [N,width·2^i,H/2^(i+1),W/2^(i+1)]
  }
  return h;
}

/** Trunk and a convolution over all that is left: `[N,C,H,W] → [N,filters,1,1]`. */
export function encode(width: number, filters: number, net: nn.Scope, x: Value): Value {
  const h = trunk(width, net, x);
  return nn.conv(net.at('code'), h, { filters, kernel: h.shape.slice(2) as number[], ...kernels });
}
