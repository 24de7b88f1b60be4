/**
 * Distance of a window to the most similar window of the training part, both z-normalised (the join of two series of the
 * matrix profile: Yeh et al., ICDM 2016): shapes that training never had are anomalous, whatever their level and size. Several
 * channels: the mean of their correlations. Flat windows are like each other (correlation 1) and like no other (0): ours.
 * The k-th neighbour instead of the nearest, neighbours half a window apart (MMPAD: Yeh et al. 2024), so that an anomaly that comes
 * twice does not hide itself. Under the protocol `whole` a series is joined with itself as published, which no exported file could
 * repeat.
 */
import * as z from 'zod';
import { float32 } from '../core/tensor.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import { defineModel } from './define.ts';
import { profileScores, matrixProfile as selfJoin } from './parts/series/matrix-profile.ts';
import { mmpadLength, mmpadScores } from './parts/series/mmpad.ts';

const config = z.strictObject({
  bank: z
    .int()
    .min(1)
    .max(1000000)
    .default(10000)
    .describe('Training windows at most that are compared with, evenly spread over the training part.'),
  neighbours: z
    .int()
    .min(1)
    .max(50)
    .default(1)
    .describe('k: the neighbour that counts; neighbours lie half a window apart.'),
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
  keepsItems: true,
  config,
  presets: { mmpad: { neighbours: 5 } },
  tiny: { bank: 64 },

  wholeSeries({ neighbours }, values, { channels, window }) {
    if (neighbours > 1) return mmpadScores(values, { length: mmpadLength(window), neighbours, channels });
    const steps = values.length / channels;
    const scores = new Float64Array(steps);
    for (let c = 0; c < channels; c++) {
      const own = channels === 1 ? values : scores.map((_, t) => values[t * channels + c]);
      // A constant channel is as far from itself everywhere.
      if (own.every((value) => value === own[0])) continue;
      const found = profileScores(selfJoin(own, window).distance, steps);
      for (let t = 0; t < steps; t++) scores[t] += found[t] / channels;
    }
    return scores;
  },

  async fit({ bank, neighbours }, data) {
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
    const places = Float32Array.from(rows, (_, i) => i * every);
    return {
      'matrix-profile.bank': float32(values, [rows.length, width]),
      ...(neighbours > 1 && { 'matrix-profile.places': float32(places, [rows.length]) }),
    };
  },

  score({ neighbours }, net, x) {
    const bank = net('matrix-profile').learnt('bank'); // [M,(L+1)·D]
    const [, length, channels] = x.shape as [unknown, number, number];
    const own = g.flatten(normalizedIn(x)); // [N,(L+1)·D]
    const correlations = g.matMul(own, bank, { transposeB: true }); // sums over channels, [N,M]
    const places = neighbours > 1 ? net('matrix-profile').learnt('places') : undefined;
    const chosen = places
      ? kthNeighbour(correlations, places, { neighbours, apart: Math.floor(length / 2) })
      : g.topK(correlations, 1).indices;
    const near = g.reshape(g.gather(bank, chosen, 0), [x.shape[0], length + 1, channels]);
    // From the windows themselves: the difference of large products is inexact. 2 L (1 − mean correlation) = L Σ d² / D.
    const squares = g.mul(g.square(g.sub(normalizedIn(x), near)), length / channels);
    const map = g.slice(squares, { 1: [0, length] }); // [N,L,D]
    return { map, score: g.sqrt(g.reduceSum(squares, { axes: [1, 2] })) };
  },
});

/** Below any sum of correlations. */
const TAKEN = -1e9;

/** Indices `[N, 1]` of the k-th best windows of the bank, none nearer than `apart` to a better one; the first again where none is left. */
function kthNeighbour(
  correlations: Value,
  places: Value,
  { neighbours, apart }: { neighbours: number; apart: number },
): Value {
  let left = correlations; // [N,M]
  let { indices } = g.topK(left, 1);
  for (let k = 1; k < neighbours; k++) {
    const distance = g.abs(g.sub(g.reshape(places, [1, places.shape[0]]), g.gather(places, indices, 0))); // [N,M]
    left = g.where(g.greater(apart, distance), TAKEN, left);
    indices = g.topK(left, 1).indices;
  }
  return indices;
}

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
