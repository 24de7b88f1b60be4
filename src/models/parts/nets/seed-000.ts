/** The autoencoder of seed 000 of the founding documents (28 × 28 there); its encoder's layers also make a discriminator. */
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import * as nn from '../../../nn/index.ts';
import { cropTo, imageShapeOf, sidesOf } from '../shapes.ts';

/** Two halving convolutions and one over all that is left: `[N,C,28,28] → [N,64,1,1]`. */
export function encodeSeed000(net: nn.Scope, x: Value): Value {
  const conv = (name: string, h: Value, filters: number) =>
    g.relu(nn.conv(net.at(name), h, { filters, kernel: 3, stride: 2, padding: 1 }));
  const h = conv('conv2', conv('conv1', x, 16), 32); // [N,16,14,14], [N,32,7,7]
  return nn.conv(net.at('conv3'), h, { filters: 64, kernel: sidesOf(h) });
}

/** The image of a code: `[N,64,1,1] → [N,C,H,W]` in [−1, 1], of the shape of `like`. */
export function decodeSeed000(net: nn.Scope, code: Value, like: Value): Value {
  const [channels, height, width] = imageShapeOf(like);
  const inner = [Math.ceil(height / 4), Math.ceil(width / 4)];
  const up = { kernel: 3, stride: 2, padding: 1, outputPadding: 1 };
  let h = g.relu(nn.convTranspose(net.at('up1'), code, { filters: 32, kernel: inner })); // [N,32,7,7]
  h = g.relu(nn.convTranspose(net.at('up2'), h, { ...up, filters: 16 })); // [N,16,14,14]
  h = g.tanh(nn.convTranspose(net.at('up3'), h, { ...up, filters: channels })); // [N,1,28,28]
  return cropTo(h, [height, width]);
}
