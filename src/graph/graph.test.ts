/** Small promises of the language that are not an operator's values: symbols, refusals, gradients of what has none. */
import { describe, expect, it } from 'vitest';
import { float32, int64 } from '../core/tensor.ts';
import * as g from './index.ts';

describe('evaluate', () => {
  it('binds symbols before anything needs them', () => {
    const x = g.input('x', ['N', 2]);
    const ones = g.broadcastTo(g.constant(1), x.shape);
    expect(g.evaluate([g.add(ones, x)], { x: float32([1, 2, 3, 4], [2, 2]) })[0].shape).toEqual([2, 2]);
    expect(() => g.evaluate([ones], {})).toThrow(/no input carries the size N/);
  });
});

describe('refusals', () => {
  it('indices must fit the values outside their axis', () => {
    const i = g.constant(int64([0, 1], [1, 2]));
    expect(() => g.gatherElements(g.input('x', [3, 3]), i, 0)).toThrow(/outside axis 0/);
    expect(() => g.scatterAdd(g.input('x', [2, 2]), i, 0, 4)).toThrow(/one shape/);
  });

  it('a gradient through a count that is a symbol says so instead of giving NaN', () => {
    const x = g.input('x', ['N', 2, 4]);
    const c = g.input('c', [2]);
    const of = (y: g.Value) => () => g.gradients(y, [x]);
    expect(of(g.reduceMean(x))).toThrow(/fixed size/);
    expect(of(g.reduceSum(g.batchNormalize(x, c, c, 1e-5).y))).toThrow(/fixed size/);
    expect(of(g.reduceSum(g.maxPool(x, 2, { stride: 1 })))).toThrow(/fixed size/);
  });
});

describe('gradients', () => {
  it('are zero for what the loss does not depend on, and flow through an inner value', () => {
    const [x, y] = [g.input('x', [2]), g.input('y', [2])];
    const inner = g.mul(x, 3);
    const gradients = g.gradients(g.reduceSum(g.square(inner)), [x, y, inner]);
    const values = g.evaluate([...gradients, x, y], { x: float32([1, 2]), y: float32([1, 1]) }).map((t) => [...t.data]);
    expect(values.slice(0, 3)).toEqual([
      [18, 36],
      [0, 0],
      [6, 12],
    ]);
    expect(() => g.gradients(x, [x])).toThrow(/taken of a scalar/);
  });
});

describe('maxPool', () => {
  it('shares the gradient of a block among its equal maxima', () => {
    const x = g.input('x', [1, 1, 4, 4]);
    const [slope] = g.gradients(g.reduceSum(g.mul(g.maxPool(x, 2), g.input('w', [1, 1, 2, 2]))), [x]);
    const image = [2, 2, 1, 0, 2, 0, 1, 1, 0, 0, 3, 3, 0, 4, 3, 3];
    const feeds = { x: float32(Float32Array.from(image), [1, 1, 4, 4]), w: float32([6, 3, 5, 8], [1, 1, 2, 2]) };
    const [dx] = g.evaluate([slope], feeds);
    expect([...dx.data].map((v) => Number(Number(v).toFixed(5)))).toEqual([
      2, 2, 1, 0, 2, 0, 1, 1, 0, 0, 2, 2, 0, 5, 2, 2,
    ]);
  });
});

describe('scaleChannels', () => {
  const [x, factor, offset] = [g.input('x', [2, 4, 5, 5]), g.input('f', [6]), g.input('o', [6])];
  const bias = g.input('b', [6]);
  const wide = (v: g.Value) => g.reshape(v, [1, 6, 1, 1]);
  const noise = (shape: readonly number[], seed: number) => {
    const length = shape.reduce((n, d) => n * d, 1);
    return float32(
      Float32Array.from({ length }, (_, i) => Math.sin(7.3 * (i + seed))),
      shape,
    );
  };
  it.each([
    ['conv', g.conv(x, g.input('w', [6, 4, 3, 3]), { stride: 2, bias }), [6, 4, 3, 3], true],
    ['conv without a bias, in groups', g.conv(x, g.input('w', [6, 2, 3, 3]), { groups: 2 }), [6, 2, 3, 3], true],
    ['convTranspose', g.convTranspose(x, g.input('w', [4, 6, 3, 3]), { stride: 2, bias }), [4, 6, 3, 3], true],
    ['convTranspose in groups', g.convTranspose(x, g.input('w', [4, 3, 3, 3]), { groups: 2 }), [4, 3, 3, 3], false],
    ['relu', g.relu(g.conv(x, g.input('w', [6, 4, 1, 1]))), [6, 4, 1, 1], false],
  ] as const)('%s: equal to a product and a sum, folded where it can be', (_, y, kernel, folds) => {
    const folded = g.scaleChannels(y, factor, offset);
    const plain = g.add(g.mul(y, wide(factor)), wide(offset));
    const feeds = {
      x: noise(x.shape as number[], 1),
      w: noise(kernel, 2),
      b: noise([6], 3),
      f: noise([6], 4),
      o: noise([6], 5),
    };
    const [a, b] = g.evaluate([folded, plain], feeds);
    for (const [i, v] of a.data.entries()) expect(Number(v)).toBeCloseTo(Number(b.data[i]), 4);
    expect(folded.node.op === y.node.op).toBe(folds);
  });
});
