import { describe, expect, it } from 'vitest';
import { Rng } from '../../core/random.ts';
import { plantOutliers } from './outliers.ts';

/** Two numbers that go together and a text of three. */
const block = (rows: number) => {
  const values = new Float32Array(rows * 5);
  for (let r = 0; r < rows; r++)
    values.set([r / rows, r / rows + 1, ...[0, 1, 2].map((t) => Number(r % 3 === t))], 5 * r);
  return { values, width: 5, columns: [1, 1, 3] };
};

describe('plantOutliers', () => {
  it('takes turns of three kinds, each outside of what normal rows are', () => {
    const given = block(60);
    const { values, kinds } = plantOutliers(given, new Rng(1));
    expect(kinds.slice(0, 4)).toEqual(['far', 'mixed', 'between', 'far']);
    for (const [r, kind] of kinds.entries()) {
      const [a, b, ...text] = values.subarray(5 * r, 5 * r + 5);
      expect(text.reduce((n, v) => n + v, 0)).toBe(1);
      const isOutside = a < 0 || a > 59 / 60 || b < 1 || b > 1 + 59 / 60;
      expect(isOutside).toBe(kind === 'far');
    }
    const apart = [...kinds.keys()].filter((r) => Math.abs(values[5 * r + 1] - values[5 * r] - 1) > 1e-3);
    expect(apart.length).toBeGreaterThan(40); // numbers that went together no longer do
    expect(given.values).toEqual(block(60).values);
  });

  it('is a function of the stream alone', () => {
    const one = plantOutliers(block(9), new Rng(4)).values;
    expect(plantOutliers(block(9), new Rng(4)).values).toEqual(one);
    expect(plantOutliers(block(9), new Rng(5)).values).not.toEqual(one);
  });

  it('moves the only column of a table, and mixes one of texts alone', () => {
    const single = plantOutliers({ values: Float32Array.from([1, 2, 3, 4]), width: 1, columns: [1] }, new Rng(2));
    expect(single.kinds).toEqual(['far', 'far', 'far', 'far']);
    for (const v of single.values) expect(v < 1 || v > 4).toBe(true);
    const texts = { values: Float32Array.from([1, 0, 0, 1]), width: 2, columns: [2] };
    expect(plantOutliers(texts, new Rng(2)).kinds).toEqual(['mixed', 'mixed']);
  });

  it('leaves columns that never vary alone', () => {
    const constant = { values: Float32Array.from([0, 7, 1, 7, 2, 7]), width: 2, columns: [1, 1] };
    const { values, kinds } = plantOutliers(constant, new Rng(3));
    for (const r of kinds.keys()) expect(values[2 * r + 1]).toBe(7);
  });
});
