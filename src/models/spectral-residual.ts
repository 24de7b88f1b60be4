/**
 * The spectral residual of the window around a step (Hou and Zhang, CVPR 2007; for series Ren et al., KDD 2019): what stands
 * out from the smoothed logarithm of the amplitudes, transformed back, is salient. The score is the saliency of the step as a
 * multiple of its mean over the window; Ren et al. take 1 off. The Fourier transform is two constant matrices, so that any
 * window length is exact. Deviations: the mean is taken off first; a step lies in the middle of its window, so nothing is
 * extrapolated behind it; several channels: the mean of their saliencies. Left out: the network that Ren et al. train on top.
 */
import * as z from 'zod';
import { float32 } from '../core/tensor.ts';
import { say } from '../core/text.ts';
import { constant } from '../graph/leaf.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import { defineModel } from './define.ts';
import { needsSteps } from './parts/series/needs-steps.ts';
import { middleOf, stepMap } from './parts/series/steps.ts';

const config = z.strictObject({
  smoothing: z
    .int()
    .min(1)
    .max(1000)
    .default(3)
    .describe('q: frequencies over which the logarithm of the amplitudes is averaged; odd, at most half a window.'),
});

/** Steps that a spectrum needs to have neighbours to be compared with. */
const LEAST_STEPS = 8;
/** Amplitudes below this, in units of a channel's standard deviation, are rounding. */
const LEAST_AMPLITUDE = 1e-3;

/** cos and −sin of 2π·t·f / L at frequencies 1 … ⌊L/2⌋, `[F, L]`; of the level (f = 0) nothing is left. */
function waves(length: number): { readonly re: Value; readonly im: Value; readonly back: readonly number[] } {
  const count = Math.floor(length / 2);
  const [re, im] = [new Float32Array(count * length), new Float32Array(count * length)];
  for (let f = 1; f <= count; f++) {
    for (let t = 0; t < length; t++) {
      // The angle of a whole number of turns less: exact for any length.
      const angle = (2 * Math.PI * ((t * f) % length)) / length;
      re[(f - 1) * length + t] = Math.cos(angle);
      im[(f - 1) * length + t] = -Math.sin(angle);
    }
  }
  // Each frequency stands for itself and its mirror image, but the highest of an even length for itself alone.
  const back = Array.from({ length: count }, (_, i) => (2 * (i + 1) === length ? 1 : 2) / length);
  const matrix = (values: Float32Array) => constant(float32(values, [count, length]));
  return { re: matrix(re), im: matrix(im), back };
}

/** Moving average over `bins` of `count` frequencies as a matrix; at the ends the outermost frequency repeats. */
function averaging(count: number, bins: number): Value {
  const values = new Float32Array(count * count);
  const half = Math.floor(bins / 2);
  for (let f = 0; f < count; f++)
    for (let k = f - half; k < f - half + bins; k++)
      values[f * count + Math.min(Math.max(k, 0), count - 1)] += 1 / bins;
  return constant(float32(values, [count, count]));
}

/** The spectral residual `[N, L, D]` of windows `[N, L, D]`, at least 0; does not change with level and size. */
export function saliency(x: Value, smoothing: number): Value {
  const length = x.shape[1] as number;
  const { re, im, back } = waves(length);
  const centred = g.transpose(g.sub(x, g.reduceMean(x, { axes: [1], keep: true })), [0, 2, 1]); // [N,D,L]
  const [a, b] = [re, im].map((wave) => g.matMul(centred, wave, { transposeB: true })); // [N,D,F]
  const amplitude = g.maximum(g.sqrt(g.add(g.square(a), g.square(b))), LEAST_AMPLITUDE);
  const logs = g.log(amplitude);
  const smooth = g.matMul(logs, averaging(back.length, smoothing), { transposeB: true });
  // e^(log − smooth) in the direction of the frequency.
  const factor = g.mul(g.div(g.exp(g.sub(logs, smooth)), amplitude), g.along(back, 2, 3));
  const again = g.add(g.matMul(g.mul(a, factor), re), g.matMul(g.mul(b, factor), im));
  return g.transpose(g.abs(again), [0, 2, 1]);
}

/**
 * Spectral residual: how far a step stands out once the usual frequencies of its window are taken out (Ren et al., KDD 2019).
 * Series with isolated odd points. Nothing is learnt.
 */
export const spectralResidual = defineModel({
  name: 'spectral-residual',
  title: 'Spectral residual',
  idea: 'What the smoothed spectrum of the window does not explain; finds isolated points.',
  paper: 'Ren et al., Time-series anomaly detection service at Microsoft, KDD 2019; Hou and Zhang, CVPR 2007.',
  learning: 'one-class',
  inputs: ['series'],
  learns: 'none',
  config,
  presets: {},
  tiny: {},

  unsuitable({ smoothing }, shape) {
    const half = Math.floor(shape[0] / 2);
    return (
      needsSteps('spectral-residual', LEAST_STEPS, shape) ??
      (smoothing > half || smoothing % 2 === 0
        ? say`smoothing must be odd and at most half a window (${half}), got ${smoothing}.`
        : undefined)
    );
  },

  score({ smoothing }, _net, x) {
    const found = saliency(x, smoothing); // [N,L,D]
    const usual = g.reduceMean(found, { axes: [1], keep: true }); // [N,1,D]
    // A flat window has no saliency, and its steps do not stand out.
    const step = g.div(middleOf(found), g.maximum(usual, 1e-6));
    return { score: g.reduceMean(step, { axes: [1, 2] }), map: stepMap(step, x) };
  },
});
