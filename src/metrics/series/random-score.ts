/** A score that knows nothing, for the figure to set beside those that flatter. */
import { Rng } from '../../core/random.ts';

/**
 * `[T]`, the negative logarithms of uniform draws of a fixed seed: the same for each series of that length, and with
 * thresholds at equal distances for rare alarms as for frequent ones.
 */
export function randomScore(steps: number): Float64Array {
  const rng = new Rng(1).split('random score');
  return Float64Array.from({ length: steps }, () => -Math.log(1 - rng.uniform()));
}
