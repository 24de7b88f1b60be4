/**
 * Baseline: a score that knows nothing. It is a hash of the image in exact integer arithmetic, so it is the same on
 * every device and does not depend on the batch. AUROC is near 0.5 and AP near the share of anomalies.
 */
import { z } from 'zod';
import { Rng } from '../core/random.ts';
import { int64, tensor } from '../core/tensor.ts';
import { constant } from '../graph/leaf.ts';
import * as g from '../graph/ops/index.ts';
import { defineModel } from './define.ts';

/** A prime below 2^31: products of two residues fit into an int64. */
const prime = 2147483647;

export const random = defineModel({
  name: 'random',
  title: 'Random score',
  idea: 'A pseudo-random number in [0, 1) made from the pixels: what a metric gives when nothing was learnt.',
  paper: 'A baseline without a paper.',
  learning: 'baseline',
  inputs: ['image'],
  learns: 'none',
  config: z.strictObject({
    seed: z.int().min(0).default(0).describe('Seed of the hash: another seed, another order of the images.'),
  }),
  presets: {},
  tiny: {},
  score({ seed }, _net, x) {
    const [channels, height, width] = x.shape.slice(1) as number[];
    const size = channels * height * width;
    const rng = new Rng(seed, 'random-baseline');
    const weights = BigInt64Array.from({ length: size }, () => BigInt(1 + rng.int(65536)));
    const levels = g.cast(g.floor(g.add(g.mul(x, 255), 0.5)), 'int64'); // [N,C,H,W], 0 … 255
    const products = g.mul(levels, constant(tensor('int64', [channels, height, width], weights)));
    const sum = g.add(g.reduceSum(products, { axes: [1, 2, 3] }), constant(int64(12345))); // [N]
    // Three rounds of a multiplicative hash modulo a prime.
    let hash = sum;
    for (const factor of [48271, 69621, 16807])
      hash = g.mod(g.mul(g.add(hash, constant(int64(1))), constant(int64(factor))), constant(int64(prime)));
    const score = g.mul(g.cast(hash, 'float32'), 1 / prime);
    const flat = g.reshape(score, [x.shape[0], 1, 1, 1]);
    const map = g.add(g.mul(g.reduceMean(x, { axes: [1], keep: true }), 0), flat);
    return { map, score };
  },
});
