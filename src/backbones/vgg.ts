/** VGG-16 and VGG-19 (Simonyan and Zisserman 2014, arXiv 1409.1556), names as in torchvision; taps after each ReLU. */
import { ShapeError } from '../core/errors.ts';
import { show } from '../core/shape.ts';
import * as g from '../graph/ops/index.ts';
import { conv } from '../nn/layers.ts';
import { type Backbone, imagenet, type Tap } from './define.ts';
import type { KerasLayer } from './keras.ts';
import { linear } from './layers.ts';

/** Side of the last grid that the classifier takes: images of 224. */
const CLASSIFIED = 7;

function vgg(name: string, title: string, convolutions: readonly number[]): Backbone {
  const layers = convolutions.flatMap((count, block) =>
    Array.from({ length: count }, (_, i) => ({
      tap: `relu${block + 1}_${i + 1}`,
      channels: Math.min(512, 64 * 2 ** block),
      stride: 2 ** block,
      endsBlock: i + 1 === count,
    })),
  );
  // Torchvision counts convolutions, ReLUs and pools.
  const indices = layers.map((_, i) => 2 * i + layers.slice(0, i).filter(({ endsBlock }) => endsBlock).length);
  const taps: Record<string, Tap> = {};
  for (const { tap, channels, stride, endsBlock } of layers) {
    taps[tap] = { channels, stride };
    if (endsBlock) taps[`pool${tap[4]}`] = { channels, stride: 2 * stride };
  }
  return {
    name,
    title,
    paper: 'Simonyan and Zisserman, Very deep convolutional networks, ICLR 2015.',
    input: imagenet,
    taps,
    keras: new Map([
      ...layers.map(({ tap }, i): [string, KerasLayer] => [
        tap.replace('relu', 'block').replace('_', '_conv'),
        { name: `features.${indices[i]}` },
      ]),
      ['fc1', { name: 'classifier.0', grid: [512, CLASSIFIED, CLASSIFIED] }],
      ['fc2', { name: 'classifier.3' }],
      ['predictions', { name: 'classifier.6' }],
    ]),
    usual: [`relu3_${convolutions[2]}`, `relu4_${convolutions[3]}`],
    *network(net, image) {
      let x = image;
      for (const [i, { tap, channels, endsBlock }] of layers.entries()) {
        x = g.relu(conv(net.at(`features.${indices[i]}`), x, { filters: channels, kernel: 3, padding: 1 }));
        yield [tap, x];
        if (!endsBlock) continue;
        x = g.maxPool(x, 2);
        yield [`pool${tap[4]}`, x];
      }
      const [height, width] = x.shape.slice(2);
      if (height !== CLASSIFIED || width !== CLASSIFIED) {
        throw new ShapeError(`${title} classifies images of 224x224; its last grid is ${show(x.shape.slice(2))}.`);
      }
      const hidden = g.relu(linear(net.at('classifier.0'), g.flatten(x), 4096));
      yield ['logits', linear(net.at('classifier.6'), g.relu(linear(net.at('classifier.3'), hidden, 4096)), 1000)];
    },
  };
}

export const vgg16 = vgg('vgg16', 'VGG-16', [2, 2, 3, 3, 3]);
export const vgg19 = vgg('vgg19', 'VGG-19', [2, 2, 4, 4, 4]);
