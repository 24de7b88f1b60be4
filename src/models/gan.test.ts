import { expect, it } from 'vitest';
import { Rng } from '../core/random.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import * as g from '../graph/index.ts';
import * as nn from '../nn/index.ts';
import { gan } from './gan.ts';
import { discriminate } from './parts/nets/dcgan.ts';
import { signedItems } from './parts/shapes.ts';

it.each([
  ['images', [4, 1, 8, 8]],
  ['rows', [4, 64]],
])('scores higher what the discriminator finds less real, of %s', (_, shape) => {
  const options = gan.config.parse({ width: 4 });
  const trace = new nn.Trace(false);
  const net = (group: string) => trace.group(group);
  const x = g.input('x', shape);
  const { score, map } = gan.score(options, net, x);
  const { logit } = discriminate(options, net('discriminator'), signedItems(x));
  const rng = new Rng(1);
  const feeds: Tensors = { x: float32(rng.split('x').uniforms(256), x.shape as number[]) };
  for (const { spec } of [...trace.parameters.values(), ...trace.buffers.values()])
    feeds[spec.name] = float32(spec.init(spec.shape, rng.split(spec.name), spec.fan), spec.shape);
  const [scores, logits, maps] = g.evaluate([score, logit, map], feeds);
  expect([...scores.data]).toEqual([...logits.data].map((v) => -Number(v)));
  expect(new Set([...scores.data].map(Number)).size).toBe(4);
  expect(maps.shape).toEqual(shape);
  expect([...maps.data].some((v) => Number(v) > 0)).toBe(true);
});
