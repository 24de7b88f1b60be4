import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../core/random.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import { scoringProgram } from '../engine/scoring/graph.ts';
import { openRuntime, type Runtime } from '../runtime/index.ts';
import type { FitData } from './define.ts';
import { ensemble } from './ensemble.ts';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await openRuntime('reference');
});
afterAll(() => runtime?.close());

const dataOf = (rows: Float32Array, width: number) =>
  ({
    shape: [width],
    count: rows.length / width,
    rng: new Rng(1),
    onEvent: () => {},
    compile: (program: Parameters<Runtime['compile']>[0]) => runtime.compile(program, { carry: program.carry }),
    async *blocks() {
      yield { count: rows.length / width, data: rows };
    },
  }) as unknown as FitData;

async function scored(config: ReturnType<typeof options>, tensors: Tensors, rows: number[][]) {
  const width = rows[0].length;
  const session = await runtime.compile(scoringProgram(ensemble, config, [width], tensors));
  try {
    const { score, map } = await session.run({ row: float32(rows.flat(), [rows.length, width]) });
    return { scores: [...(score.data as Float32Array)], map: map.data as Float32Array };
  } finally {
    await session.close();
  }
}

const options = (given = {}) => ensemble.config.parse({ trees: 30, ...given });
const fit = async (rows: Float32Array, width: number, given = {}) => {
  if (ensemble.learns !== 'statistics') throw new Error('it learns by statistics');
  return ensemble.fit(options(given), dataOf(rows, width));
};

/** Rows whose second column follows the first. */
function made(count: number, seed: number): number[] {
  const rng = new Rng(seed);
  return Array.from({ length: count }).flatMap(() => {
    const [a, b, c] = rng.normals(3);
    return [a, a + 0.1 * b, c];
  });
}

describe('ensemble', () => {
  it('finds what is far in a column and what is an unusual combination, with the columns to blame', async () => {
    const tensors = await fit(Float32Array.from(made(200, 1)), 3);
    const { scores, map } = await scored(options(), tensors, [
      [0, 0, 0],
      [0, 0, 8],
      [1.5, -1.5, 0],
      [0, 0, 80],
    ]);
    expect(scores[1]).toBeGreaterThan(scores[0] + 2);
    expect(scores[2]).toBeGreaterThan(scores[0] + 2);
    expect(scores[3]).toBeGreaterThan(scores[1]);
    const parts = (r: number) => [...map.subarray(3 * r, 3 * r + 3)];
    expect(parts(1)[2]).toBeGreaterThan(0.6 * scores[1]);
    expect(parts(2)[0] + parts(2)[1]).toBeGreaterThan(0.8 * scores[2]);
    for (const r of [0, 1, 2, 3]) expect(parts(r).reduce((a, b) => a + b) / scores[r]).toBeCloseTo(1, 5);
  });

  it('gives normal rows that it has not seen −log of their share on average, whatever the scales of its members', async () => {
    const tensors = await fit(Float32Array.from(made(250, 1)), 3);
    const fresh = made(250, 2);
    const rows = Array.from({ length: 250 }, (_, r) => fresh.slice(3 * r, 3 * r + 3));
    const { scores } = await scored(options(), tensors, rows);
    // −log of a uniform share has the mean 1.
    expect(scores.reduce((a, b) => a + b) / 250).toBeGreaterThan(0.7);
    expect(scores.reduce((a, b) => a + b) / 250).toBeLessThan(1.3);
  });

  it('takes one row, one column, constant columns and more columns than its mixture', async () => {
    const cases: [Float32Array, number][] = [
      [Float32Array.of(1, 2), 2],
      [Float32Array.from({ length: 50 }, (_, i) => i % 7), 1],
      [Float32Array.from({ length: 90 }, (_, i) => (i % 3 === 0 ? i : 4)), 3],
      [Float32Array.from({ length: 3000 }, (_, i) => Math.sin(i * i)), 300],
    ];
    for (const [rows, width] of cases) {
      const tensors = await fit(rows, width, { neighbours: 1 });
      expect('mixture.means' in tensors).toBe(width < 300);
      const far = Array.from({ length: width }, () => 1e6);
      const { scores, map } = await scored(options({ neighbours: 1 }), tensors, [[...rows.subarray(0, width)], far]);
      expect([...scores, ...map].every(Number.isFinite)).toBe(true);
      expect(scores[1]).toBeGreaterThan(scores[0]);
    }
  });

  it('refuses a bank of one row', () => {
    expect(() => options({ bank: 1 })).toThrow();
  });
});
