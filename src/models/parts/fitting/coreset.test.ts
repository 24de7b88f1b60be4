import { describe, expect, it } from 'vitest';
import { Rng } from '../../../core/random.ts';
import { openRuntime } from '../../../runtime/index.ts';
import { blurMatrix } from '../maps/smooth-map.ts';
import { greedyCoreset } from './coreset.ts';

/** The same by definition: the farthest row in turn. */
function greedy(rows: Float32Array, width: number, first: number, count: number): number[] {
  const n = rows.length / width;
  const squares = (i: number, j: number) => {
    let sum = 0;
    for (let k = 0; k < width; k++) sum += (rows[i * width + k] - rows[j * width + k]) ** 2;
    return sum;
  };
  const chosen = [first];
  const distances = Array.from({ length: n }, (_, i) => squares(i, first));
  while (chosen.length < count) {
    const farthest = distances.indexOf(Math.max(...distances));
    chosen.push(farthest);
    for (let i = 0; i < n; i++) distances[i] = Math.min(distances[i], squares(i, farthest));
  }
  return chosen;
}

async function chosen(rows: Float32Array, width: number, count: number) {
  const runtime = await openRuntime('reference');
  const compile: Parameters<typeof greedyCoreset>[3]['compile'] = (program) =>
    runtime.compile(program, { carry: program.carry });
  return greedyCoreset(rows, width, count, { compile, onEvent: () => {}, rng: new Rng(2) });
}

describe('greedy selection', () => {
  it('is that of the definition, in rounds of candidates', async () => {
    const rows = new Rng(1).normals(1500 * 3);
    const { chosen: found, radius } = await chosen(rows, 3, 90);
    expect([...found]).toEqual(greedy(rows, 3, found[0], 90));
    const next = greedy(rows, 3, found[0], 91).at(-1)!;
    const toChosen = Math.min(
      ...Array.from(found, (i) => Math.hypot(...[0, 1, 2].map((k) => rows[i * 3 + k] - rows[next * 3 + k]))),
    );
    expect(radius).toBeCloseTo(toChosen, 4);
  });

  it('may take all rows, and equal ones', async () => {
    const rows = new Rng(1).normals(20 * 2);
    expect([...(await chosen(rows, 2, 20)).chosen].sort((a, b) => a - b)).toEqual([...Array(20).keys()]);
    const equal = await chosen(new Float32Array(10).fill(0.5), 2, 3);
    expect(equal.radius).toBe(0);
    expect(new Set(equal.chosen).size).toBe(3);
  });
});

it('the blur keeps sums, and a single point becomes a Gaussian', () => {
  const { data } = blurMatrix(40, 2);
  const row = Array.from(data.slice(20 * 40, 21 * 40) as Float32Array);
  expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 6);
  expect(row[22] / row[20]).toBeCloseTo(Math.exp(-0.5), 5);
  const edge = Array.from(data.slice(0, 40) as Float32Array);
  expect(edge.reduce((a, b) => a + b)).toBeCloseTo(1, 6);
  expect(edge[0]).toBeCloseTo(row[20] + row[21], 6);
});
