/**
 * ResNet-50 with activations before the convolutions (He et al. 2016, arXiv 1603.05027), names as Gluon's, up to its
 * third stage: what is behind it is too coarse for maps.
 */
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import { onesInit, zerosInit } from '../nn/initializers.ts';
import type { Scope } from '../nn/scope.ts';
import { type Backbone, imagenet } from './define.ts';

const blocks = [3, 4, 6];

function norm(net: Scope, name: string, x: Value): Value {
  const channels = [Number(x.shape[1])];
  const gamma = net.parameter(`${name}_gamma`, channels, onesInit);
  const beta = net.parameter(`${name}_beta`, channels, zerosInit);
  const mean = net.parameter(`${name}_running_mean`, channels, zerosInit);
  const variance = net.parameter(`${name}_running_var`, channels, onesInit);
  const factor = g.div(gamma, g.sqrt(g.add(variance, 1e-5)));
  return g.scaleChannels(x, factor, g.sub(beta, g.mul(mean, factor)));
}

function convolve(net: Scope, name: string, x: Value, filters: number, kernel: number, stride = 1): Value {
  const weight = net.parameter(`${name}_weight`, [filters, Number(x.shape[1]), kernel, kernel], zerosInit);
  return g.conv(x, weight, { stride, padding: kernel >> 1 });
}

export const resnet50_v2: Backbone = {
  name: 'resnet50_v2',
  title: 'ResNet-50 v2, three stages',
  paper: 'He et al., Identity mappings in deep residual networks, ECCV 2016.',
  input: imagenet,
  taps: {
    stage1: { channels: 256, stride: 4 },
    stage2: { channels: 512, stride: 8 },
    stage3: { channels: 1024, stride: 16 },
  },
  usual: ['stage2', 'stage3'],
  weights: {
    file: 'weights/resnet50_v2_stages1to3_imagenet_fp16.safetensors',
    sha256: '4878a651f759a80d92d40d44642d666cf88798616089c9932c2d9dcbf285b5b6',
    source: 'ONNX model zoo, resnet50-v2, its fourth stage and classifier cut off',
    licence: 'Apache-2.0',
  },
  *network(net, image) {
    let x = convolve(net, 'conv0', norm(net, 'batchnorm0', image), 64, 7, 2);
    x = g.maxPool(g.relu(norm(net, 'batchnorm1', x)), 3, { stride: 2, padding: 1 });
    for (const [i, count] of blocks.entries()) {
      const stage = `stage${i + 1}`;
      const width = 64 * 2 ** i;
      let [norms, convs] = [0, 0];
      const act = (y: Value) => g.relu(norm(net, `${stage}_batchnorm${norms++}`, y));
      const next = (y: Value, filters: number, kernel: number, stride = 1) =>
        convolve(net, `${stage}_conv${convs++}`, y, filters, kernel, stride);
      for (let k = 0; k < count; k++) {
        const stride = i > 0 && k === 0 ? 2 : 1;
        const before = act(x);
        let y = next(before, width, 1);
        y = next(act(y), width, 3, stride);
        y = next(act(y), 4 * width, 1);
        x = g.add(y, k === 0 ? next(before, 4 * width, 1, stride) : x);
      }
      yield [stage, x];
    }
  },
};
