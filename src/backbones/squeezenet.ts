/** SqueezeNet 1.1 (Iandola et al. 2016, arXiv 1602.07360): fire modules, names as in torchvision. */
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import { conv } from '../nn/layers.ts';
import type { Scope } from '../nn/scope.ts';
import { type Backbone, imagenet } from './define.ts';
import { pooled } from './layers.ts';

/** Squeezed and expanded channels of each fire module by its place in `features`; 5 and 8 are pools. */
const fires: Readonly<Record<number, readonly [number, number]>> = {
  3: [16, 64],
  4: [16, 64],
  6: [32, 128],
  7: [32, 128],
  9: [48, 192],
  10: [48, 192],
  11: [64, 256],
  12: [64, 256],
};

/** A pool of 3 with stride 2 that leaves no pixel out, as `ceil_mode`; at an even side one column of −∞ goes behind. */
function pool(x: Value): Value {
  const [height, width] = x.shape.slice(2).map((n) => (Number(n) % 2 === 0 ? 1 : 0));
  return g.maxPool(x, 3, { stride: 2, padding: [0, 0, height, width] });
}

function fire(net: Scope, x: Value, squeezed: number, expanded: number): Value {
  const squeeze = g.relu(conv(net.at('squeeze'), x, { filters: squeezed, kernel: 1 }));
  return g.concat(
    [
      g.relu(conv(net.at('expand1x1'), squeeze, { filters: expanded, kernel: 1 })),
      g.relu(conv(net.at('expand3x3'), squeeze, { filters: expanded, kernel: 3, padding: 1 })),
    ],
    1,
  );
}

export const squeezenet1_1: Backbone = {
  name: 'squeezenet1_1',
  title: 'SqueezeNet 1.1',
  paper: 'Iandola et al., SqueezeNet, arXiv 1602.07360.',
  input: imagenet,
  taps: {
    'features.1': { channels: 64, stride: 2 },
    'features.3': { channels: 128, stride: 4 },
    'features.4': { channels: 128, stride: 4 },
    'features.6': { channels: 256, stride: 8 },
    'features.7': { channels: 256, stride: 8 },
    'features.9': { channels: 384, stride: 16 },
    'features.10': { channels: 384, stride: 16 },
    'features.11': { channels: 512, stride: 16 },
    'features.12': { channels: 512, stride: 16 },
  },
  usual: ['features.7', 'features.12'],
  weights: {
    file: 'weights/squeezenet1_1_imagenet_fp32.safetensors',
    sha256: '436cdceb19271ebbe4607d5d009ac39b4abc6d7d3de4528be35a4cee077db897',
    source: 'ONNX model zoo, squeezenet1.1',
    licence: 'Apache-2.0',
  },
  *network(net, image) {
    const at = net.at('features');
    let x = g.relu(conv(at.at(0), image, { filters: 64, kernel: 3, stride: 2 }));
    yield ['features.1', x];
    x = pool(x);
    for (let i = 3; i <= 12; i++) {
      const widths = fires[i];
      x = widths ? fire(at.at(i), x, ...widths) : pool(x);
      if (widths) yield [`features.${i}`, x];
    }
    const scores = g.relu(conv(net.at('classifier.1'), x, { filters: 1000, kernel: 1 }));
    yield ['logits', pooled(scores)];
  },
};
