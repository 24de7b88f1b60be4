/**
 * What `oddity` was in version 0.1.0, for runs of that version that are brought up to date: a small residual network with two
 * heads. Only those runs have its weights.
 */
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import { conv } from '../nn/layers.ts';
import type { Scope } from '../nn/scope.ts';
import { type Backbone, imagenet } from './define.ts';

function* network(net: Scope, image: Value): Generator<[string, Value]> {
  const convolve = (at: Scope, x: Value, filters: number, stride = 1) =>
    conv(at, x, { filters, kernel: 3, stride, padding: 1 });
  /** Half the size, then a residual block. */
  const stage = (at: Scope, x: Value, filters: number) => {
    const y = g.relu(convolve(at.at('down'), x, filters, 2));
    const change = convolve(at.at('conv2'), g.relu(convolve(at.at('conv1'), y, filters)), filters);
    return g.relu(g.add(y, change));
  };
  let x = g.relu(convolve(net.at('stem'), image, 32, 2)); // [N,32,H/2,W/2]
  x = stage(net.at('stage1'), x, 64); // [N,64,H/4,W/4]
  x = stage(net.at('stage2'), x, 128); // [N,128,H/8,W/8]
  yield ['fine', conv(net.at('fine'), x, { filters: 96, kernel: 1 })];
  x = stage(net.at('stage3'), x, 256); // [N,256,H/16,W/16]
  yield ['coarse', conv(net.at('coarse'), x, { filters: 128, kernel: 1 })];
}

export const oddity_v0: Backbone = {
  name: 'oddity_v0',
  title: 'Oddity of version 0.1.0',
  paper: 'Trained for version 0.1.0 of this package.',
  input: imagenet,
  taps: { fine: { channels: 96, stride: 8 }, coarse: { channels: 128, stride: 16 } },
  usual: ['fine', 'coarse'],
  network,
};
