/** Pictures of an item as files: the image, its map in colours, what the model would have drawn, the normal image that is nearest. */
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { pictureShape } from '../../core/item-shape.ts';
import { encodePng, stepsBefore } from '../../data/index.ts';
import { mapColour, placeOnScale } from '../../report/map-image.ts';
import { Problem } from '../../server/problem.ts';
import type { PictureName } from './answers.ts';
import { checkPlace } from './item.ts';
import { type OpenRun, scoreOf } from './open-runs.ts';
import { shownScale } from './shown-scale.ts';

/** Formats that every browser shows as they are, and that hold nothing that runs. */
const shown: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
};

export interface Picture {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: string;
}

/** `reach` is that of the project's scale of colours. Throws Problem 404 for a picture that the item does not have. */
export async function pictureOf(
  run: OpenRun,
  index: number,
  { name, reach }: { readonly name: PictureName; readonly reach: number },
): Promise<Picture> {
  checkPlace(run, index);
  const { task, info } = run;
  const shape = pictureShape(info.shape);
  if (!shape) throw noPicture(name);
  const { source, split } = task;
  if (name === 'image') {
    const { path } = source.items[split.test[index]];
    const asFile = path === undefined || info.kind !== 'image' ? undefined : await fileOf(path);
    if (asFile) return asFile;
  }
  const found = await scoreOf(run, index);
  if (name === 'map') {
    const scale = shownScale(info, found.map, reach);
    return png(found.map.length, shape, (p) => mapColour(placeOnScale(found.map[p], scale)));
  }
  if (name === 'nearest') {
    const id = found.nearest?.normal.id;
    const item = id === undefined ? -1 : source.items.findIndex((one) => one.id === id);
    if (item < 0) throw noPicture(name);
    const asFile = source.items[item].path && (await fileOf(source.items[item].path));
    if (asFile) return asFile;
    const values = new Float32Array(found.values.length);
    await source.read([item], values);
    return valuesPicture(values, shape);
  }
  const values = name === 'image' ? found.values : found.reconstruction;
  if (!values) throw noPicture(name);
  return valuesPicture(frameOf(run, values), shape);
}

const noPicture = (name: string) => new Problem(404, 'no-picture', `This item has no picture of that name (${name}).`);

/** The frame that a window of a clip stands for; images are their own. */
function frameOf({ info }: OpenRun, values: Float32Array): Float32Array {
  if (info.kind === 'image') return values;
  const [window] = info.shape;
  const size = values.length / window;
  const first = stepsBefore(window) * size;
  return values.subarray(first, first + size);
}

/** The file as it is, where browsers can show it. */
async function fileOf(path: string): Promise<Picture | undefined> {
  const type = shown[extname(path).toLowerCase()];
  const bytes = type && (await readFile(path).catch(() => undefined));
  return type && bytes ? { bytes: new Uint8Array(bytes), type } : undefined;
}

function valuesPicture(values: Float32Array, shape: readonly [number, number, number]): Picture {
  const area = shape[1] * shape[2];
  return png(area, shape, (p) => [0, 1, 2].map((c) => 255 * values[(shape[0] >= 3 ? c : 0) * area + p]));
}

function png(
  area: number,
  [, height, width]: readonly [number, number, number],
  colour: (p: number) => number[],
): Picture {
  const data = new Uint8Array(3 * area);
  for (let p = 0; p < area; p++) {
    data.set(
      colour(p).map((v) => Math.round(Math.min(255, Math.max(0, v)))),
      3 * p,
    );
  }
  return { bytes: new Uint8Array(encodePng({ height, width, channels: 3, data })), type: 'image/png' };
}
