/**
 * Nearest neighbours of cells of frames, after AI-VAD (Reiss and Hoshen, arXiv 2212.00789) without its detector of objects: the
 * cells of a grid stand for them. Each cell has histograms of its motion and features of the backbone of what is seen there;
 * both kinds are compared with training cells, in units of the 99.9th percentile of such distances in training, and the largest
 * of each kind add up. Ours: motion is compared with that of training cells which look alike, for what stands still where it
 * should move is odd in neither motion nor looks alone. Block matching instead of a flow network, and beside it the change over
 * the whole window and over the cells around, for slow motion is nothing from one frame to the next. Constants were chosen on
 * the seeds 101, 103 and 105 of `moving-squares`, never on the one that is judged. Left out: poses, Gaussian mixtures of
 * velocities, features from CLIP, objects.
 */
import * as z from 'zod';
import { float32 } from '../core/tensor.ts';
import { option, say } from '../core/text.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import type { Scope } from '../nn/scope.ts';
import { defineModel, type FitData } from './define.ts';
import { asRows, backboneOptions, choiceOf, joined, tapped, tooSmall } from './parts/features.ts';
import { type CellRows, type CellValues, cellDistances, cellKinds, chooseMemory } from './parts/frames/cell-memory.ts';
import { frameAt, framesIn, greySquare, judgedFrame } from './parts/frames/frames.ts';
import { aroundCells, changeHistograms, motionHistograms } from './parts/frames/motion.ts';
import { smoothMap } from './parts/maps/smooth-map.ts';
import { sidesOf } from './parts/shapes.ts';

const config = z.strictObject({
  ...backboneOptions,
  alike: z
    .int()
    .min(1)
    .max(256)
    .default(16)
    .describe('Training cells that look most like a cell: its motion is compared with theirs.'),
  frames: z
    .int()
    .min(2)
    .max(64)
    .default(9)
    .describe('Frames of a window: the change from its first to its last one is part of the motion.'),
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
    .describe('Training cells that are kept, chosen to cover all motions and looks.'),
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

/** Frames with shorter sides are enlarged for the backbone, whose places would be larger than small objects. */
const LOOK_SIDE = 192;

/** Height and width at which the backbone sees frames. */
function lookSize([height, width]: readonly number[]): [number, number] {
  const times = Math.max(1, LOOK_SIDE / Math.min(height, width));
  return [Math.round(height * times), Math.round(width * times)];
}

/**
 * Features of the cells of the frames that windows stand for. Motion, `[N, cells², 58]`: histograms of motion and of the change
 * over the window, and their means over the cells around; square roots, so that their distances are those of Hellinger and a few
 * blocks of a cell count. Look, `[N, cells², C]`: means of the features of the backbone.
 */
function cellsOf(options: Config, net: (group: string) => Scope, x: Value): CellValues {
  const { cells, side } = options;
  const now = judgedFrame(x);
  const [first, before, current, last] = [frameAt(x, 0), judgedFrame(x, -1), now, frameAt(x, framesIn(x) - 1)].map(
    (frame) => greySquare(frame, cells * side),
  );
  const own = g.concat([motionHistograms(current, before, options), changeHistograms(last, first, cells)], 2);
  const grid = joined(tapped(options, net, g.resizeBilinear(now, lookSize(sidesOf(now)))));
  return {
    motion: g.sqrt(g.concat([own, aroundCells(own, cells)], 2)),
    look: asRows(g.resizeBilinear(grid, [cells, cells], { antialias: true })),
  };
}

/** Features of a sample of training cells, in order, and how many of them are of the first half of the frames. */
async function sampleCells(
  options: Config,
  data: FitData,
): Promise<CellRows & { readonly count: number; readonly border: number }> {
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
    for (const kind of cellKinds) {
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
  return { count: rows, border, motion: samples.motion!, look: samples.look! };
}

/**
 * Nearest neighbours of cells: how each part of a frame moves and what is seen there, compared with training frames (after
 * AI-VAD, arXiv 2212.00789).
 * Clips. Nothing is trained: one pass over the frames fits it in seconds to minutes; the memory (2,000
 * cells by default) is stored in the detector.
 */
export const frameKnn = defineModel({
  name: 'frame-knn',
  title: 'Nearest neighbours of frame cells',
  idea: 'Looks of each cell of a frame are compared with normal frames, and its motion with that of what looks alike.',
  paper: 'Reiss, Hoshen, Attribute-based representations for accurate and interpretable video anomaly detection, 2022.',
  learning: 'one-class',
  inputs: ['clip'],
  learns: 'statistics',
  startFor: { clip: 'needs no training steps, and sees how things move and what they look like' },
  config,
  presets: {},
  defaults(shape) {
    const [height, width] = shape.slice(-2);
    return { side: Math.max(8, Math.min(16, 2 * Math.round(Math.min(height, width) / 16))) };
  },
  imageSize: { atMost: 256 },
  tiny: { taps: 'fine', frames: 3, cells: 4, side: 8, memory: 200 },
  backbone: choiceOf,
  window: ({ frames }) => frames,
  smoothing: ({ smoothing }) => smoothing,

  unsuitable(options, shape) {
    if (options.side % 2 !== 0) return say`${option('config.side')} must be even, got ${options.side}.`;
    if (shape[0] < 2) return `frame-knn needs windows of at least 2 frames, got ${shape[0]}.`;
    return tooSmall(options, [shape[1], ...lookSize(shape.slice(2))]);
  },

  async fit(options, data) {
    const { count, border, ...cells } = await sampleCells(options, data);
    const { rows, ranges } = await chooseMemory(cells, border, options, data, count);
    return Object.fromEntries(
      cellKinds.flatMap((kind) => {
        const [width, [low, high]] = [cells[kind].length / count, ranges[kind]];
        return [
          [`frame-knn.${kind}`, float32(rows[kind], [rows[kind].length / width, width])],
          [`frame-knn.${kind}-range`, float32([low, high - low])],
        ];
      }),
    );
  },

  score(options, net, x) {
    const knn = net('frame-knn');
    const memory = { motion: knn.learnt('motion'), look: knn.learnt('look') };
    const found = cellDistances(cellsOf(options, net, x), memory, options.alike);
    const distances = cellKinds.map((kind) => {
      const range = knn.learnt(`${kind}-range`);
      return g.div(g.sub(found[kind], g.pick(range, 0, 0)), g.pick(range, 0, 1)); // [N,P]
    });
    const sum = (values: readonly Value[]) => values.reduce((a, b) => g.add(a, b));
    const grid = g.reshape(sum(distances), [x.shape[0], 1, options.cells, options.cells]);
    return {
      map: smoothMap(grid, sidesOf(judgedFrame(x)), 0),
      score: sum(distances.map((cells) => g.reduceMax(cells, { axes: [1] }))),
    };
  },
});
