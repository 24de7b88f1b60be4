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

/** The buffers after the batches. */
function learnt(): Tensors {
  let tensors: Tensors = {};
  for (const batch of normal) {
    const trace = new nn.Trace(true);
    learnDifferences(
      trace.group('differences'),
      batch.map((t) => g.constant(t)),
    );
    const buffers = [...trace.buffers.values()];
    const start = buffers.map(({ spec }) => [
      spec.name,
      float32(spec.init(spec.shape, new Rng(0), spec.fan), spec.shape),
    ]);
    const after = g.evaluate(
      buffers.map(({ next }) => next),
      { ...Object.fromEntries(start), ...tensors },
    );
    tensors = Object.fromEntries(buffers.map(({ spec }, i) => [spec.name, after[i]]));
  }
  return tensors;
}

test('differences are told in deviations of each channel on normal images', () => {
  const tensors = learnt();
  const trace = new nn.Trace(false);
  const inputs = shapes.map((shape, tap) => g.input(`tap${tap}`, shape));
  const map = differenceInDeviations(trace.group('differences'), inputs, [4, 4]);
  const [first] = normal;
  const [found] = g.evaluate([map], { ...tensors, tap0: first[0], tap1: first[1] });
  const channelsOf = (tap: number) => {
    const [n, channels, h, w] = shapes[tap];
    return Array.from({ length: channels }, (_, c) => {
      const all = normal.flatMap((batch) =>
        Array.from(batch[tap].data as Float32Array).filter((_, i) => Math.floor(i / (h * w)) % channels === c),
      );
      const mean = all.reduce((a, b) => a + b) / (2 * n * h * w);
      return { mean, variance: all.reduce((a, b) => a + (b - mean) ** 2, 0) / all.length };
    });
  };
  // At a corner, bilinear enlargement is the corner of the grid.
  const parts = [0, 1].map((tap) => {
    const [, channels, h, w] = shapes[tap];
    const statistics = channelsOf(tap);
    const floor = (0.01 * statistics.reduce((sum, { variance }) => sum + variance, 0)) / channels;
    return (
      statistics.reduce(
        (sum, { mean, variance }, c) => sum + (Number(first[tap].data[c * h * w]) - mean) ** 2 / (variance + floor),
        0,
      ) / channels
    );
  });
  expect(found.data[0]).toBeCloseTo((parts[0] + parts[1]) / 2, 3);
  const mean = Array.from(found.data as Float32Array).reduce((a, b) => a + b) / found.data.length;
  expect(mean).toBeGreaterThan(0.5);
  expect(mean).toBeLessThan(2);
});

test('maps are told in deviations of each place', () => {
  const maps = float32([1, 10, 2, 20, 3, 30, 4, 40], [4, 1, 1, 2]);
  const learning = new nn.Trace(true);
  learnPlaces(learning.group('places'), g.constant(maps));
  const buffers = [...learning.buffers.values()];
  const start = buffers.map(({ spec }) => [
    spec.name,
    float32(spec.init(spec.shape, new Rng(0), spec.fan), spec.shape),
  ]);
  const after = g.evaluate(
    buffers.map(({ next }) => next),
    Object.fromEntries(start),
  );
  const tensors = Object.fromEntries(buffers.map(({ spec }, i) => [spec.name, after[i]]));
  const trace = new nn.Trace(false);
  const [found] = g.evaluate([inPlace(trace.group('places'), g.constant(maps))], tensors);
  const floor = (0.01 * (1.25 + 125)) / 2;
  [1, 2, 3, 4].forEach((v, i) => {
    expect(found.data[2 * i]).toBeCloseTo((v - 2.5) / Math.sqrt(1.25 + floor), 4);
    expect(found.data[2 * i + 1]).toBeCloseTo((10 * (v - 2.5)) / Math.sqrt(125 + floor), 4);
  });
});
