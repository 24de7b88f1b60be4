/** A whole series through a detector of steps: every step by the window around it, as in training. */
import { DataError, ShapeError } from '../../core/errors.ts';
import { type Listener, silent } from '../../core/events.ts';
import { encodeSteps, type Series, stepsOf, windowStart } from '../../data/pure.ts';
import { type ColumnShare, series as kind } from '../../kinds/index.ts';
import { type Alarm, alarmsOf } from '../judging/alarms.ts';
import type { Detector } from './detector.ts';

/** What a detector says of a series. */
export interface SeriesScore {
  /** `[T]`, raw; larger is more anomalous. NaN where the values are too far off for a score. */
  readonly scores: Float32Array;
  /** Steps that reach the threshold, joined where at most a window lies between them; none without a threshold. */
  readonly alarms: readonly (Alarm & {
    /** The channels that stand out at the highest step, with their values and what is usual. */
    readonly channels: readonly ColumnShare[];
  })[];
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
  { signal, onEvent = silent }: { signal?: AbortSignal; onEvent?: Listener } = {},
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
  const windowAt = (t: number) => {
    const start = windowStart(t, window, 0, steps) * width;
    return inputs.subarray(start, start + size);
  };
  for (let from = 0; from < steps; from += most) {
    const n = Math.min(most, steps - from);
    const values = new Float32Array(n * size);
    for (let k = 0; k < n; k++) values.set(windowAt(from + k), k * size);
    scores.set((await detector.score(values, n, { signal })).scores, from);
    onEvent({ type: 'progress', task: 'predict', done: from + n, total: steps, unit: 'step' });
  }
  const found = detector.threshold === null ? [] : alarmsOf(scores, detector.threshold, window);
  const alarms: SeriesScore['alarms'][number][] = [];
  for (const alarm of found) {
    const { maps } = await detector.score(windowAt(alarm.at).slice(), 1, { signal });
    const cells = Array.from({ length: width }, (_, c) =>
      String(Number(series.values[alarm.at * width + c].toPrecision(6))),
    );
    const { columns = [] } = kind.locate(maps, { shape: info.shape, mapThreshold: null, encoding: info.table, cells });
    alarms.push({ ...alarm, channels: columns.filter(({ share }) => share > 0.01) });
  }
  return { scores, alarms };
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
