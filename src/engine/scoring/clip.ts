/** A whole clip through a detector of frames: every frame by the window around it, as in training. */
import { type AlarmRule, alarmsOf, type EndedAlarm } from '../../core/alarms.ts';
import { Cancelled, DataError, ShapeError } from '../../core/errors.ts';
import { type Listener, silent } from '../../core/events.ts';
import { type ClipShape, itemSize } from '../../core/item-shape.ts';
import { type Clip, clipSource, type Source } from '../../data/pure.ts';
import { clip as kind } from '../../kinds/index.ts';
import { alarmWith, ruleOf } from './alarms.ts';
import type { Detector } from './detector.ts';
import { smoothed } from './smoothing.ts';
import { picturesOf, scoreBatch } from './stream.ts';

/** What a detector says of a clip. */
export interface ClipScore {
  /** `[T]`, raw, smoothed as the model asks; larger is more anomalous. NaN where there is no score. */
  readonly scores: Float32Array;
  /** Alarms by the rule of the detector, in their order; none without a threshold. */
  readonly alarms: readonly EndedAlarm[];
  /** One frame, `[C, H, W]` in [0, 1] as the detector takes it, and its map `[H, W]`. */
  lookAt(frame: number): Promise<{ readonly image: Float32Array; readonly map: Float32Array }>;
}

/** How a clip is scored. */
export interface ScoreClipOptions {
  /** Takes the place of the rule of the detector. */
  readonly alarms?: AlarmRule;
  readonly signal?: AbortSignal;
  readonly onEvent?: Listener;
}

/**
 * Scores the frames of a clip that has the channels and the size of the detector. Throws ShapeError for a detector of another
 * kind, DataError `short-clip`, and what reading the clip throws.
 */
export async function scoreClip(
  detector: Detector,
  given: Clip,
  { alarms: rule, signal, onEvent = silent }: ScoreClipOptions = {},
): Promise<ClipScore> {
  const { info } = detector;
  if (detector.kind !== kind.name) throw new ShapeError(`This detector takes no clips, but ${detector.kind} items.`);
  const [window, ...shape] = info.shape as ClipShape;
  const { frames } = given;
  if (frames < window) {
    throw new DataError(
      'short-clip',
      `${given.id} must be at least one window of ${window} frames long, but has ${frames}. Score more frames at once.`,
    );
  }
  const { labels: _, readMasks: __, ...plain } = given;
  const about = { name: given.id, title: given.id, licence: '' };
  const source = await clipSource({ ...about, clips: [{ ...plain, train: 0 }], shape, window });
  const scores = new Float32Array(frames);
  const most = scoreBatch(info.shape);
  for (let from = 0; from < frames; from += most) {
    if (signal?.aborted) throw new Cancelled();
    const n = Math.min(most, frames - from);
    const values = await windowsAt(source, from, n);
    scores.set((await detector.score(values, n, { signal })).scores, from);
    onEvent({ type: 'progress', task: 'predict', done: from + n, total: frames, unit: 'frame' });
  }
  const whole = Uint32Array.from(scores.keys());
  const smooth = info.smoothing ? smoothed(scores, whole, source.series!.spans, info.smoothing) : scores;
  return {
    scores: smooth,
    alarms: alarmsOf(smooth, detector.threshold, ruleOf(info, rule)).map((span) => alarmWith(span, info, [])),
    async lookAt(frame) {
      const values = await windowsAt(source, frame, 1);
      const { maps } = await detector.score(values, 1, { signal });
      return { image: picturesOf(values, info.shape), map: maps };
    },
  };
}

async function windowsAt(source: Source, from: number, count: number): Promise<Float32Array> {
  const values = new Float32Array(count * itemSize(source.shape));
  await source.read(
    Uint32Array.from({ length: count }, (_, k) => from + k),
    values,
  );
  return values;
}
