/**
 * Residual networks (He et al. 2015, arXiv 1512.03385) and the wide one (Zagoruyko and Komodakis 2016, arXiv
 * 1605.07146), stride in the 3×3 convolution, names as in torchvision.
 */
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import { conv } from '../nn/layers.ts';
import { batchNorm } from '../nn/norms.ts';
import type { Scope } from '../nn/scope.ts';
import { type Backbone, imagenet } from './define.ts';
import { linear, pooled } from './layers.ts';

interface Design {
  /** Blocks of each stage. */
  readonly blocks: readonly [number, number, number, number];
  /** Three convolutions a block instead of two. */
  readonly bottleneck: boolean;
  /** Channels of the inner convolutions of a bottleneck, as a factor. */
  readonly wide?: number;
}

/** A convolution without bias and its batch norm. */
const normed = (net: Scope, norm: Scope, x: Value, filters: number, kernel: number, stride = 1): Value =>
  batchNorm(norm, conv(net, x, { filters, kernel, stride, padding: kernel >> 1, bias: false }));

function block(net: Scope, x: Value, width: number, stride: number, { bottleneck, wide = 1 }: Design): Value {
  const out = bottleneck ? 4 * width : width;
  const inner = width * wide;
  let y: Value;
  if (bottleneck) {
    y = g.relu(normed(net.at('conv1'), net.at('bn1'), x, inner, 1));
    y = g.relu(normed(net.at('conv2'), net.at('bn2'), y, inner, 3, stride));
    y = normed(net.at('conv3'), net.at('bn3'), y, out, 1);
  } else {
    y = g.relu(normed(net.at('conv1'), net.at('bn1'), x, width, 3, stride));
    y = normed(net.at('conv2'), net.at('bn2'), y, out, 3);
  }
  const changes = stride !== 1 || x.shape[1] !== out;
  const short = changes ? normed(net.at('downsample.0'), net.at('downsample.1'), x, out, 1, stride) : x;
  return g.relu(g.add(y, short));
}

function resnet(name: string, title: string, design: Design): Backbone {
  const times = design.bottleneck ? 4 : 1;
  return {
    name,
    title,
    paper: 'He et al., Deep residual learning for image recognition, CVPR 2016.',
    input: imagenet,
    taps: Object.fromEntries(
      [1, 2, 3, 4].map((stage) => [
        `layer${stage}`,
        { channels: 64 * 2 ** (stage - 1) * times, stride: 2 ** (stage + 1) },
      ]),
    ),
    usual: ['layer2', 'layer3'],
    *network(net, image) {
      const stem = conv(net.at('conv1'), image, { filters: 64, kernel: 7, stride: 2, padding: 3, bias: false });
      let x = g.maxPool(g.relu(batchNorm(net.at('bn1'), stem)), 3, { stride: 2, padding: 1 });
      for (const [i, count] of design.blocks.entries()) {
        const stage = net.at(`layer${i + 1}`);
        for (let k = 0; k < count; k++) x = block(stage.at(k), x, 64 * 2 ** i, i > 0 && k === 0 ? 2 : 1, design);
        yield [`layer${i + 1}`, x];
      }
      yield ['logits', linear(net.at('fc'), pooled(x), 1000)];
    },
  };
}

export const resnet18 = resnet('resnet18', 'ResNet-18', { blocks: [2, 2, 2, 2], bottleneck: false });
export const resnet34 = resnet('resnet34', 'ResNet-34', { blocks: [3, 4, 6, 3], bottleneck: false });
export const resnet50 = resnet('resnet50', 'ResNet-50', { blocks: [3, 4, 6, 3], bottleneck: true });
export const wide_resnet50_2 = resnet('wide_resnet50_2', 'Wide ResNet-50-2', {
  blocks: [3, 4, 6, 3],
  bottleneck: true,
  wide: 2,
});
