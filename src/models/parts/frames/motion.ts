/**
 * How the cells of a grid over a frame move: histograms of the change of pixels and of block-matching flow. Both frames are
 * squares of whole cells, so frames of any sides come to the same grid. Flow is that of the best match of the block around
 * every second pixel among all displacements in reach. Left out: displacements of parts of a pixel, and flow by gradients.
 */
import { float32 } from '../../../core/tensor.ts';
import { constant } from '../../../graph/leaf.ts';
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';

export interface MotionGrid {
  /** Cells across and down. */
  readonly cells: number;
  /** Pixels of the square that a block is followed in each direction from one frame to the next. */
  readonly reach: number;
}

/** Bins of the histograms. */
const DIRECTIONS = 8;
const SPEEDS = 5;
const CHANGES = 8;

/** Side of a block, and pixels from one block to the next. */
const BLOCK = { side: 6, stride: 2 };

/**
 * What a displacement costs beside the mean difference of a block, whose pixels are in [0, 1]: a block without texture, and
 * one that differs by noise only, stay where they are.
 */
const COST = { moves: 0.01, pixel: 0.001 };

/** Displacements `[dy, dx]` in reach, none first. */
export function displacements(reach: number): (readonly [number, number])[] {
  const line = Array.from({ length: 2 * reach + 1 }, (_, i) => i - reach);
  const all = line.flatMap((dy) => line.map((dx) => [dy, dx] as const));
  return all.sort(([a, b], [c, d]) => a * a + b * b - (c * c + d * d));
}

/** Shares of two neighbouring bins that a place between them has; places beyond the last bin are its own. */
function shared(place: number, bins: number, isRound: boolean): number[] {
  const at = isRound ? place : Math.min(place, bins - 1);
  const below = Math.floor(at);
  const out = new Array<number>(bins).fill(0);
  out[below % bins] += 1 - (at - below);
  out[(below + 1) % bins] += at - below;
  return out;
}

/** What a block adds to the histogram of its cell, by its displacement: speeds from 0 to `reach`, then directions. */
function votesOf([dy, dx]: readonly [number, number], reach: number): number[] {
  const speed = Math.hypot(dy, dx);
  const speeds = shared((speed / reach) * (SPEEDS - 1), SPEEDS, false);
  if (speed === 0) return [...speeds, ...new Array<number>(DIRECTIONS).fill(0)];
  const turn = (Math.atan2(dy, dx) / (2 * Math.PI) + 1) % 1;
  return [...speeds, ...shared(turn * DIRECTIONS, DIRECTIONS, true)];
}

/** Copies of frames `[N, 1, S, S]` moved by each displacement, black where nothing is: `[N, K, S, S]`. */
function moved(frame: Value, reach: number): Value {
  const by = displacements(reach);
  const width = 2 * reach + 1;
  const kernel = new Float32Array(by.length * width * width);
  for (const [k, [dy, dx]] of by.entries()) kernel[(k * width + reach - dy) * width + reach - dx] = 1;
  return g.conv(frame, constant(float32(kernel, [by.length, 1, width, width])), { padding: reach });
}

/**
 * Where blocks of a frame were in the frame before, as numbers of `displacements`: int64 `[N, 1, S/2, S/2]`. Frames are
 * `[N, 1, S, S]` in [0, 1].
 */
export function blockMotion(now: Value, before: Value, reach: number): Value {
  const costs = displacements(reach).map(([dy, dx]) => {
    const speed = Math.hypot(dy, dx);
    return speed === 0 ? 0 : COST.moves + COST.pixel * speed;
  });
  const difference = g.abs(g.sub(moved(before, reach), now)); // [N,K,S,S]
  const { side, stride } = BLOCK;
  const mean = g.averagePool(difference, side, { stride, padding: (side - stride) / 2 }); // [N,K,S/2,S/2]
  return g.argMax(g.neg(g.add(mean, g.along(costs, 1, 4))), 1);
}

/** Means over the cells of `[N, S, S, B]`: `[N, cells², B]`. */
function meanOfCells(votes: Value, cells: number): Value {
  const [n, size, , bins] = votes.shape as [string, number, number, number];
  const part = size / cells;
  const parts = g.reshape(votes, [n, cells, part, cells, part, bins]);
  return g.reshape(g.reduceMean(parts, { axes: [2, 4] }), [n, cells * cells, bins]);
}

/** The histogram of |now − before| of each pixel, `[N, S, S, 8]`, in bins of its square root: small changes count. */
function changeVotes(now: Value, before: Value): Value {
  const [n, , size] = now.shape;
  const place = g.mul(g.sqrt(g.abs(g.sub(now, before))), CHANGES - 1);
  const bins = g.along(
    Array.from({ length: CHANGES }, (_, i) => i),
    3,
    4,
  );
  return g.relu(g.sub(1, g.abs(g.sub(g.reshape(place, [n, size, size, 1]), bins))));
}

/** Histograms of the change of the pixels of each cell between two frames `[N, 1, S, S]`: `[N, cells², 8]`. */
export const changeHistograms = (now: Value, before: Value, cells: number): Value =>
  meanOfCells(changeVotes(now, before), cells);

/**
 * Histograms of the motion of each cell from one frame to the next, `[N, cells², 21]`: 8 bins of the change of pixels, 5 of
 * speed and 8 of direction, from right by down to right again, of the blocks that move. Frames are `[N, 1, S, S]` in [0, 1], S =
 * cells · side. The bins of change and of speed each add up to 1.
 */
export function motionHistograms(now: Value, before: Value, { cells, reach }: MotionGrid): Value {
  const table = displacements(reach).map((by) => votesOf(by, reach));
  const votes = constant(float32(table.flat(), [table.length, SPEEDS + DIRECTIONS]));
  const motion = g.pick(g.gather(votes, blockMotion(now, before, reach), 0), 1, 0); // [N,S/2,S/2,13]
  return g.concat([changeHistograms(now, before, cells), meanOfCells(motion, cells)], 2);
}

/** Means over the 3 × 3 cells about each cell, of nothing beyond the border: `[N, cells², B]` as given. */
export function aroundCells(values: Value, cells: number): Value {
  const [n, places, bins] = values.shape;
  const grid = g.reshape(g.transpose(values, [0, 2, 1]), [n, bins, cells, cells]);
  const mean = g.averagePool(grid, 3, { stride: 1, padding: 1 });
  return g.transpose(g.reshape(mean, [n, bins, places]), [0, 2, 1]);
}
