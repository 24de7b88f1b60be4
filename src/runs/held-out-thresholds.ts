/** The thresholds of a run: from held-out normals and, where these are few, from training normals scored by folds. */
import { silent } from '../core/events.ts';
import { halve } from '../engine/fitting/map-statistics.ts';
import { calibrate, calibrateMaps } from '../engine/judging/calibrate.ts';
import { calibrateAlarms, stretchesOf, wantedRate, withAlarms } from '../engine/judging/calibrate-alarms.ts';
import { checkScores } from '../engine/judging/check-scores.ts';
import { foldsFor, joined, scoreFolds } from '../engine/judging/folds.ts';
import { scoreHeldOut } from '../engine/judging/held-out.ts';
import { marginsOf } from '../engine/judging/margins.ts';
import { seriesReading } from '../engine/scoring/alarms.ts';
import { movingTogether } from '../engine/scoring/smoothing.ts';
import { trainingItems, trainingPart } from '../engine/task/training-part.ts';
import type { Session } from '../runtime/index.ts';
import type { OpenRun } from './train.ts';

/** Thresholds from normals that the detectors that score them did not see, once the scores are found to mean something. */
export async function calibratedThresholds(open: OpenRun, session: Session, smoothing: number | undefined) {
  const { run, model, task, onEvent } = open;
  const { signal } = run.options;
  const { source } = task;
  const items = heldOut(open).threshold;
  const own = await scoreHeldOut(session, source, items, { onEvent, signal, smoothing });
  const folds = await foldScores(open, items.length);
  const [scores, peaks] = [joined(own.scores, folds?.scores), joined(own.peaks, folds?.peaks)];
  const probed = items.length > 0 ? items : trainingItems(model, task.split).train;
  const remark = await checkScores(scores, { model, session, source, items: probed, own: own.scores }, onEvent);
  const origin = { folds: folds?.count, ...(source.series && { together: movingTogether(source.series, smoothing) }) };
  const stretches = source.series && stretchesOf([...items, ...(folds?.normals ?? [])], scores, source.series.spans);
  const errors = [...(own.errors ? [own.errors] : []), ...(folds?.errors ?? [])];
  const margins = marginsOf(errors, source.shape[1], run.falseAlarmRate);
  if (margins?.reason) onEvent({ type: 'log', level: 'info', message: margins.reason });
  const reading = source.series && {
    ...seriesReading(source.series, run.options.alarms),
    normals: stretches,
    ...(margins && { margins }),
  };
  const { alarmRate } = run.options;
  const found = alarmRate
    ? calibrateAlarms(wantedRate(alarmRate), reading, origin)
    : calibrate(scores, run.falseAlarmRate, origin);
  const threshold = reading ? withAlarms(found, reading) : found;
  const sorted = (list: Float32Array) => [...list].sort((a, b) => a - b);
  return {
    threshold: remark ? { ...threshold, reason: [threshold.reason, remark].filter(Boolean).join(' ') } : threshold,
    mapThreshold: calibrateMaps(peaks, run.falseAlarmRate),
    held: sorted(own.scores),
    normalScores: sorted(scores),
    reading,
  };
}

/** Scores of the normal training items by detectors fitted without them, where too few are held out. */
async function foldScores(open: OpenRun, held: number) {
  const { run, model, config, task, pretrained, features, runtime, onEvent } = open;
  const { mapNormalization = 'none', folds: wanted, scaling, signal, tiles } = run.options;
  const { source, split, rng } = task;
  const { train, labels } = trainingItems(model, split);
  const hidden = new Set(split.contaminants);
  const normals = train.filter((item, i) => labels[i] === 0 && !hidden.has(item));
  const window = source.series?.window;
  const wantedFolds = { normals: normals.length, heldOut: held, wanted, window };
  const count = mapNormalization === 'none' ? foldsFor(model, config, wantedFolds) : 0;
  if (count === 0) return undefined;
  const partWithout = async (left: ReadonlySet<number>) => {
    const keep = (list: Uint32Array, marks: Uint8Array) => marks.filter((_, i) => !left.has(list[i]));
    const rest = {
      ...split,
      train: split.train.filter((item) => !left.has(item)),
      trainLabels: keep(split.train, split.trainLabels),
    };
    const prepared = { scaling: source.encoding?.scaling ?? scaling, onEvent: silent };
    const whole = (await source.prepare?.(rest.train, prepared)) ?? source;
    return { ...(await trainingPart(model, { source: whole, split: rest }, tiles)), whole };
  };
  const fitted = { model, config, pretrained, features, runtime, rng };
  const found = await scoreFolds({ ...fitted, folds: count, window, normals, partWithout, onEvent, signal });
  return found && { ...found, count, normals };
}

/** Held-out normals for the statistics of maps, if there are to be any, and those for the threshold. */
export function heldOut({ run, task }: OpenRun): { statistics?: Uint32Array; threshold: Uint32Array } {
  const { validation } = task.split;
  const { mapNormalization = 'none' } = run.options;
  return mapNormalization === 'none' ? { threshold: validation } : halve(validation, task.rng);
}
