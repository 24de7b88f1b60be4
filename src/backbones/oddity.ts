/**
 * The backbone in the box: a small residual network of ours whose two heads were trained to say what the leading
 * principal components of larger networks' features are (`scripts/distil`, `weights/README.md`). Batch norms were folded
 * into its convolutions, so what is left is quick on any device. About 1.2 thousand million multiplications at 256 × 256.
 */
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import { heNormal } from '../nn/initializers.ts';
import { conv } from '../nn/layers.ts';
import { batchNorm } from '../nn/norms.ts';
import type { Scope } from '../nn/scope.ts';
import { type Backbone, imagenet } from './define.ts';

/** What the heads give. */
export const oddityTaps = { fine: { channels: 96, stride: 8 }, coarse: { channels: 128, stride: 16 } };

/** A 3×3 convolution before its ReLU; while training it is another one, with a norm. */
export type Convolve = (net: Scope, x: Value, filters: number, stride?: number) => Value;

const plain: Convolve = (net, x, filters, stride = 1) => conv(net, x, { filters, kernel: 3, stride, padding: 1 });

/** Convolutions of a network that is yet to learn: batch norms behind them, which fold into them at the end. */
export const normed: Convolve = (net, x, filters, stride = 1) =>
  batchNorm(
    net.at('norm'),
    conv(net, x, { filters, kernel: 3, stride, padding: 1, bias: false, weightInit: heNormal() }),
  );

/** The network on a prepared input `[N, 3, H, W]`. */
export function* oddityNetwork(net: Scope, image: Value, convolve: Convolve = plain): Generator<[string, Value]> {
  const layer: Convolve = (at, x, filters, stride) => g.relu(convolve(at, x, filters, stride));
  /** Half the size, then a residual block. */
  const stage = (at: Scope, x: Value, filters: number) => {
    const y = layer(at.at('down'), x, filters, 2);
    const change = convolve(at.at('conv2'), layer(at.at('conv1'), y, filters), filters);
    return g.relu(g.add(y, change));
  };
  const head = (at: Scope, x: Value, filters: number) => conv(at, x, { filters, kernel: 1 });
  let x = layer(net.at('stem'), image, 32, 2); // [N,32,H/2,W/2]
  x = stage(net.at('stage1'), x, 64); // [N,64,H/4,W/4]
  x = stage(net.at('stage2'), x, 128); // [N,128,H/8,W/8]
  yield ['fine', head(net.at('fine'), x, oddityTaps.fine.channels)];
  x = stage(net.at('stage3'), x, 256); // [N,256,H/16,W/16]
  yield ['coarse', head(net.at('coarse'), x, oddityTaps.coarse.channels)];
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
    sha256: '21a8b8e02cfdb8b05af61f65f20867564e00a3b87b5585a3c97563d93bbb2e01',
    source: 'trained by scripts/distil',
    licence: 'Apache-2.0',
  },
  network: (net, image) => oddityNetwork(net, image),
};
