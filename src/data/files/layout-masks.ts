/** Which mask belongs to which image of a folder, by the names of both. */
import { basename, join } from 'node:path';
import type { Part } from '../item.ts';
import type { LayoutWords } from '../layout-words.ts';
import type { LayoutItem, LayoutWarning } from './layout.ts';

/** A file with its folders taken apart: `test/bad/scratch/7.png` is of part test, in folders bad and scratch. */
export interface Placed {
  /** Path from the root, with `/`. */
  readonly id: string;
  readonly part: Part | undefined;
  readonly isMask: boolean;
  /** What is left of the folders without those of the part and of masks. */
  readonly folders: readonly string[];
  /** The file's name without its ending; of a mask also without `_mask` or `_gt`. */
  readonly stem: string;
  /** The mask lies beside its image, known by its content, and marks nothing. */
  readonly isEmpty?: boolean;
}

const stemOf = (id: string) => basename(id).replace(/\.[^.]*$/, '');
const withoutEnding = (stem: string) => stem.replace(/[_-](masks?|gt|ground[_-]?truth|seg|segmentation)$/i, '');

/**
 * Takes the paths of image files apart. Masks are the files below a folder of masks, and any `<name>_mask` beside an
 * image `<name>`.
 */
export function placeFiles(ids: readonly string[], words: LayoutWords): Placed[] {
  const folderOf = (id: string) => id.slice(0, id.lastIndexOf('/') + 1);
  const names = new Set(ids.map((id) => folderOf(id) + stemOf(id)));
  return ids.map((id) => {
    const all = id.split('/').slice(0, -1);
    const folders = all.filter((name) => !words.isMask(name));
    const part = folders.length > 0 ? words.part(folders[0]) : undefined;
    if (part) folders.shift();
    const stem = stemOf(id);
    const bare = withoutEnding(stem);
    const isMask = folders.length + (part ? 1 : 0) < all.length || (bare !== stem && names.has(folderOf(id) + bare));
    return { id, part, isMask, folders, stem: isMask ? bare : stem };
  });
}

/**
 * Gives masks to the items that they belong to: those of the same name in the same folders, where the folder of masks
 * may leave out the first of them (`mask/7.png` for `bad/scratch/7.png`). A mask that fits several anomalous images
 * is given to none, because a wrong mask is worse than none.
 */
export function giveMasks(
  root: string,
  items: readonly (LayoutItem & { placed: Placed })[],
  placed: readonly Placed[],
): LayoutWarning[] {
  const keyOf = (folders: readonly string[], stem: string) => [...folders, stem].join('/').normalize('NFC');
  const claims = new Map<string, (LayoutItem & { placed: Placed })[]>();
  for (const item of items) {
    const { folders, stem } = item.placed;
    for (let from = 0; from <= folders.length; from++) {
      const key = keyOf(folders.slice(from), stem);
      const list = claims.get(key);
      if (list) list.push(item);
      else claims.set(key, [item]);
    }
  }
  const [orphans, doubtful, spare]: string[][] = [[], [], []];
  for (const mask of placed) {
    if (!mask.isMask) continue;
    const all = claims.get(keyOf(mask.folders, mask.stem)) ?? [];
    const near = all.filter((item) => !mask.part || item.part === mask.part);
    // Most often the same name exists among the normal images too, and the mask is of the other.
    const anomalous = near.filter((item) => item.label === 'abnormal');
    const some = anomalous.length > 0 ? anomalous : near;
    // In MVTec's layout masks are of the test part.
    const tested = some.filter((item) => item.part === 'test');
    const owners = some.length > 1 && tested.length === 1 ? tested : some;
    if (owners.length === 0) orphans.push(mask.id);
    else if (mask.isEmpty && owners.every((item) => item.label === 'normal'))
      continue; // what one knows of normal images
    else if (owners.length > 1) doubtful.push(mask.id);
    else if (owners[0].mask) spare.push(mask.id);
    else owners[0].mask = join(root, mask.id);
  }
  const warnings: LayoutWarning[] = [
    {
      code: 'mask-without-image',
      message: 'Masks without an image are not used. Give them the name and folder of their image.',
      paths: orphans,
    },
    {
      code: 'mask-doubtful',
      message:
        'Masks that fit several images of the same name are not used. Put them into a folder for each defect type.',
      paths: doubtful,
    },
    {
      code: 'mask-twice',
      message: 'Images with more than one mask keep the first; the others are not used. Merge them into one file.',
      paths: spare,
    },
  ];
  return warnings.filter((warning) => warning.paths.length > 0);
}
