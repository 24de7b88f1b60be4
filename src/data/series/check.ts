/** What every computation on a series asks of its values: finite numbers, and at least one window of them. */
import { DataError } from '../../core/errors.ts';

/** The number of steps T of `values` `[T, channels]`. DataError `series-not-finite` names the first step that is no number. */
export function checkedSteps(values: Float64Array, channels = 1): number {
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    const where = channels === 1 ? '' : `, channel ${i % channels}`;
    throw new DataError(
      'series-not-finite',
      `A series must hold finite numbers; step ${Math.floor(i / channels)}${where} is ${values[i]}. Fill or remove missing values first.`,
    );
  }
  return values.length / channels;
}

/** The number of steps, as `checkedSteps`; DataError `series-too-short` where there are fewer than `least`. */
export function stepsAtLeast(values: Float64Array, least: number, what: string, channels = 1): number {
  const steps = checkedSteps(values, channels);
  if (steps >= least) return steps;
  throw new DataError(
    'series-too-short',
    `${what} needs at least ${least} steps; the series has ${steps}. Use a shorter window or a longer series.`,
  );
}
