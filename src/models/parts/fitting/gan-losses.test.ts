import { expect, it } from 'vitest';
import { Rng } from '../../../core/random.ts';
import { sizeOf } from '../../../core/shape.ts';
import { float32, type Tensors } from '../../../core/tensor.ts';
import * as g from '../../../graph/index.ts';
import * as nn from '../../../nn/index.ts';
import { ganDiscriminatorLoss, realPenalty } from './gan-losses.ts';

it('R1 of a linear discriminator is half the squared length of its weights', () => {
  const x = g.input('x', [4, 3]);
  const w = g.constant(float32(Float32Array.of(1, -2, 3), [3, 1]));
  const penalty = realPenalty(g.reshape(g.matMul(x, w), [4]), x);
  const [value] = g.evaluate([penalty], { x: float32(new Rng(1).uniforms(12), [4, 3]) });
  expect(value.data[0]).toBeCloseTo(7, 5);
});

it.each([
  ['rows', [4, 6]],
  ['images', [4, 1, 8, 8]],
])('R1 is added with its weight, and slopes against it are those of differences, for %s', (_, shape) => {
  const loss = (penalty: number) => {
    const trace = new nn.Trace(true);
    const x = g.input('x', shape);
    const z = g.input('z', [4, 5]);
    const context = { net: (group: string) => trace.group(group), x, labels: x, classes: x, draw: () => z };
    const parts = nn.partsOf(ganDiscriminatorLoss({ network: 'strided', width: 2, dropout: 0, penalty }, context, z));
    return { ...parts, trace };
  };
  const [without, withIt] = [loss(0), loss(10)];
  const specs = [...withIt.trace.parameters.values(), ...withIt.trace.buffers.values()];
  const feeds: Tensors = {
    x: float32(new Rng(1).uniforms(sizeOf(shape)), shape),
    z: float32(new Rng(2).normals(20), [4, 5]),
  };
  for (const { spec } of specs)
    feeds[spec.name] = float32(
      (spec.name.includes('running_') ? spec.init : nn.normalInit(0.3))(
        spec.shape,
        new Rng(1).split(spec.name),
        spec.fan,
      ),
      spec.shape,
    );
  for (const [name, { draw }] of [...withIt.trace.draws, ...without.trace.draws])
    feeds[name] = float32(new Float32Array(sizeOf(draw.shape)).fill(0.9), draw.shape);
  expect(Object.keys(without.metrics)).toEqual(['real', 'fake']);
  const [plain] = g.evaluate([without.loss], feeds);
  const [all, r1] = g.evaluate([withIt.loss, withIt.metrics.r1], feeds).map(({ data }) => Number(data[0]));
  expect(r1).toBeGreaterThan(1e-3);
  expect(all / (Number(plain.data[0]) + 10 * r1)).toBeCloseTo(1, 5);
  // The gradient of the penalty goes through a gradient.
  const name = [...withIt.trace.parameters.keys()].find(
    (key) => key.startsWith('discriminator') && key.endsWith('weight'),
  )!;
  const { value } = withIt.trace.parameters.get(name)!;
  const [slope] = g.evaluate(g.gradients(withIt.metrics.r1, [value]), feeds);
  const at = slope.data.findIndex((v: number | bigint) => Math.abs(Number(v)) > 1e-3);
  expect(at).toBeGreaterThanOrEqual(0);
  const moved = (by: number) => {
    const data = Float32Array.from(feeds[name].data as Float32Array);
    data[at] += by;
    return Number(g.evaluate([withIt.metrics.r1], { ...feeds, [name]: float32(data, feeds[name].shape) })[0].data[0]);
  };
  const difference = (moved(1e-3) - moved(-1e-3)) / 2e-3;
  expect(difference / Number(slope.data[at])).toBeCloseTo(1, 1);
});
