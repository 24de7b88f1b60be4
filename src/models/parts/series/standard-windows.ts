/** Windows in their own units, so that shapes are compared and not levels or sizes: in the graph and on plain arrays. */
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';

/** Below this standard deviation, in units of a channel's own, a window is flat. */
const FLAT = 1e-4;

/** Windows `[N, L, D]` with mean 0 and standard deviation 1 in each channel; flat channels become zeros. */
export function standardWindows(x: Value): Value {
  const centred = g.sub(x, g.reduceMean(x, { axes: [1], keep: true }));
  const variance = g.reduceMean(g.square(centred), { axes: [1], keep: true }); // [N,1,D]
  const isFlat = g.greater(FLAT ** 2, variance);
  return g.div(g.where(isFlat, 0, centred), g.sqrt(g.maximum(variance, FLAT ** 2)));
}

/** The same of windows `[N, L, D]` side by side, as float64. */
export function standardWindowsOf(windows: Float32Array, length: number, channels: number): Float64Array {
  const out = Float64Array.from(windows);
  const size = length * channels;
  for (let from = 0; from < out.length; from += size) {
    for (let d = from; d < from + channels; d++) {
      let [mean, squares] = [0, 0];
      for (let i = d; i < from + size; i += channels) mean += out[i] / length;
      for (let i = d; i < from + size; i += channels) squares += (out[i] - mean) ** 2;
      const spread = Math.sqrt(squares / length);
      for (let i = d; i < from + size; i += channels) out[i] = spread < FLAT ? 0 : (out[i] - mean) / spread;
    }
  }
  return out;
}
