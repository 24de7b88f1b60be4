/** knn and isolation-forest against definitions, on the plain reference. */
import { describe, expect, test } from 'vitest';
import type { Event } from '../core/events.ts';
import { Rng } from '../core/random.ts';
import { float32 } from '../core/tensor.ts';
import { evaluate } from '../graph/evaluate.ts';
import { constant, input } from '../graph/leaf.ts';
import { substitute } from '../graph/substitute.ts';
import { Trace } from '../nn/scope.ts';
import type { FitData, FitItems, Model } from './define.ts';
import { isolationForest } from './isolation-forest.ts';
import { knn } from './knn.ts';
import { searchLength } from './parts/search-length.ts';

const [rows, width] = [60, 3];
const items = new Rng(4).normals(rows * width);
const data: FitItems & Pick<FitData, 'onEvent'> = {
  shape: [width],
  count: rows,
  rng: new Rng(1),
  onEvent: () => {},
  async *blocks(size) {
    for (let at = 0; at < rows; at += size) {
      const count = Math.min(size, rows - at);
      yield { count, data: items.slice(at * width, (at + count) * width) };
    }
  },
};

/** Fits a model and scores rows. */
async function scored<C>(model: Model<C>, options: Partial<C>, x: Float32Array, from = data) {
  if (model.learns !== 'statistics') throw new Error('a model that learns by statistics is needed');
  const config = model.config.parse(options);
  const tensors = await model.fit(config, from as FitData);
  const trace = new Trace(false, tensors);
  const { score, map } = model.score(config, (group) => trace.group(group), input('row', ['N', width]));
  const learnt = new Map([...trace.parameters].map(([name, { value }]) => [value, constant(tensors[name])]));
  const outputs = evaluate(substitute([score, map], learnt), { row: float32(x, [x.length / width, width]) });
  return outputs.map((t) => Float64Array.from(t.data as Float32Array));
}

describe('knn', () => {
  const distances = (x: Float32Array) =>
    Array.from({ length: rows }, (_, r) =>
      Math.sqrt([0, 1, 2].reduce((sum, j) => sum + (x[j] - items[r * width + j]) ** 2, 0)),
    ).sort((a, b) => a - b);
  const x = Float32Array.of(0.2, -0.4, 1, 3, 3, 3);

  test('the score is the distance to the k-th neighbour, the map its square by feature', async () => {
    const [score, map] = await scored(knn, { neighbours: 4 }, x);
    expect(score[0]).toBeCloseTo(distances(x.subarray(0, 3))[3], 5);
    expect(score[1]).toBeCloseTo(distances(x.subarray(3))[3], 5);
    expect(map[0] + map[1] + map[2]).toBeCloseTo(score[0] ** 2, 5);
  });

  test('the mean over neighbours, and a bank smaller than k', async () => {
    const [score] = await scored(knn, { neighbours: 3, distance: 'mean' }, x.subarray(0, 3));
    const near = distances(x.subarray(0, 3)).slice(0, 3);
    expect(score[0]).toBeCloseTo(Math.sqrt(near.reduce((sum, d) => sum + d * d, 0) / 3), 5);
    expect(Number.isFinite((await scored(knn, { neighbours: 9, bank: 2 }, x))[0][0])).toBe(true);
  });

  test('a sample in place of the bank is said, and whole banks too', async () => {
    const told: string[] = [];
    const hearing = { ...data, onEvent: (e: Event) => told.push(e.type === 'warning' ? e.code : e.type) };
    await scored(knn, { bank: 20 }, x, hearing);
    await scored(knn, {}, x, hearing);
    expect(told).toEqual(['bank-sampled', 'log']);
  });

  test.each(['largest', 'mean'] as const)(
    'rows are found through blocks, with those that fill none: %s',
    async (distance) => {
      // Far from zero and close together, where large products lose the difference.
      const many = new Rng(9).normals(337 * width, 0, 0.01).map((v, i) => v + [100, -50, 0][i % width]);
      const from = {
        ...data,
        count: 337,
        async *blocks() {
          yield { count: 337, data: many.slice() };
        },
      };
      const queries = Float32Array.of(...many.subarray(0, 3), ...many.subarray(336 * width), 100, -50, 1);
      const [score] = await scored(knn, { neighbours: 2, distance }, queries, from);
      for (let q = 0; q < 3; q++) {
        const squares = Array.from({ length: 337 }, (_, r) =>
          [0, 1, 2].reduce((sum, j) => sum + (queries[q * width + j] - many[r * width + j]) ** 2, 0),
        ).sort((a, b) => a - b);
        expect(score[q]).toBeCloseTo(Math.sqrt(distance === 'largest' ? squares[1] : (squares[0] + squares[1]) / 2), 4);
      }
    },
  );
});

describe('isolation-forest', () => {
  test('c(n) is the mean length of a search', () => {
    expect([1, 2].map(searchLength)).toEqual([0, 1]);
    expect(searchLength(256)).toBeCloseTo(10.2448, 3); // scikit-learn's _average_path_length
  });

  test('what lies far out is isolated sooner, and the map says by which feature', async () => {
    const x = Float32Array.of(0, 0, 0, 9, 0, 0, 0, 0, -9);
    const [score, map] = await scored(isolationForest, { trees: 200, sample: 32 }, x);
    expect(score[1]).toBeGreaterThan(score[0] + 0.1);
    expect([...score].every((s) => s > 0 && s < 1)).toBe(true);
    for (const i of [0, 1, 2]) expect(map[3 * i] + map[3 * i + 1] + map[3 * i + 2]).toBeCloseTo(score[i], 5);
    expect(map[3]).toBeGreaterThan(Math.max(map[4], map[5]));
    expect(map[8]).toBeGreaterThan(Math.max(map[6], map[7]));
  });
});
