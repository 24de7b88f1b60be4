/** Example maps of a run as PNG files, half of them of anomalous items, all on one colour scale. */
import { join } from 'node:path';
import type { Rng } from '../core/random.ts';
import { type MapScale, mapPicture, mapScale } from '../report/map-image.ts';
import type { Session } from '../runtime/index.ts';
import { makeFolder, writeAtomic, writeJson } from './files.ts';
import { scoreWithMaps } from './score.ts';
import type { Task } from './task.ts';

/** Draws `count` test items; returns the scale of the colours, undefined when nothing was drawn. */
export async function drawMaps(
  session: Session,
  task: Task,
  folder: string,
  options: { count: number; threshold: number | null; signal?: AbortSignal },
): Promise<MapScale | undefined> {
  const { source, split, rng } = task;
  const chosen = choose(split.testLabels, options.count, rng.split('maps'));
  if (chosen.length === 0) return undefined;
  const items = chosen.map((i) => split.test[i]);
  const { images, maps, reconstructions } = await scoreWithMaps(session, source, items, { signal: options.signal });
  const scale = mapScale(maps, options.threshold);
  const [channels, height, width] = source.shape;
  const [values, area] = [channels * height * width, height * width];
  await makeFolder(folder);
  for (const [k, i] of chosen.entries()) {
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
  return scale;
}

/** Positions of test items: half anomalous, half normal, drawn at random from the seed. */
function choose(labels: Uint8Array, count: number, rng: Rng): number[] {
  const positions = Array.from(labels.keys());
  const some = (label: number, most: number) =>
    rng
      .split(label)
      .shuffle(positions.filter((i) => labels[i] === label))
      .slice(0, most);
  const anomalous = some(1, Math.ceil(count / 2));
  return [...anomalous, ...some(0, count - anomalous.length)];
}
