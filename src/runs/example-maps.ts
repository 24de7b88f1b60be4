/** The one colour scale of a run's maps, and example maps as PNG files, half of them of anomalous items. */
import { join } from 'node:path';
import { InternalError } from '../core/errors.ts';
import { pictureShape } from '../core/item-shape.ts';
import type { Rng } from '../core/random.ts';
import { scoreWithMaps } from '../engine/scoring/stream.ts';
import type { Task } from '../engine/task/task.ts';
import { type MapScale, mapPicture } from '../report/map-image.ts';
import type { Session } from '../runtime/index.ts';
import { makeFolder, writeAtomic, writeJson } from './files.ts';

/** Share of the shown pixels that lie beyond the hot end: one huge value must not turn all others cold. */
const BEYOND = 0.001;

/**
 * The scale of all maps of a run, from the test items that will be shown. Its middle, where contours run, is the
 * threshold of maps: of held-out normal images no more than the wanted share has a pixel that warm.
 */
export async function findMapScale(
  session: Session,
  { source, split }: Task,
  positions: readonly number[],
  options: { threshold: number | null; signal?: AbortSignal },
): Promise<MapScale> {
  const { threshold, signal } = options;
  if (positions.length === 0) return { low: 0, threshold: null, high: 1 };
  const items = positions.map((i) => split.test[i]);
  const { maps } = await scoreWithMaps(session, source, items, { signal });
  const values = maps.sort();
  const [low, high] = [values[0], values[Math.floor((1 - BEYOND) * (values.length - 1))]];
  if (threshold === null) return { low, threshold, high: Math.max(high, low + 1e-6) };
  return { low: Math.min(low, threshold), threshold, high: Math.max(high, threshold + (threshold - low)) };
}

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

/** Draws test images into a folder, with the scale as `scale.json`; nothing where none are named. */
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
  const shape = pictureShape(source.shape);
  if (!shape) throw new InternalError(`${source.name} has no images to draw.`);
  const [channels, height, width] = shape;
  const [values, area] = [channels * height * width, height * width];
  await makeFolder(folder);
  for (const [k, i] of positions.entries()) {
    const label = split.testLabels[i] ? 'anomalous' : 'normal';
    const id = source.items[split.test[i]].id.replace(/[^A-Za-z0-9._-]+/g, '-');
    const png = mapPicture({
      shape,
      image: images.subarray(k * values, (k + 1) * values),
      reconstruction: reconstructions?.subarray(k * values, (k + 1) * values),
      map: maps.subarray(k * area, (k + 1) * area),
      scale,
    });
    await writeAtomic(join(folder, `${label}-${id}.png`), png);
  }
  await writeJson(join(folder, 'scale.json'), scale);
}

/** Positions of the highest scores: their maps have the hottest pixels. */
export function hottest(scores: Float32Array, most = 8): number[] {
  return Array.from(scores.keys())
    .sort((a, b) => scores[b] - scores[a])
    .slice(0, most);
}
