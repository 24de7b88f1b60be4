/**
 * An ensemble of four unlike detectors of rows: nearest neighbours, a mixture of Gaussians, a forest of sloped cuts and histograms of
 * columns. Scores of different detectors have no common scale; each becomes −log of the share of normal rows that score as high
 * by a detector that was fitted without them, as Fisher combines p-values (Statistical Methods for Research Workers, 1932; for
 * detectors Kriegel, Kröger, Schubert, Zimek, Interpreting and unifying outlier scores, SDM 2011), and their weighted mean is the
 * score. The map gives each column its part in each member's score, and adds up to the score. Members, and the weight of the
 * neighbours, were chosen on the seven tables for choices of `bench tables`. Left out: a choice of members, weights that are learnt.
 */
import * as z from 'zod';
import { itemSize } from '../core/item-shape.ts';
import type { Rng } from '../core/random.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import { constant, input } from '../graph/leaf.ts';
import * as g from '../graph/ops/index.ts';
import { substitute } from '../graph/substitute.ts';
import type { Value } from '../graph/value.ts';
import { type Scope, Trace } from '../nn/scope.ts';
import { defineModel, type FitData, type FitItems } from './define.ts';
import { sampleItems } from './parts/fitting/sample.ts';
import { fitColumns, scoreColumns } from './parts/rows/columns.ts';
import { enoughFor, fitDensity, scoreDensity } from './parts/rows/density.ts';
import { fitNeighbours, scoreNeighbours } from './parts/rows/neighbours.ts';
import { fitPlanes, scorePlanes } from './parts/rows/planes.ts';
import { tailsIn, tailTables } from './parts/rows/tail-table.ts';

const config = z.strictObject({
  neighbours: z
    .int()
    .min(1)
    .max(1000)
    .default(5)
    .describe('k: the nearest neighbour whose distance counts; at most the size of the bank.'),
  weight: z
    .number()
    .min(0)
    .max(100)
    .default(3)
    .describe('Weight of the nearest neighbours in the mean; the others have 1 each.'),
  trees: z.int().min(1).max(2000).default(100).describe('Trees in the forest.'),
  bank: z
    .int()
    .min(2)
    .max(100000)
    .default(10000)
    .describe('Largest number of training rows that are learnt from, a random sample if there are more.'),
});

type Config = z.infer<typeof config>;
type Net = (group: string) => Scope;

/** Columns at most of the mixture, whose covariances have the square of their number. */
const WIDEST = 256;
const PLANES = { sample: 256, extension: 4095 } as const;
const BINS = 10;
/** Folds by which rows are scored without being learnt from, and rows at which enough were. */
const FOLDS = 5;
const ENOUGH = 1000;
/** Rows of one call of the runtime. */
const BATCH = 256;

interface Member {
  readonly weight: number;
  fit(data: FitItems): Promise<Tensors>;
  score(net: Net, x: Value): { readonly parts: Value; readonly score: Value };
}

/** The members for rows of so many columns. */
function membersOf({ neighbours, weight, trees, bank }: Config, width: number): readonly Member[] {
  const near = { neighbours, distance: 'largest' } as const;
  return [
    {
      weight,
      fit: (data) => fitNeighbours(data, bank),
      score: (net, x) => scoreNeighbours(near, net, x),
    },
    ...(width > WIDEST
      ? []
      : [
          {
            weight: 1,
            fit: (data: FitItems) =>
              fitDensity({ components: enoughFor(width, data.count), ridge: 1e-6, sample: bank }, data),
            score: scoreDensity,
          },
        ]),
    {
      weight: 1,
      fit: (data) => fitPlanes({ trees, ...PLANES }, data),
      score: (net, x) => scorePlanes(PLANES.sample, net, x),
    },
    {
      weight: 1,
      fit: (data) => fitColumns(BINS, data),
      score: (net, x) => scoreColumns(BINS, net, x),
    },
  ];
}

/** Some rows `[N, D]` as training items. */
function itemsOf(rows: Float32Array, width: number, rng: Rng): FitItems {
  const count = rows.length / width;
  return {
    shape: [width],
    count,
    rng,
    async *blocks(size) {
      for (let at = 0; at < count; at += size) {
        const data = rows.slice(at * width, (at + size) * width);
        yield { count: data.length / width, data };
      }
    },
  };
}

async function fitAll(members: readonly Member[], data: FitItems): Promise<Tensors> {
  let all: Tensors = {};
  for (const member of members) all = { ...all, ...(await member.fit(data)) };
  return all;
}

/** Scores of rows by each member, from what the members learnt. */
async function scoresOf(
  members: readonly Member[],
  tensors: Tensors,
  rows: Float32Array,
  { shape: [width], compile, signal }: Pick<FitData, 'compile' | 'signal'> & { readonly shape: readonly number[] },
): Promise<Float32Array[]> {
  const trace = new Trace(false, tensors);
  const x = input('row', ['N', width]);
  const found = members.map(({ score }) => score((name) => trace.group(name), x).score);
  const learnt = new Map([...trace.parameters].map(([name, { value }]) => [value, constant(tensors[name])]));
  const bound = substitute(found, learnt);
  const outputs = Object.fromEntries(bound.map((value, m) => [`m${m}`, value]));
  const session = await compile({ name: 'members', outputs, carry: {} });
  const count = rows.length / width;
  const scores = members.map(() => new Float32Array(count));
  try {
    for (let at = 0; at < count; at += BATCH) {
      const part = rows.slice(at * width, (at + BATCH) * width);
      const out = await session.run({ row: float32(part, [part.length / width, width]) }, { signal });
      for (const [m, list] of scores.entries()) list.set(out[`m${m}`].data as Float32Array, at);
    }
    return scores;
  } finally {
    session.close().catch(() => {}); // who cancels does not wait
  }
}

/**
 * Ensemble of unlike detectors: for tables of which nothing is known, and where one detector would be trusted too much. What one
 * member is blind to – values out of their column's range to a mixture in groups, odd combinations to histograms – others see.
 * Fits its members up to six times, in seconds at 10,000 rows, so that each knows how it scores rows it has not seen; scoring costs
 * what the members cost together. Of more than 256 columns the mixture is left out.
 */
export const ensemble = defineModel({
  name: 'ensemble',
  title: 'Ensemble of unlike detectors',
  idea: 'How few normal rows score as high by neighbours, by a mixture, by a forest and by histograms; the mean of the logarithms.',
  paper: 'Kriegel, Kröger, Schubert, Zimek, Interpreting and unifying outlier scores, SDM 2011.',
  learning: 'one-class',
  inputs: ['table'],
  learns: 'statistics',
  startFor: {
    table: 'joins four unlike detectors, of which each sees what others miss, needs no tuning and fits in seconds',
  },
  keepsItems: true,
  config,
  presets: {},
  // As of knn.
  defaults: (_, count) => (count < 40 ? { neighbours: Math.max(1, Math.ceil(count / 8)) } : {}),
  tiny: { bank: 200, neighbours: 2, trees: 30 },

  async fit(options, data) {
    const { rows: count, width, items } = await sampleItems(data, options.bank);
    if (count < data.count)
      data.onEvent({
        type: 'warning',
        code: 'bank-sampled',
        message: `The members learn from ${count} of ${data.count} training rows, a random sample. A larger bank learns from more; knn alone compares with all.`,
      });
    const members = membersOf(options, width);
    const { rng } = data;
    const order = rng.split('folds').permutation(count);
    const scores: number[][] = members.map(() => []);
    for (let fold = 0; count > 1 && fold < Math.min(FOLDS, count) && scores[0].length < ENOUGH; fold++) {
      const pick = (isIn: boolean) => {
        const chosen = order.filter((_, i) => (i % FOLDS === fold) === isIn).sort();
        const rows = new Float32Array(chosen.length * width);
        for (const [k, r] of chosen.entries()) rows.set(items.subarray(r * width, (r + 1) * width), k * width);
        return rows;
      };
      const tensors = await fitAll(members, itemsOf(pick(false), width, rng.split(`fold ${fold}`)));
      for (const [m, list] of (await scoresOf(members, tensors, pick(true), data)).entries()) scores[m].push(...list);
    }
    const all = await fitAll(members, itemsOf(items, width, rng));
    const own = count > 1 ? scores : await scoresOf(members, all, items, data);
    return { ...all, ...tailTables('tables', own) };
  },

  score(options, net, x) {
    const width = itemSize(x.shape.slice(1) as number[]);
    const members = membersOf(options, width);
    const total = members.reduce((sum, { weight }) => sum + weight, 0) || 1;
    const found = members.map(({ score }) => score(net, x));
    const column = (v: Value) => g.reshape(v, [x.shape[0], 1]);
    const tails = tailsIn(
      net('tables'),
      g.concat(
        found.map(({ score }) => column(score)),
        1,
      ),
    ); // [N,M]
    const maps = found.map(({ parts }, m) => {
      // What gives nothing by any column is spread evenly.
      const some = g.add(parts, 1e-30);
      const share = g.div(some, g.reduceSum(some, { axes: [1], keep: true }));
      return g.mul(share, g.mul(g.slice(tails, { 1: [m, m + 1] }), members[m].weight / total));
    });
    const map = maps.reduce((sum, part) => g.add(sum, part));
    return { map, score: g.reduceSum(map, { axes: [1] }) };
  },
});
