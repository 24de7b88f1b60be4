/** Which file of a data set is what. A stand-in that knows train/good, test/<type> and ground_truth/<type> only. */
import { readdir } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { DataError } from '../core/errors.ts';

/** One image of a data set on disk. */
export interface LayoutItem {
  /** Absolute path of the file. */
  path: string;
  /** Path from the root, with `/`; unique. */
  id: string;
  /** Undefined where the data set does not say. */
  part: 'train' | 'validation' | 'test' | undefined;
  label: 'normal' | 'abnormal';
  /** `good` for every normal image, else the name of the defect. */
  type: string;
  /** Absolute path of the mask. */
  mask?: string;
}

/** What a folder or CSV file holds. */
export interface Layout {
  root: string;
  kind: 'mvtec' | 'folders' | 'good' | 'csv';
  /** One sentence. */
  explanation: string;
  items: LayoutItem[];
  warnings: { code: string; message: string; paths: string[] }[];
}

/** Reads what a folder holds. Throws DataError. */
export async function readLayout(path: string): Promise<Layout> {
  const root = resolve(path);
  const items: LayoutItem[] = [];
  for (const part of ['train', 'test'] as const) {
    const types = await readdir(join(root, part)).catch(() => []);
    for (const type of types.sort()) {
      for (const name of (await readdir(join(root, part, type))).sort()) {
        const file = join(root, part, type, name);
        const label = type === 'good' ? 'normal' : 'abnormal';
        const mask = join(root, 'ground_truth', type, name.replace(/\.[^.]*$/, '_mask.png'));
        const id = relative(root, file).replaceAll('\\', '/');
        const hasMask = await readdir(join(root, 'ground_truth', type)).then(
          (names) => names.some((n) => mask.endsWith(n)),
          () => false,
        );
        items.push({ path: file, id, part, label, type, ...(hasMask && { mask }) });
      }
    }
  }
  if (items.length === 0) throw new DataError('no-images', `${path} must hold images, and holds none.`);
  return { root, kind: 'mvtec', explanation: `${items.length} images.`, items, warnings: [] };
}
