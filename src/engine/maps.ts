/** The one colour scale of a run's maps, and example maps as PNG files, half of them of anomalous items. */
import { join } from 'node:path';
import type { Rng } from '../core/random.ts';
import { thresholdForFalseAlarms } from '../metrics/index.ts';
import { type MapScale, mapPicture } from '../report/map-image.ts';
import type { Session } from '../runtime/index.ts';
import type { ThresholdReport } from './calibrate.ts';
import { makeFolder, writeAtomic, writeJson } from './files.ts';
import { scoreWithMaps } from './score.ts';
import type { Task } from './task.ts';

/** Held-out normals that the scale is made from: at most so many, and at most so many pixels. */
const SAMPLE = { items: 200, pixels: 2 ** 22 };
/** Share of the shown pixels that lie beyond the hot end: one huge value must not turn all others cold. */
const BEYOND = 0.001;

/**
 * The scale of all maps of a run, from held-out normals (its cold end and its middle) and from some test items (its hot
 * end). The middle is where contours run. A model whose score is the largest value of its map has it at the threshold
 * itself. Where the score is made otherwise, pixels and scores do not compare, and the middle is the value that the
 * wanted share of the pixels of normal items reaches. Null without held-out normals.
 */
export async function findMapScale(
  session: Session,
  { source, split, rng }: Task,
  positions: readonly number[],
  options: { threshold: ThresholdReport; signal?: AbortSignal },
): Promise<MapScale> {
  const { threshold, signal } = options;
  const [, height, width] = source.shape;
  const area = height * width;
  const count = Math.max(1, Math.min(SAMPLE.items, Math.floor(SAMPLE.pixels / area)));
  const normals = rng.split('map-scale').shuffle(split.validation.slice()).slice(0, count);
  const held = await scoreWithMaps(session, source, normals, { signal });
  const shown = await scoreWithMaps(
    session,
    source,
    positions.map((i) => split.test[i]),
    { signal },
  );
  const low = Math.min(smallest(held.maps), smallest(shown.maps));
  if (!Number.isFinite(low)) return { low: 0, threshold: null, high: 1 };
  const hottest = (shown.maps.length > 0 ? shown : held).maps.slice().sort();
  const high = hottest[Math.floor((1 - BEYOND) * (hottest.length - 1))];
  if (threshold.value === null || normals.length === 0)
    return { low, threshold: null, high: Math.max(high, low + 1e-6) };
  const isPeak = held.scores.every((score, k) => {
    const peak = held.maps.subarray(k * area, (k + 1) * area).reduce((a, b) => Math.max(a, b), -Infinity);
    return Math.abs(score - peak) <= 1e-4 * Math.max(Math.abs(score), Math.abs(peak));
  });
  const middle = isPeak
    ? threshold.value
    : thresholdForFalseAlarms(held.maps, threshold.wantedFalseAlarmRate).threshold!;
  return { low: Math.min(low, middle), threshold: middle, high: Math.max(high, middle + (middle - low)) };
}

const smallest = (values: Float32Array) => values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);

/** Positions in the test part of `count` example items: half anomalous, half normal, drawn from the seed. */
export function chooseExamples(labels: Uint8Array, count: number, rng: Rng): number[] {
  const positions = Array.from(labels.keys());
  const some = (label: number, most: number) =>
    rng
      .split(label)
      .shuffle(positions.filter((i) => labels[i] === label))
      .slice(0, most);
  const anomalous = some(1, Math.ceil(count / 2));
  return [...anomalous, ...some(0, count - anomalous.length)];
}

/** Draws test items into a folder, with the scale as `scale.json`; nothing where none are named. */
export async function drawMaps(
  session: Session,
  { source, split }: Task,
  folder: string,
  options: { positions: readonly number[]; scale: MapScale; signal?: AbortSignal },
): Promise<void> {
  const { positions, scale, signal } = options;
  if (positions.length === 0) return;
  const items = positions.map((i) => split.test[i]);
  const { images, maps, reconstructions } = await scoreWithMaps(session, source, items, { signal });
  const [channels, height, width] = source.shape;
  const [values, area] = [channels * height * width, height * width];
  await makeFolder(folder);
  for (const [k, i] of positions.entries()) {
    const label = split.testLabels[i] ? 'anomalous' : 'normal';
    const id = source.items[split.test[i]].id.replace(/[^A-Za-z0-9._-]+/g, '-');
    const png = mapPicture({
      shape: source.shape,
      image: images.subarray(k * values, (k + 1) * values),
      reconstruction: reconstructions?.subarray(k * values, (k + 1) * values),
      map: maps.subarray(k * area, (k + 1) * area),
      scale,
    });
    await writeAtomic(join(folder, `${label}-${id}.png`), png);
  }
  await writeJson(join(folder, 'scale.json'), scale);
}
