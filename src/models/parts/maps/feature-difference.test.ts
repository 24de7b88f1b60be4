import { expect, test } from 'vitest';
import { Rng } from '../../../core/random.ts';
import { float32, type Tensors } from '../../../core/tensor.ts';
import * as g from '../../../graph/index.ts';
import * as nn from '../../../nn/index.ts';
import { differenceInDeviations, inPlace, learnDifferences, learnPlaces } from './feature-difference.ts';

const shapes = [
  [2, 3, 4, 4],
  [2, 2, 2, 2],
] as const;
const normal = [0, 1].map((batch) =>
  shapes.map((shape, tap) => {
    const scale = [1, 10][tap];
    const values = new Rng(7)
      .split(batch)
      .split(tap)
      .normals(
        shape.reduce((a, b) => a * b, 1),
        0.5 * scale,
        scale,
      );
    return float32(values, shape);
  }),
);

/** The buffers after a batch, from those before it. */
function after(learn: (net: nn.Scope) => void, before: Tensors = {}): Tensors {
  const trace = new nn.Trace(true);
  learn(trace.group('kept'));
  const buffers = [...trace.buffers.values()];
  const start = buffers.map(({ spec }) => [
    spec.name,
    float32(spec.init(spec.shape, new Rng(0), spec.fan), spec.shape),
  ]);
  const next = g.evaluate(
    buffers.map((buffer) => buffer.next),
    { ...Object.fromEntries(start), ...before },
  );
  return Object.fromEntries(buffers.map(({ spec }, i) => [spec.name, next[i]]));
}

/** The buffers after all batches. */
const learnt = (): Tensors =>
  normal.reduce<Tensors>((before, batch) => {
    const constants = batch.map((t) => g.constant(t));
    return after((net) => learnDifferences(net, constants), before);
  }, {});

test('differences are told in deviations of each channel from what is usual at each place', () => {
  const tensors = learnt();
  const trace = new nn.Trace(false);
  const inputs = shapes.map((shape, tap) => g.input(`tap${tap}`, shape));
  const map = differenceInDeviations(trace.group('kept'), inputs, [4, 4]);
  const [first] = normal;
  const [found] = g.evaluate([map], { ...tensors, tap0: first[0], tap1: first[1] });
  // At a corner, bilinear enlargement is the corner of the grid.
  const parts = [0, 1].map((tap) => {
    const [, channels, h, w] = shapes[tap];
    const area = h * w;
    const items = normal.flatMap((batch) => {
      const values = Array.from(batch[tap].data as Float32Array);
      return [0, 1].map((n) => values.slice(n * channels * area, (n + 1) * channels * area));
    });
    const mean = items[0].map((_, i) => items.reduce((sum, item) => sum + item[i], 0) / items.length);
    const squares = mean.map((m, i) => items.reduce((sum, item) => sum + (item[i] - m) ** 2, 0) / items.length);
    const variances = Array.from({ length: channels }, (_, c) => {
      return squares.slice(c * area, (c + 1) * area).reduce((x, y) => x + y) / area;
    });
    const floor = (0.01 * variances.reduce((x, y) => x + y)) / channels;
    const each = variances.map((variance, c) => (items[0][c * area] - mean[c * area]) ** 2 / (variance + floor));
    return each.reduce((x, y) => x + y) / channels;
  });
  expect(found.data[0]).toBeCloseTo((parts[0] + parts[1]) / 2, 3);
  const mean = Array.from(found.data as Float32Array).reduce((a, b) => a + b) / found.data.length;
  expect(mean).toBeGreaterThan(0.4);
  expect(mean).toBeLessThan(2);
});

test('maps are told in deviations of each place', () => {
  const maps = float32([1, 10, 2, 20, 3, 30, 4, 40], [4, 1, 1, 2]);
  const tensors = after((net) => learnPlaces(net, g.constant(maps)));
  const trace = new nn.Trace(false);
  const [found] = g.evaluate([inPlace(trace.group('kept'), g.constant(maps))], tensors);
  const floor = (0.01 * (1.25 + 125)) / 2;
  [1, 2, 3, 4].forEach((v, i) => {
    expect(found.data[2 * i]).toBeCloseTo((v - 2.5) / Math.sqrt(1.25 + floor), 4);
    expect(found.data[2 * i + 1]).toBeCloseTo((10 * (v - 2.5)) / Math.sqrt(125 + floor), 4);
  });
});
