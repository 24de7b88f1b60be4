/** Predictions of clips: a score a frame, alarms as stretches of frames, and maps of the worst frames. */
import { basename } from 'node:path';
import { Cancelled, OddityError } from '../core/errors.ts';
import { silent } from '../core/events.ts';
import type { ClipShape, ImageShape } from '../core/item-shape.ts';
import { type Clip, openClipFiles } from '../data/index.ts';
import { ruleOf } from '../engine/scoring/alarms.ts';
import { type ClipScore, scoreClip } from '../engine/scoring/clip.ts';
import { type Detector, judged } from '../engine/scoring/detector.ts';
import { clip as kind } from '../kinds/index.ts';
import { mapScale } from '../report/map-image.ts';
import { makeFolder } from './files.ts';
import { stored } from './folder.ts';
import { MapWriter } from './map-files.ts';
import type { FrameAlarm, Prediction, PredictOptions, PredictResult } from './predict.ts';

/** Frames of a clip whose maps are written where no alarm says which: those with the highest scores. */
const WORST = 3;

/** Scores the clips at paths, each by itself. A clip that cannot be read is listed; the others go on. */
export async function predictClips(detector: Detector, options: PredictOptions): Promise<PredictResult> {
  const { images: paths, maps: folder, mapFormats = ['picture'], maxPixels, onEvent = silent, signal } = options;
  const { info } = detector;
  const [, ...shape] = detector.shape as ClipShape;
  if (folder !== undefined) await makeFolder(folder);
  const writer = folder === undefined ? undefined : new MapWriter(folder, mapFormats);
  const predictions: Prediction[] = [];
  const frameAlarms: FrameAlarm[] = [];
  const failed: PredictResult['failed'][number][] = [];
  for (const path of paths) {
    if (signal?.aborted) throw new Cancelled();
    try {
      const opened = await openClipFiles(path, shape, { maxPixels, onEvent, signal });
      try {
        for (const clip of opened.clips) {
          const place = opened.clips.length === 1 || clip.id === basename(path) ? path : `${path}/${clip.id}`;
          const found = await scoreClip(detector, clip, { alarms: options.alarms, signal, onEvent });
          for (const [t, score] of found.scores.entries()) {
            if (Number.isNaN(score)) failed.push(noScore(`${place}:${t + 1}`));
            else predictions.push({ path: place, ...placeOf(clip, t), ...judged(info, score), regions: [] });
          }
          frameAlarms.push(...(await alarmsWithMaps({ detector, clip, found, place, shape, writer })));
        }
      } finally {
        await opened.close();
      }
    } catch (error) {
      if (!(error instanceof OddityError) || error.name !== 'DataError') throw error;
      failed.push({ path, ...stored(error) });
    }
  }
  if (writer?.remark) onEvent({ type: 'log', level: 'info', message: writer.remark });
  const mapThreshold = info.mapThreshold?.value ?? null;
  const alarmRule = ruleOf(info, options.alarms);
  return { threshold: info.threshold, mapThreshold, predictions, frameAlarms, alarmRule, failed };
}

/** The number of a frame from 1, and its time where the clip has a rate. */
function placeOf({ rate }: Clip, t: number) {
  return { frame: t + 1, ...(rate !== undefined && { seconds: Number((t / rate).toFixed(4)) }) };
}

/** The alarms of a clip with the places that stand out at their highest frame; maps of these, or of the highest frames. */
async function alarmsWithMaps(made: {
  detector: Detector;
  clip: Clip;
  found: ClipScore;
  place: string;
  shape: ImageShape;
  writer: MapWriter | undefined;
}): Promise<FrameAlarm[]> {
  const { detector, clip, found, place, shape, writer } = made;
  const { info } = detector;
  const mapThreshold = info.mapThreshold?.value ?? null;
  const draw = async (t: number) => {
    const { image, map } = await found.lookAt(t);
    const scale = info.mapScale ?? mapScale(map, mapThreshold);
    const name = `${basename(place).replace(/\.[^.]+$/, '')}-frame-${t + 1}.png`;
    const maps = await writer?.write({ path: name, shape, image, map, scale, mapThreshold });
    return { regions: kind.locate(map, { shape: info.shape, mapThreshold }).regions ?? [], ...(maps && { maps }) };
  };
  if (found.alarms.length === 0 && writer) {
    const order = [...found.scores.keys()].filter((t) => !Number.isNaN(found.scores[t]));
    for (const t of order.sort((a, b) => found.scores[b] - found.scores[a]).slice(0, WORST)) await draw(t);
  }
  const alarms: FrameAlarm[] = [];
  for (const { peak, ...alarm } of found.alarms) {
    const [first, last] = [placeOf(clip, alarm.start), placeOf(clip, alarm.end - 1)];
    alarms.push({
      path: place,
      frames: [first.frame, last.frame],
      ...(first.seconds !== undefined && { seconds: [first.seconds, last.seconds!] as const }),
      peak: { ...peak, ...placeOf(clip, peak.step) },
      ...alarm,
      ...(await draw(peak.step)),
    });
  }
  return alarms;
}

const noScore = (path: string) => ({
  path,
  code: 'no-score',
  message: `${path}: the score is not a number (NaN), because its values are far outside the range of the model. Check them.`,
});
