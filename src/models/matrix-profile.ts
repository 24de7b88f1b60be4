/**
 * Distance of a window to the most similar window of the training part, both z-normalised (the join of two series of the
 * matrix profile: Yeh et al., ICDM 2016): shapes that training never had are anomalous, whatever their level and size. Several
 * channels: the mean of their correlations. Flat windows are like each other (correlation 1) and like no other (0): ours.
 * Left out: the join of a series with itself (`parts/series/matrix-profile.ts`), which no exported file could repeat.
 */
import * as z from 'zod';
import { float32 } from '../core/tensor.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import { defineModel } from './define.ts';

const config = z.strictObject({
  bank: z
    .int()
    .min(1)
    .max(1000000)
    .default(10000)
    .describe('Training windows at most that are compared with, evenly spread over the training part.'),
});

/** Values of the bank at most: 128 MiB. */
const BANK_VALUES = 2 ** 25;
/** Below this standard deviation, in units of a channel’s own, a window is flat. */
const FLAT = 1e-4;

/**
 * Matrix profile against the training part: the z-normalised distance of a window to the most similar training window (Yeh
 * et al., ICDM 2016).
 * Series that repeat shapes: machine cycles, heartbeats. Nothing is trained; the windows are stored in the detector.
 */
export const matrixProfile = defineModel({
  name: 'matrix-profile',
  title: 'Matrix profile',
  idea: 'The score of a window is its distance to the most similar training window, whatever their level and size.',
  paper: 'Yeh et al., Matrix profile I, ICDM 2016.',
  learning: 'one-class',
  inputs: ['series'],
  learns: 'statistics',
  config,
  presets: {},
  tiny: { bank: 64 },

  async fit({ bank }, data) {
    const [length, channels] = data.shape;
    const width = (length + 1) * channels;
    const most = Math.max(1, Math.min(bank, Math.floor(BANK_VALUES / width)));
    const every = Math.max(1, Math.ceil(data.count / most));
    if (every > 1) {
      const message = `matrix-profile: compares with ${Math.ceil(data.count / every)} of ${data.count} training windows, every ${every}th (bank ${bank}).`;
      data.onEvent({ type: 'log', level: 'info', message });
    }
    const rows: Float32Array[] = [];
    let at = 0;
    for await (const block of data.blocks(1024)) {
      for (let k = 0; k < block.count; k++, at++) {
        const from = k * length * channels;
        if (at % every === 0) rows.push(normalized(block.data.subarray(from, from + length * channels), channels));
      }
    }
    const values = new Float32Array(rows.length * width);
    for (const [i, row] of rows.entries()) values.set(row, i * width);
    return { 'matrix-profile.bank': float32(values, [rows.length, width]) };
  },

  score(_config, net, x) {
    const bank = net('matrix-profile').learnt('bank'); // [M,(L+1)·D]
    const [, length, channels] = x.shape as [unknown, number, number];
    const own = g.flatten(normalizedIn(x)); // [N,(L+1)·D]
    const correlations = g.matMul(own, bank, { transposeB: true }); // sums over channels, [N,M]
    const near = g.reshape(g.gather(bank, g.topK(correlations, 1).indices, 0), [x.shape[0], length + 1, channels]);
    // From the windows themselves: the difference of large products is inexact. 2 L (1 − mean correlation) = L Σ d² / D.
    const squares = g.mul(g.square(g.sub(normalizedIn(x), near)), length / channels);
    const map = g.slice(squares, { 1: [0, length] }); // [N,L,D]
    return { map, score: g.sqrt(g.reduceSum(squares, { axes: [1, 2] })) };
  },
});

/** A window `[L, D]` as `[L + 1, D]`: channels of length 1 about their mean; of flat ones zeros, and a one behind them. */
function normalized(window: Float32Array, channels: number): Float32Array {
  const length = window.length / channels;
  const out = new Float32Array((length + 1) * channels);
  for (let d = 0; d < channels; d++) {
    let [mean, squares] = [0, 0];
    for (let i = 0; i < length; i++) mean += window[i * channels + d] / length;
    for (let i = 0; i < length; i++) squares += (window[i * channels + d] - mean) ** 2;
    if (Math.sqrt(squares / length) < FLAT) out[length * channels + d] = 1;
    else
      for (let i = 0; i < length; i++) out[i * channels + d] = (window[i * channels + d] - mean) / Math.sqrt(squares);
  }
  return out;
}

/** The same in the graph, `[N, L + 1, D]` of `[N, L, D]`. */
function normalizedIn(x: Value): Value {
  const length = x.shape[1] as number;
  const centred = g.sub(x, g.reduceMean(x, { axes: [1], keep: true }));
  const squares = g.reduceSum(g.square(centred), { axes: [1], keep: true }); // [N,1,D]
  const isFlat = g.greater(FLAT ** 2 * length, squares);
  const one = g.where(isFlat, 1, 0);
  const size = g.sqrt(g.maximum(squares, FLAT ** 2 * length));
  return g.concat([g.div(g.where(isFlat, g.mul(centred, 0), centred), size), one], 1);
}
