/**
 * One tree of a robust random cut forest (Guha et al. 2016): points can be inserted and forgotten, and the tree is at any time
 * distributed as one grown from the points that are left. A cut is drawn in proportion to the sides of the box around the
 * points. Equal points share a leaf. The displacement of a new point is the expectation over the cuts that its insertion could
 * draw, so scoring draws nothing.
 */
import type { Rng } from '../core/random.ts';
import type { StateArray } from './state.ts';

/**
 * Arrays of a tree of at most n leaves and `width` dimensions. A node is a cut 0 … n − 2, or a leaf −1 − l of l = 0 … n − 1.
 * What scoring reads of a cut lies together, since its cost is that of reaching memory.
 */
export interface CutTree {
  readonly width: number;
  /** Of each cut: children below and above it, its dimension, the cut above it or −1; `[n − 1, 4]`. */
  readonly links: Int32Array;
  /**
   * Of each cut: its place (a value that is the place itself goes left), the points on its left, the sides of the box around
   * all its points summed, and of each dimension the least and the largest value; `[n − 1, 3 + 2 width]`.
   */
  readonly boxes: Float64Array;
  /** Of each leaf: the cut above it or −1, and its points, which are equal; `[n, 2]`. */
  readonly leaves: Int32Array;
  /** The point of each leaf, `[n, width]`. */
  readonly points: Float64Array;
  /** Stacks of free cuts `[n − 1]` and leaves `[n]`. */
  readonly freeCuts: Int32Array;
  readonly freeLeaves: Int32Array;
  /** The root, points, free cuts, free leaves. */
  readonly counters: Int32Array;
}

const LINKS = 4;
const [LEFT, RIGHT, DIMENSION, ABOVE] = [0, 1, 2, 3];
const [PLACE, LEFT_COUNT, SIDES, BOX] = [0, 1, 2, 3];
const [ROOT, COUNT, FREE_CUTS, FREE_LEAVES] = [0, 1, 2, 3];

/** Empty trees of at most n leaves, and the arrays that hold all of them. */
export function emptyTrees(
  count: number,
  n: number,
  width: number,
): { readonly trees: readonly CutTree[]; readonly arrays: Readonly<Record<string, StateArray>> } {
  const ints = (length: number) => new Int32Array(count * length);
  const lengths = { links: LINKS * (n - 1), leaves: 2 * n, freeCuts: n - 1, freeLeaves: n, treeCounters: 4 };
  const arrays = {
    links: ints(lengths.links),
    leaves: ints(lengths.leaves),
    freeCuts: ints(lengths.freeCuts),
    freeLeaves: ints(lengths.freeLeaves),
    treeCounters: ints(lengths.treeCounters),
    boxes: new Float64Array(count * (n - 1) * (BOX + 2 * width)),
    points: new Float64Array(count * n * width),
  };
  const trees = Array.from({ length: count }, (_, t): CutTree => {
    const part = (name: keyof typeof lengths) => arrays[name].subarray(t * lengths[name], (t + 1) * lengths[name]);
    const floats = (array: Float64Array) =>
      array.subarray((t * array.length) / count, ((t + 1) * array.length) / count);
    const tree = {
      width,
      links: part('links'),
      boxes: floats(arrays.boxes),
      leaves: part('leaves'),
      points: floats(arrays.points),
      freeCuts: part('freeCuts'),
      freeLeaves: part('freeLeaves'),
      counters: part('treeCounters'),
    };
    for (let i = 0; i < n; i++) tree.freeLeaves[i] = n - 1 - i;
    for (let i = 0; i < n - 1; i++) tree.freeCuts[i] = n - 2 - i;
    tree.counters.set([0, 0, n - 1, n]);
    return tree;
  });
  return { trees, arrays };
}

/** By how much a point lies outside of a leaf's point. */
function beyondLeaf({ points, width }: CutTree, leaf: number, x: Float64Array): number {
  let sum = 0;
  for (let d = 0; d < width; d++) sum += Math.abs(x[d] - points[leaf * width + d]);
  return sum;
}

/**
 * By how much a point lies outside of the box of a cut, all dimensions together; exactly 0 inside. Of a difference d, d + |d| is
 * exactly 2 d or 0: without branches, which would be mispredicted, this takes half the time.
 */
function beyondBox({ boxes, width }: CutTree, cut: number, x: Float64Array): number {
  let at = cut * (BOX + 2 * width) + BOX;
  let twice = 0;
  for (let d = 0; d < width; d++) {
    const below = boxes[at] - x[d];
    const above = x[d] - boxes[at + 1];
    twice += below + Math.abs(below) + (above + Math.abs(above));
    at += 2;
  }
  return 0.5 * twice;
}

/** The least (`side` 0) or largest (1) value of dimension d below a node. */
function edge({ boxes, points, width }: CutTree, node: number, d: number, side: 0 | 1): number {
  return node >= 0 ? boxes[node * (BOX + 2 * width) + BOX + 2 * d + side] : points[~node * width + d];
}

/** Makes the box of a cut around a node below it, which may be the cut itself, and a point. */
function boxAround(tree: CutTree, cut: number, node: number, x: Float64Array): void {
  const { boxes, width } = tree;
  const at = cut * (BOX + 2 * width);
  let sides = 0;
  for (let d = 0; d < width; d++) {
    const low = Math.min(edge(tree, node, d, 0), x[d]);
    const high = Math.max(edge(tree, node, d, 1), x[d]);
    boxes[at + BOX + 2 * d] = low;
    boxes[at + BOX + 2 * d + 1] = high;
    sides += high - low;
  }
  boxes[at + SIDES] = sides;
}

/** Makes the box of a cut around both nodes below it; true where it changed. */
function joinBoxes(tree: CutTree, cut: number): boolean {
  const { boxes, links, width } = tree;
  const at = cut * (BOX + 2 * width);
  const [left, right] = [links[LINKS * cut + LEFT], links[LINKS * cut + RIGHT]];
  let [sides, isChanged] = [0, false];
  for (let d = 0; d < width; d++) {
    const low = Math.min(edge(tree, left, d, 0), edge(tree, right, d, 0));
    const high = Math.max(edge(tree, left, d, 1), edge(tree, right, d, 1));
    const place = at + BOX + 2 * d;
    isChanged ||= low !== boxes[place] || high !== boxes[place + 1];
    boxes[place] = low;
    boxes[place + 1] = high;
    sides += high - low;
  }
  boxes[at + SIDES] = sides;
  return isChanged;
}

/** Puts a node where another was below `above`; the root where that is −1. */
function replaceChild({ links, counters }: CutTree, above: number, before: number, now: number): void {
  if (above < 0) counters[ROOT] = now;
  else links[LINKS * above + (links[LINKS * above + LEFT] === before ? LEFT : RIGHT)] = now;
}

function setAbove({ links, leaves }: CutTree, node: number, above: number): void {
  if (node >= 0) links[LINKS * node + ABOVE] = above;
  else leaves[2 * ~node] = above;
}

function newLeaf({ freeLeaves, counters, points, width, leaves }: CutTree, x: Float64Array, above: number): number {
  counters[FREE_LEAVES] -= 1;
  const leaf = freeLeaves[counters[FREE_LEAVES]];
  points.set(x, leaf * width);
  leaves[2 * leaf] = above;
  leaves[2 * leaf + 1] = 1;
  return leaf;
}

/** Inserts a point `[width]`; returns the number of its leaf. The tree must have a free leaf. */
export function insert(tree: CutTree, x: Float64Array, rng: Rng): number {
  const { links, boxes, leaves, counters, width } = tree;
  let [node, count] = [counters[ROOT], counters[COUNT]];
  counters[COUNT] += 1;
  if (count === 0) {
    const leaf = newLeaf(tree, x, -1);
    counters[ROOT] = ~leaf;
    return leaf;
  }
  while (node >= 0) {
    const at = node * (BOX + 2 * width);
    const beyond = beyondBox(tree, node, x);
    if (beyond > 0) {
      // The cut lies uniformly within the sides of the box that the point extends; outside of the present box it separates.
      const drawn = rng.uniform() * (boxes[at + SIDES] + beyond);
      if (drawn < beyond) return separate(tree, node, count, x, drawn);
      boxAround(tree, node, node, x);
    }
    const isLeft = x[links[LINKS * node + DIMENSION]] <= boxes[at + PLACE];
    const onLeft = boxes[at + LEFT_COUNT];
    if (isLeft) boxes[at + LEFT_COUNT] += 1;
    count = isLeft ? onLeft : count - onLeft;
    node = links[LINKS * node + (isLeft ? LEFT : RIGHT)];
  }
  const beyond = beyondLeaf(tree, ~node, x);
  if (beyond > 0) return separate(tree, node, count, x, rng.uniform() * beyond);
  leaves[2 * ~node + 1] += 1;
  return ~node;
}

/** Puts a cut above a node of `count` points, at `drawn` within what the point lies outside of it; the point is its other child. */
function separate(tree: CutTree, node: number, count: number, x: Float64Array, drawn: number): number {
  const { links, boxes, leaves, freeCuts, counters, width } = tree;
  let rest = drawn;
  let [dimension, place, isLeft] = [-1, 0, false];
  for (let d = 0; d < width; d++) {
    const [low, high] = [edge(tree, node, d, 0), edge(tree, node, d, 1)];
    const beyond = x[d] < low ? low - x[d] : x[d] > high ? x[d] - high : 0;
    if (beyond === 0) continue;
    [dimension, isLeft] = [d, x[d] < low];
    // Rounding must not move the place past what it separates.
    const exact = isLeft ? x[d] + rest : high + rest;
    if (isLeft) place = exact < low ? exact : x[d];
    else place = exact < x[d] ? exact : high;
    if (rest < beyond) break;
    rest -= beyond;
  }
  counters[FREE_CUTS] -= 1;
  const cut = freeCuts[counters[FREE_CUTS]];
  const above = node >= 0 ? links[LINKS * node + ABOVE] : leaves[2 * ~node];
  const leaf = newLeaf(tree, x, cut);
  replaceChild(tree, above, node, cut);
  setAbove(tree, node, cut);
  links[LINKS * cut + LEFT] = isLeft ? ~leaf : node;
  links[LINKS * cut + RIGHT] = isLeft ? node : ~leaf;
  links[LINKS * cut + DIMENSION] = dimension;
  links[LINKS * cut + ABOVE] = above;
  const at = cut * (BOX + 2 * width);
  boxes[at + PLACE] = place;
  boxes[at + LEFT_COUNT] = isLeft ? 1 : count;
  boxAround(tree, cut, node, x);
  return leaf;
}

/** Forgets one point of a leaf. */
export function forget(tree: CutTree, leaf: number): void {
  const { links, boxes, leaves, counters, freeLeaves, freeCuts, width } = tree;
  counters[COUNT] -= 1;
  leaves[2 * leaf + 1] -= 1;
  const isLast = leaves[2 * leaf + 1] === 0;
  // One less on the left of all cuts above.
  let below = ~leaf;
  for (let cut = leaves[2 * leaf]; cut >= 0; cut = links[LINKS * cut + ABOVE]) {
    if (links[LINKS * cut + LEFT] === below) boxes[cut * (BOX + 2 * width) + LEFT_COUNT] -= 1;
    below = cut;
  }
  if (!isLast) return;
  freeLeaves[counters[FREE_LEAVES]] = leaf;
  counters[FREE_LEAVES] += 1;
  const cut = leaves[2 * leaf];
  if (cut < 0) return;
  const sibling = links[LINKS * cut + (links[LINKS * cut + LEFT] === ~leaf ? RIGHT : LEFT)];
  const above = links[LINKS * cut + ABOVE];
  replaceChild(tree, above, cut, sibling);
  setAbove(tree, sibling, above);
  freeCuts[counters[FREE_CUTS]] = cut;
  counters[FREE_CUTS] += 1;
  // A box that stays as it is leaves those above it as they are.
  for (let node = above; node >= 0 && joinBoxes(tree, node); ) node = links[LINKS * node + ABOVE];
}

/**
 * The expected displacement (CoDisp) of a new point: for each set of points that it would join, the points beside the set over
 * those in it, the largest of these, averaged over the cuts that could be drawn. 0 to the points of the tree. Adds to `parts`
 * `[width]`, where given, what each dimension brings: those in which the point lies outside of a box, and for a point that is there already
 * the one whose cut sets it apart.
 */
export function displacement(tree: CutTree, x: Float64Array, parts?: Float64Array): number {
  const { width, links, boxes, points } = tree;
  const stride = BOX + 2 * width;
  let [node, count] = [tree.counters[ROOT], tree.counters[COUNT]];
  if (count === 0) return 0;
  let [score, reach, largest, largestIn] = [0, 1, 0, 0];
  while (node >= 0) {
    const at = node * stride;
    const beyond = beyondBox(tree, node, x);
    if (beyond > 0) {
      const sides = boxes[at + SIDES];
      const added = (reach * beyond * Math.max(count, largest)) / (sides + beyond);
      score += added;
      reach *= sides / (sides + beyond);
      if (parts !== undefined) shareBox(tree, at + BOX, x, added / beyond, parts);
    }
    const link = LINKS * node;
    const dimension = links[link + DIMENSION];
    const onLeft = boxes[at + LEFT_COUNT];
    const isLeft = x[dimension] <= boxes[at + PLACE];
    const next = isLeft ? onLeft : count - onLeft;
    const ratio = (count - next) / (next + 1);
    if (ratio > largest) {
      largest = ratio;
      largestIn = dimension;
    }
    count = next;
    node = links[isLeft ? link + LEFT : link + RIGHT];
  }
  const beyond = beyondLeaf(tree, ~node, x);
  const added = reach * (beyond > 0 ? Math.max(count, largest) : largest);
  if (parts === undefined) return score + added;
  if (beyond === 0) parts[largestIn] += added;
  else for (let d = 0; d < width; d++) parts[d] += (added * Math.abs(x[d] - points[~node * width + d])) / beyond;
  return score + added;
}

/** Adds `share` for each unit by which a point lies outside of the box at `at`. */
function shareBox({ boxes, width }: CutTree, at: number, x: Float64Array, share: number, parts: Float64Array): void {
  for (let d = 0; d < width; d++) {
    const below = boxes[at + 2 * d] - x[d];
    const above = x[d] - boxes[at + 2 * d + 1];
    parts[d] += 0.5 * share * (below + Math.abs(below) + (above + Math.abs(above)));
  }
}
