/**
 * Mutual scoring of MuSc (Li et al., MuSc: zero-shot industrial anomaly classification and segmentation with mutual scoring
 * of the unlabeled images, ICLR 2024, arXiv 2401.16753) as a graph: patches of an image are looked for in the other images
 * of an unlabelled set, and what few of them have stands out.
 *
 * Deviations, for convolutional backbones and for speed: the other images are at most so many references, since a mean over
 * the nearest 30 % of a random part of a set is nearly that over all; grids finer than `finest` places are pooled, and wide
 * neighbourhoods are taken at every second place of a fine grid.
 */
import * as g from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import type { Scope } from '../../nn/scope.ts';
import { asRows, type BackboneOptions, tapped } from './features.ts';
import { poolMap } from './maps/pool-map.ts';
import { smoothMap } from './maps/smooth-map.ts';
import { sidesOf } from './shapes.ts';

/** How images are compared. */
export interface MutualOptions extends BackboneOptions {
  /** Sides of the neighbourhoods over which features are averaged, odd; published: 1, 3 and 5. */
  readonly neighbourhoods: readonly number[];
  /** Share of the other images, the most alike, over which the distance of a patch is averaged; published: 0.3. */
  readonly share: number;
  /** Images whose shorter side has fewer pixels are enlarged to it, so that grids have places enough. */
  readonly leastSide: number;
  /** Places of a grid along a side, at most. */
  readonly finest: number;
  /** Deviation of the blur of maps, as of `smoothMap`. */
  readonly smoothing: number;
  /** How a map becomes a score: its largest value, as published, or the mean of its highest tenth. */
  readonly pooling: 'max' | 'tenth';
}

/** Small beside the squares of any feature. */
const EPSILON = 1e-6;
/** From so many places along a side on, wide neighbourhoods are taken at every second one. */
const WIDE = 12;
/** References that are compared at a time, so that no product is large. */
const BLOCK = 8;

/** Features of patches, one grid `[N, D, h, w]` of unit vectors for each tap and neighbourhood. */
export function mutualFeatures(options: MutualOptions, net: (group: string) => Scope, x: Value): Value[] {
  const [height, width] = sidesOf(x);
  const factor = Math.max(1, options.leastSide / Math.min(height, width));
  const seen = factor === 1 ? x : g.resizeBilinear(x, [Math.round(factor * height), Math.round(factor * width)]);
  return tapped(options, net, seen).flatMap((features) => {
    const grid = pooledTo(layerNorm(features), options.finest);
    const stride = Math.min(...sidesOf(grid)) >= WIDE ? 2 : 1;
    return options.neighbourhoods.map((side) => {
      const own = side === 1 ? grid : g.averagePool(grid, side, { stride, padding: side >> 1 });
      return g.div(own, g.sqrt(g.add(g.reduceSum(g.square(own), { axes: [1], keep: true }), EPSILON)));
    });
  });
}

/** Of each image of a batch: zero mean and unit variance over all its features. */
function layerNorm(x: Value): Value {
  const axes = [1, 2, 3];
  const centred = g.sub(x, g.reduceMean(x, { axes, keep: true }));
  return g.div(centred, g.sqrt(g.add(g.reduceMean(g.square(centred), { axes, keep: true }), EPSILON)));
}

/** A grid of at most `finest` places along a side, by means of squares. */
function pooledTo(grid: Value, finest: number): Value {
  const factor = Math.ceil(Math.max(...sidesOf(grid)) / finest);
  return factor === 1 ? grid : g.averagePool(grid, factor, { stride: factor });
}

/**
 * Map and score of images `[N, C, H, W]` from the features `[R, h·w, D]` of each tap and neighbourhood of the references.
 * `own` is `[N, R]`: 1 where a reference is the image itself, which is left out, else 0.
 */
export function mutualScores(
  options: MutualOptions,
  net: (group: string) => Scope,
  x: Value,
  references: readonly Value[],
  own: Value,
): { map: Value; score: Value } {
  const size = sidesOf(x);
  const grids = mutualFeatures(options, net, x).map((features, i) => {
    const [height, width] = sidesOf(features);
    const near = nearness(asRows(features), references[i]); // [N,P,R]
    const others = g.sub(near, g.mul(g.unsqueeze(own, 1), 4)); // cosines are at least −1
    const count = Math.max(1, Math.round(options.share * (Number(references[i].shape[0]) - 1)));
    const most = g.reduceMean(g.topK(others, count).values, { axes: [2] }); // [N,P]
    return g.resizeBilinear(g.reshape(g.sub(1, most), [x.shape[0], 1, height, width]), size);
  });
  const mean = g.div(
    grids.reduce((a, b) => g.add(a, b)),
    grids.length,
  );
  const map = smoothMap(mean, size, options.smoothing);
  return { map, score: options.pooling === 'max' ? poolMap('max', map) : highestTenth(map) };
}

function highestTenth(map: Value): Value {
  const flat = g.flatten(map);
  return g.reduceMean(g.topK(flat, Math.ceil(Number(flat.shape[1]) / 10)).values, { axes: [1] });
}

/** The largest cosine of each row `[N, P, D]` to those of each reference `[R, Q, D]`: `[N, P, R]`. */
function nearness(rows: Value, references: Value): Value {
  const [n, places, width] = rows.shape;
  const [count, others] = references.shape as number[];
  const parts: Value[] = [];
  for (let from = 0; from < count; from += BLOCK) {
    const to = Math.min(count, from + BLOCK);
    const block = g.reshape(g.slice(references, { 0: [from, to] }), [(to - from) * others, width]);
    const cosines = g.reshape(g.matMul(rows, block, { transposeB: true }), [n, places, to - from, others]);
    parts.push(g.reduceMax(cosines, { axes: [3] }));
  }
  return parts.length === 1 ? parts[0] : g.concat(parts, 2);
}
