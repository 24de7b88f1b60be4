/**
 * Half-space trees (Tan, Ting, Liu 2011) with the constants and the score of river: complete trees of random cuts that are drawn
 * before any data, and in each node the number of points of the last full window. A point that falls where few points were is
 * anomalous. Ours: values are scaled by the first window, which is held until it is full, so that its extremes lie
 * 0.15 inside of [0, 1] and what goes beyond them meets cuts; and what each channel adds to the score follows from the cuts at which the counts drop. Left out: random work ranges, missing values.
 */
import * as z from 'zod';
import type { Rng } from '../core/random.ts';
import { defineStreamDetector } from './define.ts';

const config = z.strictObject({
  trees: z.int().min(1).max(1000).default(10).describe('Trees.'),
  height: z.int().min(1).max(15).default(8).describe('Cuts on the way from the root of a tree to a leaf.'),
  window: z
    .int()
    .min(2)
    .max(1_000_000)
    .default(250)
    .describe('Points that are counted before they judge; also the warm-up.'),
});

/** Of an interval of width 1, what a cut keeps away from either end, and the values of the first window from 0 and 1. */
const PADDING = 0.15;
/** Nodes with fewer points than this share of the window end the way of a point. */
const LEAST_SHARE = 0.1;

/** Cuts of all trees, node n of a tree has the children 2n + 1 (below the cut) and 2n + 2. */
interface Cuts {
  readonly channel: Int32Array;
  readonly at: Float64Array;
}

function drawCuts(trees: number, height: number, channels: number, rng: Rng): Cuts {
  const inner = 2 ** height - 1;
  const cuts: Cuts = { channel: new Int32Array(trees * inner), at: new Float64Array(trees * inner) };
  const low = new Float64Array(channels);
  const high = new Float64Array(channels).fill(1);
  const draw = (base: number, node: number) => {
    if (node >= inner) return;
    const channel = widest(low, high, rng.uniform());
    const [a, b] = [low[channel], high[channel]];
    const at = a + (b - a) * (PADDING + (1 - 2 * PADDING) * rng.uniform());
    cuts.channel[base + node] = channel;
    cuts.at[base + node] = at;
    high[channel] = at;
    draw(base, 2 * node + 1);
    high[channel] = b;
    low[channel] = at;
    draw(base, 2 * node + 2);
    low[channel] = a;
  };
  for (let tree = 0; tree < trees; tree++) draw(tree * inner, 0);
  return cuts;
}

/** A channel drawn in proportion to the width that is left of it. */
function widest(low: Float64Array, high: Float64Array, uniform: number): number {
  let sum = 0;
  for (let c = 0; c < low.length; c++) sum += high[c] - low[c];
  let rest = uniform * sum;
  for (let c = 0; c < low.length - 1; c++) {
    rest -= high[c] - low[c];
    if (rest < 0) return c;
  }
  return low.length - 1;
}

/** Half-space trees: score 0 (dense) to 1 (empty). */
export const halfSpaceTrees = defineStreamDetector({
  name: 'half-space-trees',
  title: 'Half-space trees',
  summary: 'Random cuts of the range of values; points where the last window had few are anomalous.',
  config,
  learn({ trees, height, window }, channels, rng) {
    const cuts = drawCuts(trees, height, channels, rng);
    const inner = 2 ** height - 1;
    const nodes = 2 ** (height + 1) - 1;
    const most = trees * window * nodes;
    const least = LEAST_SHARE * window;
    const recent = new Int32Array(trees * nodes);
    const reference = new Int32Array(trees * nodes);
    const low = new Float64Array(channels);
    const high = new Float64Array(channels);
    const held = new Float64Array(window * channels);
    /** Points in the current window, and 1 once the first is over. */
    const counters = new Int32Array(2);
    const x = new Float64Array(channels);

    const scale = (point: Float64Array, from: number) => {
      for (let c = 0; c < channels; c++) {
        const value = point[from + c];
        const range = high[c] - low[c];
        // A channel that was constant has no range: what is beside it lies beyond all cuts.
        if (range > 0) x[c] = PADDING + ((1 - 2 * PADDING) * (value - low[c])) / range;
        else x[c] = 0.5 + 0.5 * Math.sign(value - low[c]);
      }
    };

    /** Counts the point `x`; returns Σ reference count · 2^depth, and adds to `parts` what is missing of it. */
    const walk = (parts: Float64Array | undefined): number => {
      let sum = 0;
      for (let tree = 0; tree < trees; tree++) {
        const [first, firstCut] = [tree * nodes, tree * inner];
        let [node, weight, before, channel] = [0, 1, window, 0];
        let isCounting = true;
        for (;;) {
          recent[first + node] += 1;
          if (isCounting) {
            const mass = reference[first + node];
            sum += mass * weight;
            isCounting = mass >= least;
            if (parts !== undefined) {
              parts[channel] += (before - mass) * (nodes + 1 - weight);
              if (!isCounting) parts[channel] += mass * (nodes + 1 - 2 * weight);
              before = mass;
            }
          }
          if (node >= inner) break;
          channel = cuts.channel[firstCut + node];
          node = 2 * node + (x[channel] < cuts.at[firstCut + node] ? 1 : 2);
          weight *= 2;
        }
      }
      return sum;
    };

    /** After a full window its counts become those that judge. */
    const endStep = () => {
      counters[0] += 1;
      if (counters[0] < window) return;
      reference.set(recent);
      recent.fill(0);
      counters.set([0, 1]);
    };

    const endWarmUp = () => {
      low.fill(Number.POSITIVE_INFINITY);
      high.fill(Number.NEGATIVE_INFINITY);
      for (let i = 0; i < held.length; i++) {
        const c = i % channels;
        low[c] = Math.min(low[c], held[i]);
        high[c] = Math.max(high[c], held[i]);
      }
      counters[0] = 0;
      for (let i = 0; i < window; i++) {
        scale(held, i * channels);
        walk(undefined);
        endStep();
      }
      held.fill(0);
    };

    return {
      arrays: { counters, recent, reference, low, high, held },
      push(point) {
        if (counters[1] === 0) {
          held.set(point, counters[0] * channels);
          counters[0] += 1;
          if (counters[0] === window) endWarmUp();
          return { score: null };
        }
        scale(point, 0);
        const parts = new Float64Array(channels);
        const score = 1 - walk(channels === 1 ? undefined : parts) / most;
        if (channels === 1) parts[0] = score;
        else for (let c = 0; c < channels; c++) parts[c] /= most;
        endStep();
        return { score, parts };
      },
    };
  },
});
