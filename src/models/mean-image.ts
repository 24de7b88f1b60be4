/**
 * Baseline: the squared distance to the mean of the normal images, or to the mean row of a table. Every detector has to
 * beat it, and on centred digits many published ones do not.
 */
import * as z from 'zod';
import { float32 } from '../core/tensor.ts';
import * as g from '../graph/ops/index.ts';
import { zerosInit } from '../nn/initializers.ts';
import { defineModel } from './define.ts';
import { itemMap, poolMap } from './parts/maps/pool-map.ts';
import { itemShapeOf } from './parts/shapes.ts';

/**
 * Baseline: squared distance to the mean of the normal items, the mean image or the mean row. Every other detector
 * should beat it.
 * Images and rows. One pass over the data; scoring costs next to nothing.
 */
export const meanImage = defineModel({
  name: 'mean-image',
  title: 'Distance to the mean image',
  idea: 'The mean of the normal training images (or rows), and the mean squared distance of a pixel (or column) to it.',
  paper: 'A baseline without a paper.',
  learning: 'baseline',
  inputs: ['image', 'table'],
  learns: 'statistics',
  config: z.strictObject({}),
  presets: {},
  tiny: {},
  async fit(_config, data) {
    const sum = new Float64Array(data.shape.reduce((n, d) => n * d, 1));
    for await (const block of data.blocks(256)) {
      for (let i = 0; i < block.count * sum.length; i++) sum[i % sum.length] += block.data[i];
    }
    return {
      'mean-image.mean': float32(
        sum.map((s) => s / data.count),
        data.shape,
      ),
    };
  },
  pool: (_config, map) => poolMap('mean', map),

  score(_config, net, x) {
    const mean = net('mean-image').parameter('mean', itemShapeOf(x), zerosInit); // [C,H,W] or [D]
    const map = itemMap(g.square(g.sub(x, mean))); // [N,1,H,W] or [N,D]
    return { map, score: poolMap('mean', map), reconstruction: g.add(g.mul(x, 0), mean) };
  },
});
