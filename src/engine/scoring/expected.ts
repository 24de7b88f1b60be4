/**
 * What a detector of series expects of a step, in the units of its channels: its reconstruction of the window at the step that the
 * window stands for. The first and last steps of a series, which are not in the middle of their window, have none.
 */
import { type Source, stepsBefore, windowStartOfItem } from '../../data/pure.ts';
import { inOwnUnits } from './alarms.ts';
import type { SeriesMargins } from './artifact.ts';

/** What is expected and between which values steps usually lie, each `[n, D]` in the units of the channels. */
export interface Band {
  /** Absent of detectors that expect nothing. */
  readonly expected?: Float64Array;
  /** Absent where no margins were learnt. */
  readonly lower?: Float64Array;
  readonly upper?: Float64Array;
}

/** What is expected of step t by the name of its channel, with its margins; nothing where nothing is expected. */
export function bandAt({ expected, lower, upper }: Band, channels: readonly string[], t: number) {
  const first = t * channels.length;
  if (!expected || Number.isNaN(expected[first])) return {};
  const byName = (values: Float64Array) => Object.fromEntries(channels.map((name, c) => [name, values[first + c]]));
  return { expected: byName(expected), ...(lower && upper && { lower: byName(lower), upper: byName(upper) }) };
}

/** Expected values `[n, D]` with their margins. */
export function bandAround(expected: Float64Array | undefined, margins: SeriesMargins | undefined): Band {
  if (!expected) return {};
  if (!margins) return { expected };
  const { channels } = margins;
  return {
    expected,
    lower: expected.map((value, i) => value + channels[i % channels.length].lower),
    upper: expected.map((value, i) => value + channels[i % channels.length].upper),
  };
}

/** Keeps what is expected of some steps while their windows are scored. */
export interface ExpectedSteps {
  /** `[n, D]`, in the units of the channels; NaN where nothing is expected. */
  readonly values: Float64Array;
  /** Takes reconstructions `[count, L, D]` of the items from number `at` on. */
  readonly take: (reconstructions: Float32Array, at: number, count: number) => void;
}

/** Opens a keeper of the items of a source; undefined where they are no steps of channels, or nothing is expected of them. */
export function keepExpected(
  { series, channels, encoding, shape, items: all }: Source,
  items: ArrayLike<number>,
  outputs: readonly string[],
): ExpectedSteps | undefined {
  if (!series || !channels || !encoding || !outputs.includes('reconstruction')) return undefined;
  const [window, width] = shape;
  const before = stepsBefore(window);
  const starts = windowStartOfItem(series, all.length);
  const values = new Float64Array(items.length * width).fill(Number.NaN);
  return {
    values,
    take(reconstructions, at, count) {
      for (let k = 0; k < count; k++) {
        const item = items[at + k];
        if (item - starts[item] !== before) continue;
        const drawn = reconstructions.subarray((k * window + before) * width, (k * window + before + 1) * width);
        values.set(inOwnUnits(drawn, encoding), (at + k) * width);
      }
    },
  };
}
