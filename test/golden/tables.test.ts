/**
 * Detectors of rows against tables.json, made by tables.py: scikit-learn where it has them, else twins from the papers. Then
 * what they promise of tables of one column and of constant columns.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../dist/core/random.js';
import { float32, type Tensors } from '../../dist/core/tensor.js';
import { scoringProgram } from '../../dist/engine/scoring/graph.js';
import { type AnyModel, type FitData, findModel } from '../../dist/models/index.js';
import { histogramOf, learnHistograms } from '../../dist/models/loda.js';
import { type Planes, planesOf } from '../../dist/models/parts/rows/planes.js';
import { searchLength } from '../../dist/models/parts/search-length.js';
import { openRuntime, type Runtime } from '../../dist/runtime/index.js';

type Tree = number | [number[], number, Tree, Tree];
type Golden = Record<'ecod' | 'copod' | 'hbos' | 'lof', number[]> & {
  train: number[][];
  test: number[][];
  gmm: Record<string, number[]>;
  ocsvm: Record<string, number[]>;
  loda: { directions: number[][]; bins: number[]; scores: number[]; maps: number[][] };
  'extended-isolation-forest': { sample: number; trees: Tree[]; scores: number[] };
};
const golden: Golden = JSON.parse(readFileSync(new URL('./tables.json', import.meta.url), 'utf8'));
const width = golden.train[0].length;

let runtime: Runtime;
beforeAll(async () => {
  runtime = await openRuntime('cpu', { threads: 1 });
});
afterAll(() => runtime?.close());

const itemsOf = (rows: number[][]): FitData =>
  ({
    shape: [rows[0].length],
    count: rows.length,
    rng: new Rng(1),
    onEvent: () => {},
    async *blocks() {
      yield { count: rows.length, data: Float32Array.from(rows.flat()) };
    },
  }) as unknown as FitData;

async function scored(model: AnyModel, options: object, rows: number[][], learnt?: Tensors) {
  if (model.learns !== 'statistics') throw new Error('a model that learns by statistics is needed');
  const config = model.config.parse(options);
  const tensors = learnt ?? (await model.fit(config, itemsOf(golden.train)));
  return run(model, config, tensors, rows);
}

async function run(model: AnyModel, config: object, tensors: Tensors, rows: number[][]) {
  const session = await runtime.compile(scoringProgram(model, config, [rows[0].length], tensors));
  try {
    const { score, map } = await session.run({ row: float32(rows.flat(), [rows.length, rows[0].length]) });
    return { scores: [...(score.data as Float32Array)], map: [...(map.data as Float32Array)] };
  } finally {
    await session.close();
  }
}

/** The largest difference, in units of the wanted value where that is over 1. */
const farthest = (found: number[], wanted: number[]) =>
  Math.max(...wanted.map((w, i) => Math.abs(found[i] - w) / Math.max(1, Math.abs(w))));

describe('agrees with the twin', () => {
  const cases: [string, object, number[]][] = [
    ['ecod', {}, golden.ecod],
    ['copod', {}, golden.copod],
    ['hbos', {}, golden.hbos],
    ['lof', {}, golden.lof],
    ...Object.entries(golden.gmm).map(([k, scores]): [string, object, number[]] => [
      'gmm',
      { components: Number(k), ridge: 1e-3 },
      scores,
    ]),
    ...Object.entries(golden.ocsvm).map(([nu, scores]): [string, object, number[]] => [
      'ocsvm',
      { nu: Number(nu) },
      scores,
    ]),
  ];
  it.each(cases)('%s %o', async (name, options, wanted) => {
    const { scores } = await scored(findModel(name), options, golden.test);
    expect(scores).toHaveLength(wanted.length);
    expect(farthest(scores, wanted)).toBeLessThan(1e-5);
  });

  it('loda, on the same projections', async () => {
    const { directions, bins, scores: wanted, maps } = golden.loda;
    const along = Float32Array.from(directions.flat());
    const found = directions.map((d) =>
      histogramOf(Float64Array.from(golden.train, (row) => row.reduce((s, v, c) => s + v * d[c], 0))),
    );
    expect(found.map(({ losses }) => losses.length)).toEqual(bins);
    const tensors = learnHistograms(Float32Array.from(golden.train.flat()), width, along);
    const { scores, map } = await scored(findModel('loda'), {}, golden.test, tensors);
    expect(farthest(scores, wanted)).toBeLessThan(1e-5);
    expect(farthest(map, maps.flat())).toBeLessThan(1e-4);
  });

  it('extended-isolation-forest, on the same trees', async () => {
    const { sample, trees, scores: wanted } = golden['extended-isolation-forest'];
    const tensors = planesOf(flat(trees), width, searchLength(sample));
    const { scores, map } = await scored(findModel('extended-isolation-forest'), { sample }, golden.test, tensors);
    expect(farthest(scores, wanted)).toBeLessThan(1e-5);
    expect(farthest(sums(map, width), wanted)).toBeLessThan(1e-5);
  });
});

/** Nested trees as the lists of a forest. */
function flat(trees: Tree[]): Planes {
  const forest: Planes = {
    ...{ roots: [], plane: [], offset: [], left: [], depth: [], length: [] },
    slopes: [new Float32Array(width)],
  };
  const add = () => {
    const node = forest.plane.push(0) - 1;
    forest.offset.push(3e38);
    forest.left.push(node);
    forest.depth.push(0);
    forest.length.push(0);
    return node;
  };
  const fill = (node: number, tree: Tree, level: number): void => {
    forest.depth[node] = level;
    if (typeof tree === 'number') {
      forest.length[node] = level + searchLength(tree);
      return;
    }
    forest.plane[node] = forest.slopes.push(Float32Array.from(tree[0])) - 1;
    forest.offset[node] = tree[1];
    const [less, more] = [add(), add()];
    forest.left[node] = less;
    fill(less, tree[2], level + 1);
    fill(more, tree[3], level + 1);
  };
  for (const tree of trees) {
    const root = add();
    forest.roots.push(root);
    fill(root, tree, 0);
  }
  return forest;
}

function sums(map: number[], columns: number): number[] {
  return Array.from({ length: map.length / columns }, (_, i) =>
    map.slice(i * columns, (i + 1) * columns).reduce((a, b) => a + b, 0),
  );
}

const names = ['ecod', 'copod', 'hbos', 'lof', 'gmm', 'loda', 'extended-isolation-forest', 'ocsvm'];

describe.each(names)('%s', (name) => {
  const model = findModel(name);
  const fitted = async (rows: number[][], tests: number[][]) => {
    if (model.learns !== 'statistics') throw new Error('a model that learns by statistics is needed');
    const config = model.config.parse(model.defaults?.([rows[0].length], rows.length, {}) ?? {});
    return run(model, config, await model.fit(config, itemsOf(rows)), tests);
  };

  it('says which column is odd', async () => {
    const odd = [0, 1, 2, 3].map((c) => golden.train[0].map((v, i) => (i === c ? -8 : v)));
    const { scores, map } = await fitted(golden.train, [golden.train[0], ...odd]);
    // Sloped cuts tell less of single columns, and projections of few columns find their neighbours odd too.
    let right = 0;
    for (const c of [0, 1, 2, 3]) {
      const row = map.slice((c + 1) * width, (c + 2) * width);
      if (row.indexOf(Math.max(...row)) === c) right++;
      expect(scores[c + 1]).toBeGreaterThan(scores[0]);
    }
    expect(right).toBeGreaterThanOrEqual(name === 'extended-isolation-forest' ? 2 : 3);
    expect(Math.min(...map)).toBeGreaterThanOrEqual(0);
  });

  it('scores a value far beyond all as more odd', async () => {
    const far = golden.train[0].map((v, c) => (c === 1 ? 1e16 : v));
    const { scores, map } = await fitted(golden.train, [golden.train[0], far]);
    expect([...scores, ...map].every(Number.isFinite)).toBe(true);
    expect(scores[1]).toBeGreaterThan(scores[0]);
  });

  it('scores a table of one column', async () => {
    const rows = [...new Rng(5).normals(80)].map((v) => [v]);
    const { scores, map } = await fitted(rows, [[0.1], [9], [-9]]);
    expect([...scores, ...map].every(Number.isFinite)).toBe(true);
    expect(Math.min(scores[1], scores[2])).toBeGreaterThan(scores[0]);
  });

  it('scores tables with constant columns, and whose every column is constant', async () => {
    const rng = new Rng(6);
    const rows = Array.from({ length: 80 }, () => [rng.normals(1)[0], 0, 5]);
    const found = await fitted(rows, [rows[0], [9, 0, 5], [rows[0][0], 1, 5]]);
    expect([...found.scores, ...found.map].every(Number.isFinite)).toBe(true);
    expect(found.scores[1]).toBeGreaterThan(found.scores[0]);
    // A forest knows no cut on what never varied.
    if (!name.includes('forest')) expect(found.scores[2]).toBeGreaterThan(found.scores[0]);
    const same = await fitted(
      rows.map(() => [0, 5]),
      [
        [0, 5],
        [1, 5],
      ],
    );
    expect([...same.scores, ...same.map].every(Number.isFinite)).toBe(true);
  });
});

it('lof of a single row is refused with a sentence', async () => {
  const model = findModel('lof');
  if (model.learns !== 'statistics') throw new Error('lof learns by statistics');
  await expect(model.fit(model.config.parse({}), itemsOf([[1, 2]]))).rejects.toMatchObject({
    code: 'too-few',
    message: 'lof: a row is compared with its neighbours, so at least 2 training rows are needed, found 1. Add rows.',
  });
});

it('gmm of columns that follow from each other, without a ridge, is refused with a sentence', async () => {
  const model = findModel('gmm');
  if (model.learns !== 'statistics') throw new Error('gmm learns by statistics');
  const rows = golden.train.map(([a]) => [a, 2 * a]);
  await expect(model.fit(model.config.parse({ ridge: 0 }), itemsOf(rows))).rejects.toMatchObject({
    code: 'no-variance',
    message: expect.stringContaining('Give a larger ridge'),
  });
});

it('gmm says of more columns than it can fit', () => {
  expect(findModel('gmm').unsuitable?.({}, [2000])).toMatch(/at most 1024 columns, got 2000/);
});
