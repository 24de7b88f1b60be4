/**
 * A polynomial through the steps around a block predicts the block in the middle of a window (POLY of TSB-AD, degree 4). The
 * window is what the block and its surroundings are, so the fit is one constant matrix. The published form has a block of
 * L steps and ten such blocks around it; here the block is an eleventh of the window. Left out: its quirks at the ends of a
 * series (`parts/series/poly.ts` has them).
 */
import * as z from 'zod';
import { float32 } from '../core/tensor.ts';
import { say } from '../core/text.ts';
import { stepsBefore } from '../data/pure.ts';
import { constant } from '../graph/leaf.ts';
import * as g from '../graph/ops/index.ts';
import { defineModel } from './define.ts';
import { needsSteps } from './parts/series/needs-steps.ts';

const config = z.strictObject({
  degree: z.int().min(0).max(10).default(4).describe('Degree of the polynomial.'),
  blockShare: z
    .number()
    .min(0)
    .max(0.5)
    .default(1 / 11)
    .describe('Share of the window that is predicted from the rest; at least the step itself.'),
});

/** Steps `[from, to)` of a window of L steps that are predicted, about the step that the window stands for. */
function blockOf(length: number, share: number): readonly [from: number, to: number] {
  const size = Math.max(1, Math.round(length * share));
  const from = Math.max(0, stepsBefore(length) - Math.floor(size / 2));
  return [from, Math.min(length, from + size)];
}

/**
 * The matrix `[block, L]` by which a window gives the values in the block of its least-squares polynomial through the steps
 * outside; its columns inside the block are 0.
 */
export function polynomialMatrix(length: number, [from, to]: readonly [number, number], degree: number): Float64Array {
  const around = Array.from({ length }, (_, t) => t).filter((t) => t < from || t >= to);
  const place = (t: number) => (2 * t) / Math.max(1, length - 1) - 1;
  // Polynomials that are orthonormal on the steps outside (Gram–Schmidt, twice against rounding), known at all steps.
  const basis: Float64Array[] = [];
  for (let k = 0; k <= degree; k++) {
    const next = Float64Array.from({ length }, (_, t) => (k === 0 ? 1 : basis[k - 1][t] * place(t)));
    for (let turn = 0; turn < 2; turn++) {
      for (const other of basis) {
        const share = around.reduce((sum, t) => sum + next[t] * other[t], 0);
        for (let t = 0; t < length; t++) next[t] -= share * other[t];
      }
    }
    const norm = Math.sqrt(around.reduce((sum, t) => sum + next[t] * next[t], 0));
    basis.push(next.map((value) => value / norm));
  }
  const matrix = new Float64Array((to - from) * length);
  for (let i = from; i < to; i++)
    for (const t of around) matrix[(i - from) * length + t] = basis.reduce((sum, p) => sum + p[i] * p[t], 0);
  return matrix;
}

/**
 * Polynomial: how far the middle of a window lies from a polynomial through the steps around it (POLY of TSB-AD).
 * Series that are smooth at the scale of a window. Nothing is learnt; scoring is one small matrix product.
 */
export const poly = defineModel({
  name: 'poly',
  title: 'Polynomial through the surroundings',
  idea: 'A polynomial through the steps around a block predicts it; the score is how far it is off.',
  paper: 'Li et al., 2007; Liu and Paparrizos, The elephant in the room: TSB-AD, NeurIPS 2024.',
  learning: 'one-class',
  inputs: ['series'],
  learns: 'none',
  config,
  presets: {},
  tiny: {},

  unsuitable({ degree, blockShare }, shape) {
    const [length] = shape;
    const [from, to] = blockOf(length, blockShare);
    // One step more than a polynomial goes through exactly.
    const around = length - (to - from);
    return (
      needsSteps('poly', 4, shape) ??
      (around < degree + 2
        ? say`A polynomial of degree ${degree} needs at least ${degree + 2} steps around the block, got ${around} in windows
            of ${length}. Lower the degree or use longer windows.`
        : undefined)
    );
  },

  score({ degree, blockShare }, _net, x) {
    const length = x.shape[1] as number;
    const [from, to] = blockOf(length, blockShare);
    const matrix = constant(float32(polynomialMatrix(length, [from, to], degree), [to - from, length]));
    const expected = g.transpose(g.matMul(g.transpose(x, [0, 2, 1]), matrix, { transposeB: true }), [0, 2, 1]); // [N,B,D]
    const block = g.slice(x, { 1: [from, to] });
    const squares = g.square(g.sub(block, expected));
    const parts = [g.slice(x, { 1: [0, from] }), expected, g.slice(x, { 1: [to, length] })];
    return {
      score: g.sqrt(g.reduceMean(squares, { axes: [1, 2] })),
      map: g.padAll(squares, [0, from, 0], [0, length - to, 0]),
      reconstruction: g.concat(parts, 1),
    };
  },
});
