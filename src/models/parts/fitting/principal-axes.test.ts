import { describe, expect, it } from 'vitest';
import { Rng } from '../../../core/random.ts';
import type { FitItems } from '../../define.ts';
import { principalAxes } from './principal-axes.ts';

/** `n` items of `width` features around a mean, with variances 1, 1/2, 1/4, … along `rank` directions. */
function items(n: number, width: number, rank: number): FitItems {
  const rng = new Rng(4);
  const [directions, weights] = [rng.normals(rank * width), rng.normals(n * rank)];
  const data = Float32Array.from({ length: n * width }, (_, at) => {
    const [i, j] = [Math.floor(at / width), at % width];
    let value = 0.5 + j / width;
    for (let r = 0; r < rank; r++) value += weights[i * rank + r] * directions[r * width + j] * 2 ** (-r / 2);
    return value;
  });
  return {
    shape: [1, 1, width],
    count: n,
    rng,
    async *blocks(size) {
      for (let at = 0; at < n; at += size) {
        yield { count: Math.min(size, n - at), data: data.slice(at * width, Math.min(n, at + size) * width) };
      }
    },
  };
}

const covariance = { matrixRows: 100, itemValues: 0 };
const gram = { matrixRows: 100, itemValues: 2 ** 20 };
const passes = { matrixRows: 0, itemValues: 0 };

describe('principalAxes', () => {
  it('finds the same axes by each route', async () => {
    const data = items(30, 50, 8);
    const [a, b, c] = await Promise.all(
      [covariance, gram, passes].map((limits) => principalAxes(data, { count: 5 }, limits)),
    );
    expect(a.variances).toHaveLength(5);
    for (const other of [b, c]) {
      expect(other.total).toBeCloseTo(a.total, 8);
      for (let i = 0; i < 5; i++) expect(other.variances[i]).toBeCloseTo(a.variances[i], 6);
      for (let i = 0; i < a.axes.length; i++) expect(other.axes[i]).toBeCloseTo(a.axes[i], 5);
      for (let j = 0; j < 50; j++) expect(other.mean[j]).toBeCloseTo(a.mean[j], 8);
    }
  });

  it('has unit axes whose variances are those of the items, signs fixed', async () => {
    const data = items(40, 12, 12);
    const { axes, variances, mean, total } = await principalAxes(data, { count: 12 });
    expect(variances.reduce((sum, v) => sum + v)).toBeCloseTo(total, 8);
    for (let i = 0; i < 12; i++) {
      const axis = axes.slice(i * 12, (i + 1) * 12);
      let squares = 0;
      for await (const block of data.blocks(7)) {
        for (let r = 0; r < block.count; r++) {
          squares += axis.reduce((sum, v, j) => sum + v * (block.data[r * 12 + j] - mean[j]), 0) ** 2;
        }
      }
      expect(squares / 39).toBeCloseTo(variances[i], 6);
      expect(axis.reduce((sum, v) => sum + v * v, 0)).toBeCloseTo(1, 8);
      expect(Math.max(...axis)).toBe(Math.max(...axis.map(Math.abs)));
    }
  });

  it.each([
    ['covariance', covariance],
    ['Gram', gram],
    ['passes', passes],
  ])('keeps as many as explain a share (%s)', async (_name, limits) => {
    const data = items(60, 90, 20);
    const { variances, total } = await principalAxes(data, { share: 0.9 }, limits);
    const sum = variances.reduce((s, v) => s + v, 0);
    expect(sum / total).toBeGreaterThanOrEqual(0.9 - 1e-9);
    expect((sum - variances[variances.length - 1]) / total).toBeLessThan(0.9);
    const all = await principalAxes(data, { share: 1 }, limits);
    expect(all.variances).toHaveLength(20);
  });

  it('never has more axes than the items span', async () => {
    expect((await principalAxes(items(4, 9, 9), { count: 8 })).variances).toHaveLength(3);
    expect((await principalAxes(items(1, 9, 3), { count: 8 })).variances).toHaveLength(0);
  });
});
