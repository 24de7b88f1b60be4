/**
 * The U-Net of guided diffusion (Dhariwal & Nichol 2021, arXiv 2105.05233) in AnoDDPM's sizes: from a noisy image and the
 * step that it stands at to the noise in it. Residual blocks that know the step, attention on small maps, and residual
 * blocks for halving and doubling too.
 */
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import * as nn from '../../../nn/index.ts';
import { channelsOf, sidesOf } from '../shapes.ts';

export interface DiffusionUnetOptions {
  /** Channels of the first level; the others have multiples of it. */
  width: number;
  /** Largest side of a map with attention, which no map below 8 pixels has; 0 for the middle of the network only. */
  attention: number;
  /** Heads of each attention; must divide its channels. */
  heads: number;
}

/** Residual blocks per level on the way down; one more on the way up. */
const BLOCKS = 2;
/** Groups of a norm where the channels allow it. */
const GROUPS = 32;
/** Smallest side of a map with attention. */
const LEAST = 8;

/** Multiples of the width by level, from the longer side of the image. */
export function multiplesFor(side: number): readonly number[] {
  if (side <= 64) return [1, 2, 3, 4];
  if (side <= 128) return [1, 1, 2, 3, 4];
  if (side <= 256) return [1, 1, 2, 2, 4, 4];
  return [0.5, 1, 1, 2, 2, 4, 4];
}

/** Both sides of the image must be multiples of this. */
export const unetStep = (side: number): number => 2 ** (multiplesFor(side).length - 1);

const commonDivisor = (a: number, b: number): number => (b === 0 ? a : commonDivisor(b, a % b));

const norm = (net: nn.Scope, x: Value): Value => nn.groupNorm(net, x, commonDivisor(channelsOf(x), GROUPS));
const conv3 = (net: nn.Scope, x: Value, filters: number): Value => nn.conv(net, x, { filters, kernel: 3, padding: 1 });
/** Starts at zero: each block is the identity at first, and the network's first answer is no noise. */
const zeroConv = (net: nn.Scope, x: Value, filters: number, kernel: number): Value =>
  nn.conv(net, x, { filters, kernel, padding: kernel >> 1, weightInit: nn.zerosInit, biasInit: nn.zerosInit });

type Resample = (x: Value) => Value;
const halve: Resample = (x) => g.averagePool(x, 2);
const double: Resample = (x) => g.upsampleNearest(x, 2);

/** x + f(x, step), `[N,C,H,W] → [N,filters,H,W]`, halved or doubled on both paths where `resample` says so. */
function residual(net: nn.Scope, x: Value, step: Value, filters: number, resample: Resample = (v) => v): Value {
  const before = resample(nn.silu(norm(net.at('norm1'), x)));
  const known = nn.dense(net.at('step'), nn.silu(step), filters); // [N,filters]
  let h = conv3(net.at('conv1'), before, filters);
  h = g.add(h, g.reshape(known, [known.shape[0], filters, 1, 1]));
  h = zeroConv(net.at('conv2'), nn.silu(norm(net.at('norm2'), h)), filters, 3);
  const same = x.shape[1] === filters;
  const skip = same ? resample(x) : nn.conv(net.at('skip'), resample(x), { filters, kernel: 1 });
  return g.add(skip, h);
}

/** x + attention over all places of x. */
function attend(net: nn.Scope, x: Value, heads: number): Value {
  const [n, channels, height, width] = x.shape as [number, number, number, number];
  const [each, places] = [channels / heads, height * width];
  const three = nn.conv(net.at('qkv'), norm(net.at('norm'), x), { filters: 3 * channels, kernel: 1 });
  const parts = g.split(g.reshape(three, [n, 3, heads, each, places]), [1, 1, 1], 1);
  const [query, key, value] = parts.map((part) => g.reshape(part, [n, heads, each, places]));
  // softmax(Qᵀ·K / √d), over the places that are looked at
  const weights = g.softmax(g.matMul(g.mul(query, 1 / Math.sqrt(each)), key, { transposeA: true }), -1);
  const seen = g.matMul(value, weights, { transposeB: true }); // [N,heads,each,places]
  return g.add(x, zeroConv(net.at('out'), g.reshape(seen, x.shape), channels, 1));
}

/** Sinusoids of the step at wavelengths from 2π to 10⁴ · 2π: `[N] → [N,width]`. */
function stepCode(step: Value, width: number): Value {
  const half = width / 2;
  const frequencies = g.exp(g.mul(g.iota(half), -Math.log(10000) / half));
  const angles = g.mul(g.unsqueeze(step, 1), frequencies); // [N,half]
  return g.concat([g.cos(angles), g.sin(angles)], 1);
}

/**
 * The noise in x `[N,C,H,W]`, images in [−1, 1] with noise added, at the step `[N]` (or `[1]` for all), counted from 0.
 * Both sides must be multiples of `unetStep`.
 */
export function predictNoise(options: DiffusionUnetOptions, net: nn.Scope, x: Value, step: Value): Value {
  const { width, attention, heads } = options;
  const sides = sidesOf(x);
  const multiples = multiplesFor(Math.max(...sides));
  const attends = (map: Value) => {
    const side = Math.max(...sidesOf(map));
    return side <= attention && side >= LEAST;
  };
  let known = nn.dense(net.at('step1'), stepCode(step, width), 4 * width);
  known = nn.dense(net.at('step2'), nn.silu(known), 4 * width); // [N,4·width]

  let h = conv3(net.at('in'), x, multiples[0] * width);
  const skips = [h];
  multiples.forEach((multiple, level) => {
    const at = net.at(`down${level}`);
    for (let i = 0; i < BLOCKS; i++) {
      h = residual(at.at(`block${i}`), h, known, multiple * width);
      if (attends(h)) h = attend(at.at(`attention${i}`), h, heads);
      skips.push(h); // [N,multiple·width,H/2^level,W/2^level]
    }
    if (level === multiples.length - 1) return;
    h = residual(at.at('halve'), h, known, multiple * width, halve);
    skips.push(h);
  });

  const middle = net.at('middle');
  const deepest = channelsOf(h);
  h = residual(middle.at('block0'), h, known, deepest);
  h = residual(middle.at('block1'), attend(middle.at('attention'), h, heads), known, deepest);

  for (let level = multiples.length - 1; level >= 0; level--) {
    const at = net.at(`up${level}`);
    const filters = multiples[level] * width;
    for (let i = 0; i <= BLOCKS; i++) {
      h = residual(at.at(`block${i}`), g.concat([h, skips.pop()!], 1), known, filters);
      if (attends(h)) h = attend(at.at(`attention${i}`), h, heads);
    }
    if (level > 0) h = residual(at.at('double'), h, known, filters, double);
  }
  return zeroConv(net.at('out'), nn.silu(norm(net.at('out-norm'), h)), channelsOf(x), 3);
}
