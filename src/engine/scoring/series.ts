/** A whole series through a detector of steps: every step by the window around it, as in training. */
import { type AlarmRule, alarmsOf, type EndedAlarm } from '../../core/alarms.ts';
import { DataError, ShapeError } from '../../core/errors.ts';
import { type Listener, silent } from '../../core/events.ts';
import {
  encodeSteps,
  excludedSteps,
  type Interval,
  type Series,
  stepsBefore,
  stepsOf,
  windowStart,
} from '../../data/pure.ts';
import { series as kind } from '../../kinds/index.ts';
import { alarmWith, channelsAt, inOwnUnits, partsOf, ruleOf } from './alarms.ts';
import type { Detector } from './detector.ts';
import { type Band, bandAround } from './expected.ts';
import { smoothed } from './smoothing.ts';

/**
 * What a detector says of a series; of forecasters and others that have something in place of steps with the `expected` values and
 * the `lower` and `upper` ends of their margins `[T, D]`, NaN for the first and last steps.
 */
export interface SeriesScore extends Band {
  /** `[T]`, raw; larger is more anomalous. NaN where the values are too far off for a score. */
  readonly scores: Float32Array;
  /** Alarms by the rule of the detector, in their order; none without a threshold. */
  readonly alarms: readonly EndedAlarm[];
  /** `[T]`, 1 for steps that no alarm was made of, where intervals were given. */
  readonly excluded?: Uint8Array;
}

/** How a series is scored. */
export interface ScoreSeriesOptions {
  /** Takes the place of the rule of the detector. */
  readonly alarms?: AlarmRule;
  /** Intervals without alarms, such as maintenance: of steps in them, or seen together with them. Needs times. */
  readonly exclude?: readonly Interval[];
  readonly signal?: AbortSignal;
  readonly onEvent?: Listener;
}

/** Values of windows that go through the graph at a time. */
const BATCH_VALUES = 2 ** 20;

/**
 * Scores the steps of a series with the channels of the detector, which are found by their names. Values must be complete
 * (`regular`). Throws ShapeError for a detector of another kind, DataError `missing-channels`, `short-series`.
 */
export async function scoreSeries(
  detector: Detector,
  given: Series,
  { alarms: rule, exclude, signal, onEvent = silent }: ScoreSeriesOptions = {},
): Promise<SeriesScore> {
  const { info } = detector;
  if (detector.kind !== kind.name) throw new ShapeError(`This detector takes no series, but ${detector.kind} items.`);
  if (!info.table)
    throw new DataError('artefact-corrupt', 'This detector lacks the names of its channels. Train again.');
  const [window, width] = info.shape;
  const series = withChannels(
    given,
    info.table.columns.map(({ name }) => name),
  );
  const steps = stepsOf(series);
  if (steps < window) {
    throw new DataError(
      'short-series',
      `${series.id} must be at least one window of ${window} steps long, but has ${steps}. Score more steps at once.`,
    );
  }
  const inputs = encodeSteps(series, info.table);
  const scores = new Float32Array(steps);
  const size = window * width;
  const most = Math.max(1, Math.floor(BATCH_VALUES / size));
  const expected = info.outputs.includes('reconstruction')
    ? new Float64Array(steps * width).fill(Number.NaN)
    : undefined;
  const before = stepsBefore(window);
  const windowAt = (t: number) => {
    const start = windowStart(t, window, 0, steps) * width;
    return inputs.subarray(start, start + size);
  };
  const windowsFrom = (from: number) => {
    const values = new Float32Array(Math.min(most, steps - from) * size);
    for (let k = 0; k * size < values.length; k++) values.set(windowAt(from + k), k * size);
    return values;
  };
  let next = windowsFrom(0);
  for (let from = 0; from < steps; from += most) {
    const n = Math.min(most, steps - from);
    const running = detector.score(next, n, { signal, maps: false });
    if (from + n < steps) next = windowsFrom(from + n); // while the current ones are scored
    const found = await running;
    scores.set(found.scores, from);
    for (let t = from; expected && t < from + n; t++) {
      if (t - windowStart(t, window, 0, steps) !== before) continue;
      const drawn = found.reconstructions!.subarray((t - from) * size + before * width);
      expected.set(inOwnUnits(drawn, info.table), t * width);
    }
    onEvent({ type: 'progress', task: 'predict', done: from + n, total: steps, unit: 'step' });
  }
  if (info.smoothing) {
    const whole = Uint32Array.from({ length: steps }, (_, t) => t);
    scores.set(smoothed(scores, whole, [{ first: 0, steps }], info.smoothing));
  }
  const alarms: EndedAlarm[] = [];
  const excluded = exclude && excludedSteps({ ...series, steps }, window, exclude);
  const judged = excluded ? scores.map((score, t) => (excluded[t] ? Number.NaN : score)) : scores;
  for (const span of alarmsOf(judged, detector.threshold, ruleOf(info, rule))) {
    const at = span.peak.step;
    const { maps } = await detector.score(windowAt(at).slice(), 1, { signal });
    const [actual, usual] = [series.values, expected].map((all) => all?.subarray(at * width, (at + 1) * width));
    const seen = { parts: partsOf(maps, width), encoding: info.table, actual: actual!, expected: usual };
    alarms.push(alarmWith(span, info, channelsAt(seen)));
  }
  return { scores, alarms, ...bandAround(expected, info.series?.margins), ...(excluded && { excluded }) };
}

/** The series with these channels alone, in this order. */
function withChannels(series: Series, wanted: readonly string[]): Series {
  const { channels, values, id } = series;
  if (channels.join('\n') === wanted.join('\n')) return series;
  const places = wanted.map((name) => channels.indexOf(name));
  const absent = wanted.filter((_, c) => places[c] < 0);
  if (absent.length > 0) {
    throw new DataError(
      'missing-channels',
      `${id} must have the ${wanted.length} channels that the detector was trained on, but lacks ${absent.slice(0, 8).join(', ')}${
        absent.length > 8 ? ` and ${absent.length - 8} more` : ''
      }. Add them, or name them as in training.`,
    );
  }
  const width = wanted.length;
  const own = new Float64Array((values.length / channels.length) * width);
  for (let i = 0; i < own.length; i++) own[i] = values[Math.floor(i / width) * channels.length + places[i % width]];
  return { ...series, channels: wanted, values: own };
}
