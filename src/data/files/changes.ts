/** Normal images that join the training part of a split, or leave it; what is held out and what tests stays. Node only. */
import { resolve } from 'node:path';
import { DataError, nearestName } from '../../core/errors.ts';
import { isImage, itemSize } from '../../core/item-shape.ts';
import { sha256 } from '../hash.ts';
import type { Source } from '../item.ts';
import { findLeaks, type Split } from '../split.ts';
import { type FolderSourceOptions, folderSource } from './folder.ts';
import { pagePaths } from './page-path.ts';

export interface TrainingChanges {
  /** Paths of image files of normal items. */
  readonly added: readonly string[];
  /** Ids of training items. */
  readonly removed: readonly string[];
}

/**
 * A source and its split, changed: added images follow the others, in order. The caller closes the new source, which closes
 * the given one.
 * @throws DataError `not-images`, `known-image` for a file that is an item already, `not-trained-on` for an id that is not
 * of the training part, `too-few-items` when none is left, and those of `folderSource`.
 */
export async function changeTraining(
  source: Source,
  split: Split,
  { added, removed }: TrainingChanges,
  options: Pick<FolderSourceOptions, 'maxPixels' | 'onEvent' | 'signal'> = {},
): Promise<{ source: Source; split: Split }> {
  const { items, name } = source;
  const trained = Array.from(split.train, (i) => items[i].id);
  for (const id of removed) {
    if (trained.includes(id)) continue;
    const near = nearestName(id, trained);
    throw new DataError(
      'not-trained-on',
      `${id} cannot be removed: it is not a training image of ${name}.${near ? ` Did you mean ${near}?` : ''}`,
    );
  }
  const leaving = new Set(removed);
  const stays = (_: unknown, k: number) => !leaving.has(trained[k]);
  const whole = added.length > 0 ? await withFiles(source, added, options) : source;
  const fresh = Array.from({ length: whole.items.length - items.length }, (_, k) => items.length + k);
  const train = Uint32Array.from([...split.train.filter(stays), ...fresh]);
  const trainLabels = Uint8Array.from([...split.trainLabels.filter(stays), ...fresh.map(() => 0)]);
  if (trainLabels.every((label) => label === 1)) {
    throw new DataError('too-few-items', `${name}: no normal images would be left to train on. Remove fewer images.`);
  }
  const notes = [
    ...(fresh.length > 0 ? [`${fresh.length} normal images were added to the training part.`] : []),
    ...(removed.length > 0 ? [`${removed.length} images were taken out of it.`] : []),
  ];
  const changed = {
    ...split,
    train,
    trainLabels,
    contaminants: split.contaminants.filter((i) => !leaving.has(items[i].id)),
    description: [split.description, ...notes].join(' '),
  };
  return { source: whole, split: { ...changed, leakFree: findLeaks(whole, changed).length === 0 } };
}

/** The source with files behind its items, read as its own are. */
async function withFiles(
  source: Source,
  files: readonly string[],
  options: Pick<FolderSourceOptions, 'maxPixels' | 'onEvent' | 'signal'>,
): Promise<Source> {
  const { shape, items, name, normalClass } = source;
  if (!isImage(shape) || normalClass === undefined) {
    throw new DataError('not-images', `Images can only be added to data sets of image files; ${name} is not one.`);
  }
  const paths = files.flatMap((path) => pagePaths(resolve(path)));
  const known = new Set(items.flatMap(({ id, path }) => [id, path ?? id]));
  for (const path of paths) {
    if (known.has(path)) throw new DataError('known-image', `${path} is already an image of ${name}. Leave it out.`);
    known.add(path);
  }
  const [channels, height, width] = shape;
  const more = await folderSource({
    ...options,
    name,
    size: [height, width],
    channels: channels as 1 | 3,
    layout: {
      root: '/',
      kind: 'folders',
      explanation: `${paths.length} normal images are added.`,
      items: paths.map((path) => ({
        path,
        id: path,
        part: 'train',
        label: 'normal',
        type: source.classes[normalClass],
      })),
      warnings: [],
    },
  });
  return joined(source, more, await sha256(source.hash + more.hash));
}

/** Two sources as one, the items of the second behind those of the first and all of them normal. */
function joined(source: Source, more: Source, hash: string): Source {
  const { items, shape, normalClass = 0 } = source;
  const values = itemSize(shape);
  const joint: Source = {
    ...source,
    items: [...items, ...more.items.map((item) => ({ ...item, class: normalClass }))],
    hash,
    async read(indices, out) {
      const [own, others]: { from: number; to: number }[][] = [[], []];
      for (let k = 0; k < indices.length; k++) {
        if (indices[k] < items.length) own.push({ from: indices[k], to: k });
        else others.push({ from: indices[k] - items.length, to: k });
      }
      for (const [part, members] of [[source, own] as const, [more, others] as const]) {
        const pixels = new Float32Array(members.length * values);
        if (members.length > 0)
          await part.read(
            members.map((m) => m.from),
            pixels,
          );
        for (const [k, { to }] of members.entries())
          out.set(pixels.subarray(k * values, (k + 1) * values), to * values);
      }
    },
    async close() {
      await more.close?.();
      await source.close?.();
    },
  };
  if (!source.prepare && !more.prepare) return joint;
  return {
    ...joint,
    // Added images are read by the range of those before them.
    async prepare(train, options) {
      const before = Array.from(train).filter((i) => i < items.length);
      const own = (await source.prepare?.(before, options)) ?? source;
      const valueRange = own.valueRange ?? options.valueRange;
      const added = (await more.prepare?.([], { ...options, valueRange })) ?? more;
      return joined(own, added, hash);
    },
  };
}
