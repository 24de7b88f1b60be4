/**
 * Isolation forest (Liu, Ting, Zhou, ICDM 2008): trees of random cuts; what few cuts isolate is anomalous. Grown here,
 * walked inside the scoring graph: all trees of all items take one step at a time, and a leaf leads to itself. The map
 * gives each value the share of the score of the cuts on it, a short way counting more than a long one (ours, not the
 * paper's). Left out: extended cuts, scores with the contamination as offset.
 */
import * as z from 'zod';
import type { Rng } from '../core/random.ts';
import { float32 } from '../core/tensor.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import { defineModel } from './define.ts';
import { sampleItems } from './parts/fitting/sample.ts';
import { itemMap } from './parts/maps/pool-map.ts';
import { searchLength } from './parts/search-length.ts';
import { channelsOf, countOf } from './parts/shapes.ts';

const config = z.strictObject({
  trees: z.int().min(1).max(2000).default(100).describe('Trees in the forest.'),
  sample: z.int().min(2).max(4096).default(256).describe('ψ: items from which each tree is grown.'),
});

/** Greater than any value of an item: a cut that sends everything left. */
const NEVER = 3e38;

/** Nodes of all trees one after the other; the right child lies behind the left one, a leaf is its own left child. */
interface Forest {
  readonly roots: number[];
  readonly feature: number[];
  readonly cut: number[];
  readonly left: number[];
  /** Of a leaf: cuts on the way to it, and h(x), which adds c(items in it). */
  readonly depth: number[];
  readonly length: number[];
}

/** Grows a tree from some rows; a node's cut is uniform between the extremes of a value that differs inside it. */
function growTree(
  forest: Forest,
  items: Float32Array,
  width: number,
  rows: Uint32Array,
  limit: number,
  rng: Rng,
): void {
  const { roots, feature, cut, left, depth, length } = forest;
  const add = () => {
    const node = feature.length;
    feature.push(0);
    cut.push(NEVER);
    left.push(node);
    depth.push(0);
    length.push(0);
    return node;
  };
  const grow = (node: number, members: Uint32Array, level: number): void => {
    depth[node] = level;
    length[node] = level + searchLength(members.length);
    if (level >= limit || members.length <= 1) return;
    const order = rng.permutation(width);
    for (const f of order) {
      let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      for (const r of members) {
        const value = items[r * width + f];
        if (value < low) low = value;
        if (value > high) high = value;
      }
      if (low === high) continue;
      const at = Math.fround(low + rng.uniform() * (high - low));
      const threshold = at > low ? at : high;
      feature[node] = f;
      cut[node] = threshold;
      const [less, more] = [add(), add()];
      left[node] = less;
      grow(
        less,
        members.filter((r) => items[r * width + f] < threshold),
        level + 1,
      );
      grow(
        more,
        members.filter((r) => items[r * width + f] >= threshold),
        level + 1,
      );
      return;
    }
  };
  const root = add();
  roots.push(root);
  grow(root, rows, 0);
}

/**
 * Isolation forest: random trees over normal items; the fewer cuts isolate an item, the more anomalous it is (Liu, Ting
 * and Zhou, ICDM 2008).
 * Rows, its home, and images pixel by pixel. Grows in seconds without tuning, and scores all trees in one graph.
 */
export const isolationForest = defineModel({
  name: 'isolation-forest',
  title: 'Isolation forest',
  idea: 'Trees of random cuts through normal items; what few cuts isolate from all others is anomalous.',
  paper: 'Liu, Ting, Zhou, Isolation forest, ICDM 2008.',
  learning: 'one-class',
  inputs: ['image', 'table'],
  learns: 'statistics',
  config,
  presets: {},
  // Beyond the training items every value scores as the outermost of them: left out, a normal extreme scores like any anomaly,
  // and a threshold above it would let all pass.
  folds: false,
  tiny: { trees: 40, sample: 64 },

  async fit({ trees, sample }, data) {
    const { rows, width, items } = await sampleItems(data, trees * sample);
    const size = Math.min(sample, rows);
    const limit = Math.max(1, Math.ceil(Math.log2(size)));
    const forest: Forest = { roots: [], feature: [], cut: [], left: [], depth: [], length: [] };
    for (let t = 0; t < trees; t++) {
      const rng = data.rng.split('tree').split(t);
      growTree(forest, items, width, rng.permutation(rows).subarray(0, size), limit, rng);
    }
    const list = (values: number[]) => float32(values, [values.length]);
    return {
      'forest.roots': list(forest.roots),
      'forest.feature': list(forest.feature),
      'forest.cut': list(forest.cut),
      'forest.left': list(forest.left),
      'forest.depth': list(forest.depth),
      'forest.length': list(forest.length),
      'forest.usual': float32([Math.max(1, searchLength(size))], [1]), // c(ψ)
    };
  },

  score({ sample }, net, x) {
    const forest = net('forest');
    const [roots, feature, cut, left] = ['roots', 'feature', 'cut', 'left'].map((name) => forest.learnt(name));
    const values = g.flatten(x); // [N,D]
    const width = channelsOf(values);
    const trees = countOf(roots);
    const at = (table: Value, node: Value) => g.gather(table, node, 0);
    const whole = (v: Value) => g.cast(v, 'int64');
    let node = whole(g.broadcastTo(g.reshape(roots, [1, trees]), [x.shape[0], trees])); // [N,T]
    const steps: { cutOn: Value; isCut: Value }[] = [];
    for (let step = 0; step < Math.max(1, Math.ceil(Math.log2(sample))); step++) {
      const cutOn = whole(at(feature, node));
      const threshold = at(cut, node);
      const goesRight = g.sub(1, g.cast(g.greater(threshold, g.gatherElements(values, cutOn, 1)), 'float32'));
      steps.push({ cutOn, isCut: g.cast(g.greater(NEVER / 2, threshold), 'float32') });
      node = whole(g.add(at(left, node), goesRight));
    }
    const usual = forest.learnt('usual');
    const lengths = at(forest.learnt('length'), node); // h(x), [N,T]
    const score = g.exp(g.mul(g.div(g.reduceMean(lengths, { axes: [1] }), usual), -Math.LN2)); // 2^(−E[h]/c), eq. 2
    // Each tree gives its own 2^(−h/c) to the values that were cut on the way, in equal parts.
    const weight = g.div(
      g.exp(g.mul(g.div(lengths, usual), -Math.LN2)),
      g.maximum(at(forest.learnt('depth'), node), 1),
    );
    const parts = steps.map(({ cutOn, isCut }) => g.scatterAdd(g.mul(weight, isCut), cutOn, 1, width)); // [N,D]
    const total = parts.reduce((sum, part) => g.add(sum, part));
    const share = g.div(total, g.add(g.reduceSum(total, { axes: [1], keep: true }), 1e-12));
    const map = g.mul(share, g.reshape(score, [x.shape[0], 1])); // sums to the score
    return { map: itemMap(g.reshape(map, x.shape)), score };
  },
});
