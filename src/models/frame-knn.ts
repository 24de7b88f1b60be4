/**
 * Nearest neighbours of cells of frames, after AI-VAD (Reiss and Hoshen, arXiv 2212.00789) without its detector of objects: the
 * cells of a grid stand for them. Each cell has a histogram of its motion and features of the backbone of what is seen there;
 * kinds of features are compared one by one with training cells, calibrated by the 99.9th percentile of training cells, and
 * added up. Ours: a third kind that joins both, for what stands still where it should move is seen in neither alone; histograms
 * of block matching instead of a flow network. Constants were chosen on other seeds of `moving-squares` than those that the
 * benchmark judges. Left out: poses, Gaussian mixtures of velocities, features from CLIP, objects.
 */
import * as z from 'zod';
import { float32 } from '../core/tensor.ts';
import { option, say } from '../core/text.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import type { Scope } from '../nn/scope.ts';
import { defineModel, type FitData } from './define.ts';
import { asRows, backboneOptions, choiceOf, joined, tapped, tooSmall } from './parts/features.ts';
import { type CellMemory, chooseMemory, nearestSquares } from './parts/frames/cell-memory.ts';
import { greySquare, judgedFrame } from './parts/frames/frames.ts';
import { motionHistograms } from './parts/frames/motion.ts';
import { smoothMap } from './parts/maps/smooth-map.ts';
import { sidesOf } from './parts/shapes.ts';

const config = z.strictObject({
  ...backboneOptions,
  cells: z.int().min(1).max(64).default(8).describe('Cells of the grid across and down a frame.'),
  side: z
    .int()
    .min(2)
    .max(64)
    .default(8)
    .describe('Pixels of a side of a cell, even, in which motion is measured: frames are brought to that size.'),
  reach: z
    .int()
    .min(1)
    .max(16)
    .default(4)
    .describe('Pixels of such a cell that a block is followed in each direction from one frame to the next.'),
  memory: z
    .int()
    .min(2)
    .max(100000)
    .default(2000)
    .describe('Training cells that are kept of each kind of features, chosen to cover all.'),
  smoothing: z
    .number()
    .min(0)
    .max(100)
    .default(3)
    .describe('Standard deviation of the Gaussian by which scores are smoothed along a clip, in frames; 0 for none.'),
});
type Config = z.infer<typeof config>;

/** Training cells at most from which the memory is chosen, a random sample if there are more. */
const CELLS = 2 ** 17;
/** Frames per call. */
const BLOCK = 16;

/** Kinds of features, in the order of their tensors. */
const kinds = ['motion', 'look', 'both'] as const;
type CellFeatures = { readonly motion: Value; readonly look: Value };

/** Motion `[N, P, 21]` and features of the backbone `[N, P, C]` of the cells of the frames that windows stand for. */
function cellsOf(options: Config, net: (group: string) => Scope, x: Value): CellFeatures {
  const { cells, side } = options;
  const square = cells * side;
  const [now, before] = [judgedFrame(x), judgedFrame(x, -1)];
  const motion = motionHistograms(greySquare(now, square), greySquare(before, square), options);
  const grid = joined(tapped(options, net, now));
  return { motion, look: asRows(g.resizeBilinear(grid, [cells, cells], { antialias: true })) };
}

/** Both kinds side by side, each in units of its own spread. */
const together = ({ motion, look }: CellFeatures, scale: Value): Value =>
  g.concat([g.mul(motion, g.pick(scale, 0, 0)), g.mul(look, g.pick(scale, 0, 1))], 2);

/** Features of a sample of training cells, in order, and how many of them are of the first half of the frames. */
async function sampleCells(options: Config, data: FitData) {
  const perFrame = options.cells ** 2;
  const total = data.count * perFrame;
  const rows = Math.min(total, CELLS);
  const chosen = data.rng.split('cells').permutation(total).subarray(0, rows).sort();
  const halfway = Math.floor(data.count / 2) * perFrame;
  const samples: { motion?: Float32Array; look?: Float32Array } = {};
  let [first, k] = [0, 0];
  const build = (net: (group: string) => Scope, x: Value) => ({ ...cellsOf(options, net, x) });
  for await (const { count, outputs } of data.through('cells', build, BLOCK)) {
    const from = k;
    while (k < rows && chosen[k] < first + count * perFrame) k++;
    for (const kind of ['motion', 'look'] as const) {
      const found = outputs[kind].data as Float32Array;
      const width = found.length / count / perFrame;
      samples[kind] ??= new Float32Array(rows * width);
      for (let r = from; r < k; r++) {
        const at = (chosen[r] - first) * width;
        samples[kind].set(found.subarray(at, at + width), r * width);
      }
    }
    first += count * perFrame;
  }
  const border = chosen.findIndex((cell) => cell >= halfway);
  return { rows, border, motion: samples.motion!, look: samples.look! };
}

/** 1 / the root of the mean squared distance of rows to their mean; 1 where they are all equal. */
function scaleOf(values: Float32Array, rows: number): number {
  const width = values.length / rows;
  const mean = new Float64Array(width);
  for (let i = 0; i < values.length; i++) mean[i % width] += values[i] / rows;
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i] - mean[i % width]) ** 2 / rows;
  return squares > 0 ? 1 / Math.sqrt(squares) : 1;
}

function sideBySide(a: Float32Array, b: Float32Array, rows: number, scale: readonly number[]): Float32Array {
  const [wa, wb] = [a.length / rows, b.length / rows];
  const out = new Float32Array(a.length + b.length);
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < wa; i++) out[r * (wa + wb) + i] = a[r * wa + i] * scale[0];
    for (let i = 0; i < wb; i++) out[r * (wa + wb) + wa + i] = b[r * wb + i] * scale[1];
  }
  return out;
}

/**
 * Nearest neighbours of cells: how each part of a frame moves, what is seen there, and both together, compared with training
 * frames (after AI-VAD, arXiv 2212.00789).
 * Clips of frames from 32 pixels. Nothing is trained: one pass over the frames fits it in seconds to minutes; the memory (2,000
 * cells of each kind by default) is stored in the detector. Motion is that between a frame and the one before it.
 */
export const frameKnn = defineModel({
  name: 'frame-knn',
  title: 'Nearest neighbours of frame cells',
  idea: 'Motion and looks of each cell of a frame are compared with those of normal frames; the distances add up.',
  paper: 'Reiss, Hoshen, Attribute-based representations for accurate and interpretable video anomaly detection, 2022.',
  learning: 'one-class',
  inputs: ['clip'],
  learns: 'statistics',
  config,
  presets: {},
  defaults(shape) {
    const [height, width] = shape.slice(-2);
    return { side: Math.max(8, Math.min(16, 2 * Math.round(Math.min(height, width) / 16))) };
  },
  imageSize: { atMost: 256 },
  tiny: { taps: 'fine', cells: 4, side: 4, memory: 200 },
  backbone: choiceOf,
  window: () => 2,
  smoothing: ({ smoothing }) => smoothing,

  unsuitable(options, shape) {
    if (options.side % 2 !== 0) return say`${option('config.side')} must be even, got ${options.side}.`;
    if (shape[0] < 2) return `frame-knn needs windows of at least 2 frames, got ${shape[0]}.`;
    return tooSmall(options, shape.slice(1));
  },

  async fit(options, data) {
    const { rows, border, ...cells } = await sampleCells(options, data);
    const scale = [scaleOf(cells.motion, rows), scaleOf(cells.look, rows)];
    const all = { ...cells, both: sideBySide(cells.motion, cells.look, rows, scale) };
    const memories: CellMemory[] = [];
    for (const kind of kinds) {
      const values = all[kind];
      const rng = data.rng.split(kind);
      memories.push(await chooseMemory(values, values.length / rows, border, options.memory, { ...data, rng }));
    }
    const spread = memories.map(({ low, high }) => (high > low ? high - low : 1));
    return {
      'frame-knn.scale': float32(scale),
      'frame-knn.low': float32(memories.map(({ low }) => low)),
      'frame-knn.spread': float32(spread),
      ...Object.fromEntries(
        kinds.map((kind, i) => {
          const width = all[kind].length / rows;
          return [`frame-knn.${kind}`, float32(memories[i].rows, [memories[i].rows.length / width, width])];
        }),
      ),
    };
  },

  score(options, net, x) {
    const knn = net('frame-knn');
    const found = cellsOf(options, net, x);
    const features = { ...found, both: together(found, knn.learnt('scale')) };
    const [low, spread] = [knn.learnt('low'), knn.learnt('spread')];
    const distances = kinds.map((kind, i) => {
      const squares = nearestSquares(features[kind], knn.learnt(kind)); // [N,P]
      return g.div(g.sub(squares, g.pick(low, 0, i)), g.pick(spread, 0, i));
    });
    const sum = (values: readonly Value[]) => values.reduce((a, b) => g.add(a, b));
    const grid = g.reshape(sum(distances), [x.shape[0], 1, options.cells, options.cells]);
    return {
      map: smoothMap(grid, sidesOf(judgedFrame(x)), 0),
      score: sum(distances.map((cells) => g.reduceMax(cells, { axes: [1] }))),
    };
  },
});
