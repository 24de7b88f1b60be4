/**
 * What normal cells of frames look like and how they move: cells that stand for all of them, and the units in which distances to
 * them are told. Half of the cells is chosen from the first half of the training frames and half from the second, and each half
 * is scored by the cells of the other: a training cell never meets itself, and not the frames beside it but at the border of the
 * halves.
 */
import { Cancelled } from '../../../core/errors.ts';
import { float32 } from '../../../core/tensor.ts';
import { input } from '../../../graph/leaf.ts';
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import type { FitData } from '../../define.ts';
import { greedyCoreset } from '../fitting/coreset.ts';
import { squaresTo } from '../nearest-rows.ts';

/** Cells that are scored at a time. */
const BLOCK = 1024;
/** The quantile of distances of training cells that becomes 1 (Reiss and Hoshen, arXiv 2212.00789, evaluate.py). */
const QUANTILE = 0.999;

/** Kinds of features of a cell. */
export const cellKinds = ['motion', 'look'] as const;
type CellKind = (typeof cellKinds)[number];

/** Rows of features of cells, each kind `[n, D]`. */
export type CellRows = Readonly<Record<CellKind, Float32Array>>;

/** The same in a graph: `[N, P, D]` of cells, `[M, D]` of a memory. */
export type CellValues = Readonly<Record<CellKind, Value>>;

export interface CellMemory {
  readonly rows: CellRows;
  /** The least distance of a training cell, which becomes 0, and the quantile that becomes 1. */
  readonly ranges: Readonly<Record<CellKind, readonly [low: number, high: number]>>;
}

/**
 * Squared distances `[N, P]` of cells to a memory: of the looks to the nearest, of the motion to the nearest among the `alike`
 * cells of the memory that look most like it. So what is asked of motion is whether something that looks so moves so.
 */
export function cellDistances(cells: CellValues, memory: CellValues, alike: number): CellValues {
  const halves = g.mul(g.reduceSum(g.square(memory.look), { axes: [1] }), 0.5); // ½|b|², [M]
  // ½|x − b|² = ½|x|² − x·b + ½|b|²: the nearest have the largest x·b − ½|b|². [N,P,M]
  const nearness = g.sub(g.matMul(cells.look, memory.look, { transposeB: true }), halves);
  const { indices } = g.topK(nearness, Math.min(alike, memory.look.shape[0] as number)); // [N,P,K]
  const motions = g.gather(memory.motion, indices, 0); // [N,P,K,D]
  const squares = g.reduceSum(g.square(g.sub(motions, g.unsqueeze(cells.motion, 2))), { axes: [3] });
  return {
    look: squaresTo(cells.look, memory.look, g.pick(indices, 2, 0)),
    motion: g.neg(g.reduceMax(g.neg(squares), { axes: [2] })),
  };
}

/**
 * At most `most` of the cells, of which the first `border` are of the first half of the frames; they are chosen to cover all
 * motions and looks, which count alike. Both halves must have cells.
 */
export async function chooseMemory(
  rows: CellRows,
  border: number,
  { memory, alike }: { readonly memory: number; readonly alike: number },
  data: Pick<FitData, 'compile' | 'onEvent' | 'signal' | 'rng'>,
  count: number,
): Promise<CellMemory> {
  const halves = [part(rows, count, 0, border), part(rows, count, border, count)];
  const sizes = [border, count - border];
  const chosen: CellRows[] = [];
  for (const [i, half] of halves.entries()) {
    const most = Math.min(sizes[i], Math.max(1, Math.floor(memory / 2)));
    const joint = sideBySide(half, sizes[i]);
    const picked = await greedyCoreset(joint, joint.length / sizes[i], most, { ...data, rng: data.rng.split(i) });
    const places = picked.chosen.sort();
    chosen.push({ motion: taken(half.motion, sizes[i], places), look: taken(half.look, sizes[i], places) });
  }
  const scores: Record<CellKind, Float64Array> = { motion: new Float64Array(count), look: new Float64Array(count) };
  for (const i of [0, 1]) {
    const found = await distances(halves[i], sizes[i], chosen[1 - i], alike, data);
    for (const kind of cellKinds) scores[kind].set(found[kind], i * border);
  }
  const rangeOf = (kind: CellKind) => {
    const sorted = scores[kind].sort();
    const [low, high] = [sorted[0], quantileOf(sorted, QUANTILE)];
    return [low, high > low ? high : low + 1] as const;
  };
  return {
    rows: { motion: joined(chosen.map(({ motion }) => motion)), look: joined(chosen.map(({ look }) => look)) },
    ranges: { motion: rangeOf('motion'), look: rangeOf('look') },
  };
}

function part(rows: CellRows, count: number, from: number, to: number): CellRows {
  const of = (values: Float32Array) => values.subarray((from * values.length) / count, (to * values.length) / count);
  return { motion: of(rows.motion), look: of(rows.look) };
}

function taken(values: Float32Array, count: number, places: Uint32Array): Float32Array {
  const width = values.length / count;
  const out = new Float32Array(places.length * width);
  for (const [k, row] of places.entries()) out.set(values.subarray(row * width, (row + 1) * width), k * width);
  return out;
}

function joined(lists: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(lists.reduce((n, list) => n + list.length, 0));
  let at = 0;
  for (const list of lists) {
    out.set(list, at);
    at += list.length;
  }
  return out;
}

/** Motion and look of each cell side by side, each in units of its own spread. */
function sideBySide({ motion, look }: CellRows, count: number): Float32Array {
  const [a, b] = [motion.length / count, look.length / count];
  const [motionScale, lookScale] = [scaleOf(motion, count), scaleOf(look, count)];
  const out = new Float32Array(motion.length + look.length);
  for (let r = 0, at = 0; r < count; r++) {
    for (let i = r * a; i < (r + 1) * a; i++) out[at++] = motion[i] * motionScale;
    for (let i = r * b; i < (r + 1) * b; i++) out[at++] = look[i] * lookScale;
  }
  return out;
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

/** Between the two nearest of ascending numbers, as numpy takes it. */
function quantileOf(sorted: Float64Array, q: number): number {
  const place = q * (sorted.length - 1);
  const below = Math.floor(place);
  const [a, b] = [sorted[below], sorted[Math.min(below + 1, sorted.length - 1)]];
  return a + (place - below) * (b - a);
}

/** `cellDistances` of `count` cells to a memory. */
async function distances(
  cells: CellRows,
  count: number,
  memory: CellRows,
  alike: number,
  { compile, signal }: Pick<FitData, 'compile' | 'signal'>,
): Promise<CellRows> {
  const widths = { motion: cells.motion.length / count, look: cells.look.length / count };
  const held = memory.look.length / widths.look;
  const [x, bank] = [{} as Record<CellKind, Value>, {} as Record<CellKind, Value>];
  for (const kind of cellKinds) {
    x[kind] = input(kind, [1, 'K', widths[kind]]);
    bank[kind] = input(`${kind}-memory`, [held, widths[kind]]);
  }
  const found = cellDistances(x, bank, alike);
  const outputs = Object.fromEntries(cellKinds.map((kind) => [`${kind}-distance`, found[kind]]));
  const session = await compile({ name: 'cell-distances', outputs, carry: {} });
  const out = { motion: new Float32Array(count), look: new Float32Array(count) };
  const fixed = Object.fromEntries(
    cellKinds.map((kind) => [`${kind}-memory`, float32(memory[kind], [held, widths[kind]])]),
  );
  try {
    for (let at = 0; at < count; at += BLOCK) {
      if (signal?.aborted) throw new Cancelled();
      const n = Math.min(BLOCK, count - at);
      const rows = Object.fromEntries(
        cellKinds.map((kind) => {
          const values = cells[kind].slice(at * widths[kind], (at + n) * widths[kind]);
          return [kind, float32(values, [1, n, widths[kind]])];
        }),
      );
      const block = await session.run({ ...fixed, ...rows }, { signal });
      for (const kind of cellKinds) out[kind].set(block[`${kind}-distance`].data as Float32Array, at);
    }
  } finally {
    session.close().catch(() => {}); // who cancels does not wait
  }
  return out;
}
