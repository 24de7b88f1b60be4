/** One item of a run's test part: its score in words of normals, where it stands out, and what belongs to its picture. */
import { pictureShape } from '../../core/item-shape.ts';
import type { ItemScore } from '../../engine/scoring/detector.ts';
import { countFrom } from '../../metrics/index.ts';
import { mapColour } from '../../report/map-image.ts';
import { outline } from '../../report/pictures.ts';
import { readFeedback } from '../../runs/feedback-file.ts';
import { Problem } from '../../server/problem.ts';
import type { ItemAnswer, PictureFacts, PictureName } from './answers.ts';
import { type OpenRun, scoreOf } from './open-runs.ts';
import { isNamedAt } from './place.ts';
import { shownScale } from './shown-scale.ts';
import { traceOf } from './trace.ts';

/** The colours of maps; between the two in the middle they change at once. */
const colours = [0, 0.125, 0.25, 0.375, 0.4999, 0.5, 0.625, 0.75, 0.875, 1].map(
  (t) => `rgb(${mapColour(t).map(Math.round).join(' ')}) ${(100 * t).toFixed(2)}%`,
);

/** Throws Problem 404 for a place that is none of the test part. */
export function checkPlace({ test }: OpenRun, index: number): void {
  if (Number.isInteger(index) && index >= 0 && index < test.ids.length) return;
  throw new Problem(
    404,
    'unknown-item',
    `The test part of this run has ${test.ids.length} items, counted from 0; there is none at ${index}.`,
  );
}

/** `reach` is that of the project's scale of colours. */
export async function itemAnswer(run: OpenRun, index: number, reach: number): Promise<ItemAnswer> {
  checkPlace(run, index);
  const { test, info, detector, task } = run;
  const found = await scoreOf(run, index);
  // The score of the run counts: of steps it is smoothed along the series.
  const score = test.scores[index];
  const said = (await readFeedback(run.folder)).findLast(({ item }) => isNamedAt(run, index, item));
  const { normalScores } = info;
  return {
    ...{ index, id: test.ids[index], type: test.classes[index], label: test.labels[index], score },
    threshold: detector.threshold,
    decision: Number.isNaN(score) ? null : detector.decide(score),
    normals: { total: normalScores.length, higher: countFrom(normalScores, score) },
    feedback: said?.label ?? null,
    takesFeedback: info.kind !== 'clip',
    ...(pictureShape(info.shape) && { picture: await pictureFacts(run, index, { found, reach }) }),
    ...(found.columns && !task.source.series && { columns: found.columns }),
    ...(task.source.channels && { trace: await traceOf(run, index) }),
  };
}

async function pictureFacts(
  run: OpenRun,
  index: number,
  { found, reach }: { readonly found: ItemScore; readonly reach: number },
): Promise<PictureFacts> {
  const { info } = run;
  const [, height, width] = pictureShape(info.shape)!;
  const threshold = info.mapThreshold?.value ?? null;
  const mask = await maskOf(run, index);
  const { map, reconstruction, nearest, regions = [] } = found;
  const names: PictureName[] = ['image', 'map'];
  if (reconstruction) names.push('reconstruction');
  if (nearest) names.push('nearest');
  return {
    mapSize: { height, width },
    size: found.size ?? { height, width },
    names,
    contour: threshold === null ? '' : outline((p) => map[p] >= threshold, height, width),
    ...(mask && { truth: outline((p) => mask[p] !== 0, height, width) }),
    scale: shownScale(info, map, reach),
    reach,
    colours,
    regions,
    ...(nearest && { nearest }),
  };
}

/** The ground truth at the size of the map; undefined where it is not known. */
async function maskOf({ task, info, test }: OpenRun, index: number): Promise<Uint8Array | undefined> {
  const { source, split } = task;
  const item = split.test[index];
  if (!source.readMasks || test.labels[index] === 0 || source.hasMask?.(item) === false) return undefined;
  const [, height, width] = pictureShape(info.shape)!;
  const mask = new Uint8Array(height * width);
  await source.readMasks([item], mask);
  return mask;
}
