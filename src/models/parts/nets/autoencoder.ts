/**
 * Convolutional autoencoders: one that fits its depth to the image, the nets of seeds 000 and 001 of the founding
 * documents, and the nine-layer one of Bergmann et al. 2019 (arXiv 1807.02011).
 */
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import * as nn from '../../../nn/index.ts';
import { channelsOf, cropTo, imageShapeOf, itemShapeOf, padTo, sidesOf, signed, sizeOf, unsigned } from '../shapes.ts';
import { decodeSeed000, encodeSeed000 } from './seed-000.ts';
import { filtersAt, levelsFor } from './sizes.ts';

export interface AutoencoderSizes {
  /** Length of the code, of `strided` and `cae-9`. */
  readonly code: number;
  /** Filters of the first layer, of `strided`. */
  readonly width: number;
}

/** Strided 4×4 convolutions with batch norm, a dense code, and the mirror image. */
function strided({ code, width }: AutoencoderSizes, net: nn.Scope, x: Value): Value {
  const [channels, height, across] = imageShapeOf(x);
  const depth = levelsFor(Math.min(height, across), 5);
  let h = padTo(x, 2 ** depth); // [N,C,H,W]
  for (let i = 0; i < depth; i++) {
    const at = net.at(`down${i}`);
    h = nn.conv(at, h, { filters: filtersAt(width, i), kernel: 4, stride: 2, padding: 1, bias: false });
    h = g.leakyRelu(nn.batchNorm(at.at('norm'), h)); // [N,width·2^i,H/2^(i+1),W/2^(i+1)]
  }
  const inner = itemShapeOf(h);
  const z = nn.dense(net.at('code'), g.flatten(h), code); // [N,code]
  h = g.reshape(nn.dense(net.at('decode'), z, sizeOf(h), { bias: false }), [x.shape[0], ...inner]);
  h = g.leakyRelu(nn.batchNorm(net.at('decode').at('norm'), h));
  for (let i = depth - 1; i >= 0; i--) {
    const at = net.at(`up${i}`);
    const filters = i === 0 ? channels : filtersAt(width, i - 1);
    h = nn.convTranspose(at, h, { filters, kernel: 4, stride: 2, padding: 1, bias: i === 0 });
    if (i > 0) h = g.leakyRelu(nn.batchNorm(at.at('norm'), h));
  }
  return cropTo(g.sigmoid(h), sidesOf(x));
}

/** The net of seed 000 (28 × 28 there): values in [−1, 1], tanh at the end. */
function seed000(_sizes: AutoencoderSizes, net: nn.Scope, image: Value): Value {
  const x = signed(image);
  return unsigned(decodeSeed000(net, encodeSeed000(net, x), x));
}

/** The net of seed 001 (256 × 256 there); the image side must be a multiple of 4 and at least 16. */
function seed001(_sizes: AutoencoderSizes, net: nn.Scope, image: Value): Value {
  const [channels, height, width] = imageShapeOf(image);
  const x = signed(image); // Normalize(0.5, 0.5)
  const block = (name: string, h: Value, filters: number) =>
    g.relu(nn.batchNorm(net.at(name).at('norm'), nn.conv(net.at(name), h, { filters, kernel: 2, stride: 2 })));
  let h = block('conv1', x, 32); // [N,32,H/2,W/2]
  h = block('conv2', h, 64); // [N,64,H/4,W/4]
  h = g.flatten(g.maxPool(h, 4)); // [N,64·(H/16)·(W/16)]
  h = g.relu(nn.dense(net.at('fc1'), h, 256));
  h = nn.dense(net.at('fc2'), h, 128); // the code
  h = g.relu(nn.dense(net.at('fc3'), h, 256));
  const inner = [64, height / 4 - 1, width / 4 - 1];
  h = g.relu(nn.dense(net.at('fc4'), h, inner[0] * inner[1] * inner[2]));
  h = g.reshape(h, [x.shape[0], ...inner]); // [N,64,H/4−1,W/4−1]
  const up = nn.convTranspose(net.at('up1'), h, { filters: 32, kernel: 4, stride: 2 }); // [N,32,H/2,W/2]
  h = g.relu(nn.batchNorm(net.at('up1').at('norm'), up));
  h = nn.convTranspose(net.at('up2'), h, { filters: channels, kernel: 2, stride: 2 }); // [N,C,H,W]
  return unsigned(h);
}

/** Filters, kernel, stride of the first eight layers of the nine-layer autoencoder; padding 1 throughout. */
const cae: readonly (readonly [number, number, number])[] = [
  [32, 4, 2],
  [32, 4, 2],
  [32, 3, 1],
  [64, 4, 2],
  [64, 3, 1],
  [128, 4, 2],
  [64, 3, 1],
  [32, 3, 1],
];

/** The nine-layer convolutional autoencoder (128 × 128 there): the ninth layer covers what is left. */
function cae9({ code }: AutoencoderSizes, net: nn.Scope, image: Value): Value {
  let h = padTo(image, 16);
  const channels = channelsOf(image);
  cae.forEach(([filters, kernel, stride], i) => {
    h = g.leakyRelu(nn.conv(net.at(`enc${i + 1}`), h, { filters, kernel, stride, padding: 1 }));
  });
  const inner = sidesOf(h); // [H/16,W/16]
  h = nn.conv(net.at('enc9'), h, { filters: code, kernel: inner }); // [N,code,1,1]
  h = g.leakyRelu(nn.convTranspose(net.at('dec9'), h, { filters: 32, kernel: inner }));
  for (let i = cae.length - 1; i >= 0; i--) {
    const [, kernel, stride] = cae[i];
    const filters = i === 0 ? channels : cae[i - 1][0];
    h = nn.convTranspose(net.at(`dec${i + 1}`), h, { filters, kernel, stride, padding: 1 });
    if (i > 0) h = g.leakyRelu(h);
  }
  return cropTo(g.sigmoid(h), sidesOf(image));
}

const nets = { strided, 'seed-000': seed000, 'seed-001': seed001, 'cae-9': cae9 };

export type AutoencoderNetwork = keyof typeof nets;
export const autoencoderNetworks = Object.keys(nets) as [AutoencoderNetwork, ...AutoencoderNetwork[]];

/** An image and its reconstruction through a narrow code: `[N, C, H, W]` in [0, 1], of `seed-001` unbounded. */
export const reconstruct = (network: AutoencoderNetwork, sizes: AutoencoderSizes, net: nn.Scope, x: Value): Value =>
  nets[network](sizes, net, x);
