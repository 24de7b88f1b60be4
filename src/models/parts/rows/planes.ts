/** Trees of sloped cuts, grown and walked: what `extended-isolation-forest` is, and a member of `ensemble`. */
import type { Rng } from '../../../core/random.ts';
import { float32, type Tensors } from '../../../core/tensor.ts';
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import type { Scope } from '../../../nn/scope.ts';
import type { FitItems } from '../../define.ts';
import { sampleItems } from '../fitting/sample.ts';
import { searchLength } from '../search-length.ts';
import { channelsOf, countOf } from '../shapes.ts';

/** Greater than any value of an item: a cut that sends everything left. */
const NEVER = 3e38;

/** Nodes of all trees one after the other; the right child lies behind the left one, a leaf is its own left child. */
export interface Planes {
  readonly roots: number[];
  /** Which of the slopes a node has; the first is that of leaves, 0. */
  readonly plane: number[];
  /** A row goes right where its product with the slopes is greater. */
  readonly offset: number[];
  readonly left: number[];
  /** Of a leaf: cuts on the way to it, and h(x), which adds c(rows in it). */
  readonly depth: number[];
  readonly length: number[];
  /** Unit vectors `[D]`. */
  readonly slopes: Float32Array[];
}

/** Grows a tree from some rows (algorithm 2): a slope on `used` columns and a point uniform in the box of the rows. */
function growTree(
  forest: Planes,
  items: Float32Array,
  width: number,
  rows: Uint32Array,
  at: { used: number; limit: number; rng: Rng },
): void {
  const { plane, offset, left, depth, length, slopes } = forest;
  const { used, limit, rng } = at;
  const add = () => {
    const node = plane.push(0) - 1;
    offset.push(NEVER);
    left.push(node);
    depth.push(0);
    length.push(0);
    return node;
  };
  const grow = (node: number, members: Uint32Array, level: number): void => {
    depth[node] = level;
    length[node] = level + searchLength(members.length);
    if (level >= limit || members.length <= 1) return;
    const [low, high] = boxOf(items, width, members);
    if (low.every((value, c) => value === high[c])) return;
    const slope = slopeOf(width, used, rng);
    const point = rng.uniforms(width);
    let cut = 0;
    for (let c = 0; c < width; c++) cut += slope[c] * (low[c] + point[c] * (high[c] - low[c]));
    offset[node] = cut;
    plane[node] = slopes.push(slope) - 1;
    const [less, more] = [add(), add()];
    left[node] = less;
    const isLeft = (r: number) => {
      let product = 0;
      for (let c = 0; c < width; c++) product += slope[c] * items[r * width + c];
      return product <= cut;
    };
    grow(less, members.filter(isLeft), level + 1);
    grow(
      more,
      members.filter((r) => !isLeft(r)),
      level + 1,
    );
  };
  const root = add();
  forest.roots.push(root);
  grow(root, rows, 0);
}

function boxOf(items: Float32Array, width: number, members: Uint32Array): [Float64Array, Float64Array] {
  const low = new Float64Array(width).fill(Number.POSITIVE_INFINITY);
  const high = new Float64Array(width).fill(Number.NEGATIVE_INFINITY);
  for (const r of members) {
    for (let c = 0; c < width; c++) {
      const value = items[r * width + c];
      if (value < low[c]) low[c] = value;
      if (value > high[c]) high[c] = value;
    }
  }
  return [low, high];
}

/** A unit vector of uniform direction on `used` columns that are drawn. */
function slopeOf(width: number, used: number, rng: Rng): Float32Array {
  const columns = rng.permutation(width).subarray(0, used);
  const values = rng.normals(used);
  const size = Math.hypot(...values) || 1;
  const slope = new Float32Array(width);
  for (const [i, c] of columns.entries()) slope[c] = values[i] / size;
  return slope;
}

/** A forest as tensors; `usual` is c(ψ). */
export function planesOf(forest: Planes, width: number, usual: number): Tensors {
  const list = (values: number[]) => float32(values, [values.length]);
  const slopes = new Float32Array(forest.slopes.length * width);
  for (const [i, slope] of forest.slopes.entries()) slopes.set(slope, i * width);
  return {
    'forest.roots': list(forest.roots),
    'forest.plane': list(forest.plane),
    'forest.offset': list(forest.offset),
    'forest.left': list(forest.left),
    'forest.depth': list(forest.depth),
    'forest.length': list(forest.length),
    'forest.slopes': float32(slopes, [forest.slopes.length, width]),
    'forest.usual': float32([Math.max(1, usual)], [1]),
  };
}

/** Options of a forest: trees, rows of each, and columns of a cut beside the first. */
interface PlanesOptions {
  readonly trees: number;
  readonly sample: number;
  readonly extension: number;
}

/** Grows a forest. */
export async function fitPlanes({ trees, sample, extension }: PlanesOptions, data: FitItems): Promise<Tensors> {
  const { rows, width, items } = await sampleItems(data, trees * sample);
  const size = Math.min(sample, rows);
  const limit = Math.max(1, Math.ceil(Math.log2(size)));
  const used = Math.min(extension + 1, width);
  const forest: Planes = {
    ...{ roots: [], plane: [], offset: [], left: [], depth: [], length: [] },
    slopes: [new Float32Array(width)],
  };
  for (let t = 0; t < trees; t++) {
    const rng = data.rng.split('tree').split(t);
    growTree(forest, items, width, rng.permutation(rows).subarray(0, size), { used, limit, rng });
  }
  return planesOf(forest, width, searchLength(size));
}

/** 2^(−mean length / c(ψ)) of rows x, `[N]`, and the share of each column in it, `[N, D]`, which add up to it. */
export function scorePlanes(sample: number, net: (group: string) => Scope, x: Value) {
  const forest = net('forest');
  const [roots, plane, offset, left, slopes] = ['roots', 'plane', 'offset', 'left', 'slopes'].map((name) =>
    forest.learnt(name),
  );
  const [width, trees] = [channelsOf(x), countOf(roots)];
  const at = (table: Value, node: Value) => g.gather(table, node, 0);
  const whole = (v: Value) => g.cast(v, 'int64');
  const values = g.reshape(x, [x.shape[0], 1, width]);
  let node = whole(g.broadcastTo(g.reshape(roots, [1, trees]), [x.shape[0], trees])); // [N,T]
  const planes: Value[] = [];
  for (let step = 0; step < Math.max(1, Math.ceil(Math.log2(sample))); step++) {
    planes.push(whole(at(plane, node)));
    const product = g.reduceSum(g.mul(at(slopes, planes[step]), values), { axes: [2] }); // [N,T]
    node = whole(g.add(at(left, node), g.cast(g.greater(product, at(offset, node)), 'float32')));
  }
  const usual = forest.learnt('usual');
  const lengths = at(forest.learnt('length'), node); // h(x), [N,T]
  const score = g.exp(g.mul(g.div(g.reduceMean(lengths, { axes: [1] }), usual), -Math.LN2)); // 2^(−E[h]/c)
  // Each tree gives its own 2^(−h/c) to the cuts on the way in equal parts, and these to their columns.
  const weight = g.div(g.exp(g.mul(g.div(lengths, usual), -Math.LN2)), g.maximum(at(forest.learnt('depth'), node), 1));
  const squares = g.square(slopes); // of leaves 0
  const weights = g.reshape(weight, [x.shape[0], trees, 1]);
  const parts = planes.map((p) => g.reduceSum(g.mul(at(squares, p), weights), { axes: [1] })); // [N,D]
  const total = parts.reduce((sum, part) => g.add(sum, part));
  const share = g.div(total, g.add(g.reduceSum(total, { axes: [1], keep: true }), 1e-12));
  return { parts: g.mul(share, g.reshape(score, [x.shape[0], 1])), score }; // sums to the score
}
