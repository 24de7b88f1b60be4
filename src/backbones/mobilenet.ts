/**
 * MobileNet v1 (Howard et al. 2017, arXiv 1704.04861) at a quarter of its width, and v2 (Sandler et al. 2018, arXiv
 * 1801.04381), batch norms folded in. Padding is TensorFlow's SAME; class 0 is "background".
 */
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import { conv } from '../nn/layers.ts';
import type { Scope } from '../nn/scope.ts';
import { type Backbone, preparations } from './define.ts';
import { linear, pooled, samePadding } from './layers.ts';

const input = preparations.signed;

const relu6 = (x: Value) => g.clip(x, 0, 6);
const dense3 = (net: Scope, x: Value, filters: number, stride: number) =>
  relu6(conv(net, x, { filters, kernel: 3, stride, padding: samePadding(x, 3, stride) }));
const pointwise = (net: Scope, x: Value, filters: number) => conv(net, x, { filters, kernel: 1 });

function depthwise(net: Scope, x: Value, stride: number): Value {
  const filters = Number(x.shape[1]);
  return relu6(conv(net, x, { filters, kernel: 3, stride, padding: samePadding(x, 3, stride), groups: filters }));
}

/** Channels and stride of the 13 blocks of v1, at full width. */
const v1 = [
  ...[
    [64, 1],
    [128, 2],
    [128, 1],
    [256, 2],
    [256, 1],
    [512, 2],
  ],
  ...Array.from({ length: 5 }, () => [512, 1]),
  ...[
    [1024, 2],
    [1024, 1],
  ],
] as const;

export const mobilenet_v1_025: Backbone = {
  name: 'mobilenet_v1_025',
  title: 'MobileNet v1, a quarter wide',
  paper: 'Howard et al., MobileNets, arXiv 1704.04861.',
  input,
  taps: {
    block3: { channels: 32, stride: 4 },
    block5: { channels: 64, stride: 8 },
    block11: { channels: 128, stride: 16 },
    block13: { channels: 256, stride: 32 },
  },
  usual: ['block5', 'block11'],
  weights: {
    file: 'weights/mobilenet_v1_0.25_128_imagenet_fp32.safetensors',
    sha256: '7a141909833681aa91447d489463e62d261b0d44aa434b75365d433d1b697875',
    source: 'Coral, mobilenet_v1_0.25_128, from 8 bit',
    licence: 'Apache-2.0',
  },
  *network(net, image) {
    let x = dense3(net.at('conv0'), image, 8, 2);
    for (const [i, [channels, stride]] of v1.entries()) {
      const at = net.at(`block${i + 1}`);
      x = relu6(pointwise(at.at('pw'), depthwise(at.at('dw'), x, stride), channels / 4));
      yield [`block${i + 1}`, x];
    }
    yield ['logits', linear(net.at('classifier'), pooled(x), 1001)];
  },
};

/** Factor of expansion, channels, blocks and stride of the groups of v2 (table 2 of the paper). */
const v2 = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

export const mobilenet_v2: Backbone = {
  name: 'mobilenet_v2',
  title: 'MobileNet v2',
  paper: 'Sandler et al., MobileNetV2, CVPR 2018.',
  input,
  taps: {
    'features.3': { channels: 24, stride: 4 },
    'features.6': { channels: 32, stride: 8 },
    'features.13': { channels: 96, stride: 16 },
    'features.17': { channels: 320, stride: 32 },
  },
  usual: ['features.6', 'features.13'],
  weights: {
    file: 'weights/mobilenet_v2_1.0_224_imagenet_fp16.safetensors',
    sha256: '430375a6bfb62cb99bfe2c8cfef9e48680c50d95ec1b7db2b20e781586d7a911',
    source: 'Coral, mobilenet_v2_1.0_224, from 8 bit',
    licence: 'Apache-2.0',
  },
  *network(net, image) {
    const at = net.at('features');
    let x = dense3(at.at('0.0'), image, 32, 2);
    let i = 0;
    for (const [expansion, channels, count, stride] of v2) {
      for (let k = 0; k < count; k++) {
        const block = at.at(`${++i}.conv`);
        const expanded = expansion === 1 ? x : relu6(pointwise(block.at('0.0'), x, expansion * Number(x.shape[1])));
        const middle = depthwise(block.at(expansion === 1 ? '0.0' : '1.0'), expanded, k === 0 ? stride : 1);
        const y = pointwise(block.at(expansion === 1 ? '1' : '2'), middle, channels);
        x = k === 0 ? y : g.add(x, y);
        yield [`features.${i}`, x];
      }
    }
    x = relu6(pointwise(at.at('18.0'), x, 1280));
    yield ['logits', linear(net.at('classifier.1'), pooled(x), 1001)];
  },
};
