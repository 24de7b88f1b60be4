/**
 * The backbone in the box: fire modules as SqueezeNet 1.1 has them (Iandola et al. 2016, arXiv 1602.07360), and three heads
 * that were trained to say what the leading principal components of larger networks' features are (`scripts/distil`,
 * `weights/README.md`). Convolutions are padded and pools alternate sides, so that each place of a grid looks at the middle
 * of its pixels. About 0.6 thousand million multiplications at 256 × 256.
 */
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import { heNormal } from '../nn/initializers.ts';
import { conv } from '../nn/layers.ts';
import { batchNorm } from '../nn/norms.ts';
import type { Scope } from '../nn/scope.ts';
import { type Backbone, imagenet } from './define.ts';

/** What the heads give. */
export const oddityTaps = {
  finest: { channels: 64, stride: 4 },
  fine: { channels: 96, stride: 8 },
  coarse: { channels: 128, stride: 16 },
};

/** A convolution before its ReLU; that of a network which is yet to learn has a norm. */
export type Convolve = (net: Scope, x: Value, filters: number, kernel: number, stride?: number) => Value;

const plain: Convolve = (net, x, filters, kernel, stride = 1) =>
  conv(net, x, { filters, kernel, stride, padding: kernel >> 1 });

/** Convolutions with batch norms behind them. */
export const normed: Convolve = (net, x, filters, kernel, stride = 1) =>
  batchNorm(
    net.at('norm'),
    conv(net, x, { filters, kernel, stride, padding: kernel >> 1, bias: false, weightInit: heNormal() }),
  );

/** Squeezed and expanded channels of the fire modules of each size, by their places in SqueezeNet's `features`. */
const fires: Readonly<Record<keyof typeof oddityTaps, Readonly<Record<string, readonly [number, number]>>>> = {
  finest: { fire3: [16, 64], fire4: [16, 64] },
  fine: { fire6: [32, 128], fire7: [32, 128] },
  coarse: { fire9: [48, 192], fire10: [48, 192], fire11: [64, 256], fire12: [64, 256] },
};

/** A pool of 3 with stride 2 to half the size, rounded up, whose windows begin at their own places or one before them. */
function pool(x: Value, before: 0 | 1): Value {
  const [height, width] = x.shape.slice(2).map((n) => 1 - before + (Number(n) % 2));
  return g.maxPool(x, 3, { stride: 2, padding: [before, before, height, width] });
}

/** The network on a prepared input `[N, 3, H, W]`. */
export function* oddityNetwork(net: Scope, image: Value, convolve: Convolve = plain): Generator<[string, () => Value]> {
  const layer: Convolve = (at, x, filters, kernel, stride) => g.relu(convolve(at, x, filters, kernel, stride));
  const fire = (at: Scope, x: Value, [squeezed, expanded]: readonly [number, number]) => {
    const y = layer(at.at('squeeze'), x, squeezed, 1);
    return g.concat([layer(at.at('expand1x1'), y, expanded, 1), layer(at.at('expand3x3'), y, expanded, 3)], 1);
  };
  let x = layer(net.at('stem'), image, 64, 3, 2); // [N,64,H/2,W/2]
  for (const [i, [tap, modules]] of Object.entries(fires).entries()) {
    x = pool(x, i === 1 ? 1 : 0);
    for (const [name, widths] of Object.entries(modules)) x = fire(net.at(name), x, widths);
    const y = x; // [N,128,H/4,W/4], [N,256,H/8,W/8], [N,512,H/16,W/16]
    const filters = oddityTaps[tap as keyof typeof oddityTaps].channels;
    yield [tap, () => conv(net.at(tap), y, { filters, kernel: 1 })];
  }
}

export const oddity: Backbone = {
  name: 'oddity',
  title: 'Oddity',
  paper: 'Trained for this package; see weights/README.md.',
  input: imagenet,
  taps: oddityTaps,
  usual: ['fine', 'coarse'],
  weights: {
    file: 'weights/oddity.safetensors',
    inPackage: true,
    sha256: 'd61dd253ce0f7362be19d7b34cc95989b28dc95adc31192125f3fbdf37d6ad44',
    source: 'trained by scripts/distil',
    licence: 'Apache-2.0',
  },
  network: (net, image) => oddityNetwork(net, image),
};
