/** Values that a series lacks: where they are, and values in their place. */
import { type Series, stepsOf } from './series.ts';

/** The missing values of one channel. */
export interface MissingCells {
  readonly channel: string;
  readonly count: number;
}

/** Channels with missing values (NaN or infinite), the number of steps that lack any, and the first of these, at most `shown`. */
export function missingCells(
  series: Series,
  shown: number,
): { readonly channels: readonly MissingCells[]; readonly steps: number; readonly first: readonly number[] } {
  const { channels, values } = series;
  const counts = new Uint32Array(channels.length);
  const first: number[] = [];
  let [steps, last] = [0, -1];
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    const step = Math.floor(i / channels.length);
    counts[i - step * channels.length]++;
    if (step === last) continue;
    last = step;
    if (steps++ < shown) first.push(step);
  }
  const found = channels.map((channel, d) => ({ channel, count: counts[d] })).filter(({ count }) => count > 0);
  return { channels: found, steps, first };
}

/**
 * The series with a value in each cell: linear in time between the neighbours of a channel, or the value before; at the ends
 * the nearest value. Each channel must have a value.
 */
export function fillCells(series: Series, policy: 'interpolate' | 'hold'): Series {
  const { channels, times } = series;
  const [steps, width] = [stepsOf(series), channels.length];
  const values = series.values.slice();
  const timeOf = (t: number) => (times ? times[t] : t);
  for (let d = 0; d < width; d++) {
    let before = -1;
    for (let t = 0; t <= steps; t++) {
      if (t < steps && !Number.isFinite(values[t * width + d])) continue;
      const [left, right] = [values[before * width + d], values[t * width + d]];
      const span = timeOf(t) - timeOf(before);
      for (let k = before + 1; k < t; k++) {
        const share = (timeOf(k) - timeOf(before)) / span;
        values[k * width + d] =
          before < 0 ? right : t === steps || policy === 'hold' ? left : left + share * (right - left);
      }
      before = t;
    }
  }
  return { ...series, values };
}
