import { expect, it } from 'vitest';
import { Rng } from '../../../core/random.ts';
import { float32, type Tensors } from '../../../core/tensor.ts';
import * as g from '../../../graph/index.ts';
import * as nn from '../../../nn/index.ts';
import { addTerms, spreadOf } from './term-spread.ts';

/** The spread of values after they came in batches, through buffers. */
function measured(batches: readonly Float32Array[]): number {
  let tensors: Tensors = Object.fromEntries(
    ['count', 'mean', 'squares'].map((name) => [`terms.a.${name}`, float32(Float32Array.of(0), [])]),
  );
  for (const batch of batches) {
    const trace = new nn.Trace(true);
    addTerms((group) => trace.group(group), { a: g.input('a', [batch.length]) });
    const buffers = [...trace.buffers];
    const next = g.evaluate(
      buffers.map(([, { next }]) => next),
      { ...tensors, a: float32(batch, [batch.length]) },
    );
    tensors = Object.fromEntries(buffers.map(([name], i) => [name, next[i]]));
  }
  const trace = new nn.Trace(false);
  return Number(g.evaluate([spreadOf((group) => trace.group(group), 'a')], tensors)[0].data[0]);
}

it('is the standard deviation over all batches, also far from 0', () => {
  const values = new Rng(1).normals(60, 1000, 0.5);
  const mean = values.reduce((a, b) => a + b) / 60;
  const expected = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / 60);
  expect(measured([values.slice(0, 10), values.slice(10, 40), values.slice(40)])).toBeCloseTo(expected, 3);
});

it('is 1 where values do not differ, and before anything was measured', () => {
  expect(measured([Float32Array.of(3, 3), Float32Array.of(3)])).toBe(1);
  expect(measured([])).toBe(1);
});
