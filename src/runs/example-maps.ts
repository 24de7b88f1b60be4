/** The one colour scale of a run's maps, and example maps as PNG files, half of them of anomalous items. */
import { join } from 'node:path';
import { InternalError } from '../core/errors.ts';
import { pictureShape } from '../core/item-shape.ts';
import type { Rng } from '../core/random.ts';
import type { Task } from '../engine/task/task.ts';
import { type MapScale, mapPicture } from '../report/map-image.ts';
import { makeFolder, writeAtomic, writeJson } from './files.ts';
import type { ShownItems } from './shown-items.ts';

/** Share of the shown pixels that lie beyond the hot end: one huge value must not turn all others cold. */
const BEYOND = 0.001;

/**
 * The scale of all maps of a run, from the test items that will be shown. Its middle, where contours run, is the
 * threshold of maps: of held-out normal images no more than the wanted share has a pixel that warm.
 */
export async function findMapScale(
  shown: ShownItems,
  positions: readonly number[],
  threshold: number | null,
): Promise<MapScale> {
  if (positions.length === 0) return { low: 0, threshold: null, high: 1 };
  const maps = (await shown.at(positions)).map(({ map }) => map);
  const values = new Float32Array(maps.reduce((n, { length }) => n + length, 0));
  for (const [k, map] of maps.entries()) values.set(map, k * map.length);
  values.sort();
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
  shown: ShownItems,
  { source, split }: Task,
  folder: string,
  { positions, scale }: { positions: readonly number[]; scale: MapScale },
): Promise<void> {
  if (positions.length === 0) return;
  const shape = pictureShape(source.shape);
  if (!shape) throw new InternalError(`${source.name} has no images to draw.`);
  const items = await shown.at(positions);
  await makeFolder(folder);
  for (const [k, i] of positions.entries()) {
    const label = split.testLabels[i] ? 'anomalous' : 'normal';
    const id = source.items[split.test[i]].id.replace(/[^A-Za-z0-9._-]+/g, '-');
    const { image, map, reconstruction } = items[k];
    const png = mapPicture({ shape, image, map, reconstruction, scale });
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
