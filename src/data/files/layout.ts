/**
 * Which file of a data set is what: part, label, defect type and mask, from the names of folders or from a CSV file.
 * Nothing is decoded here. What was understood is said in one sentence, so that a wrong guess is seen before training.
 */
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ConfigError, DataError, nearestName } from '../../core/errors.ts';
import { option, say } from '../../core/text.ts';
import type { Part } from '../item.ts';
import { type LayoutOptions, LayoutWords } from '../layout-words.ts';
import { readCsvLayout } from './csv.ts';
import { count, explain, listed } from './explain-layout.ts';
import { type FileList, listFiles } from './file-list.ts';
import { giveMasks, type Placed, placeFiles } from './layout-masks.ts';
import { requireFile } from './read-input.ts';

/** One image of a data set on disk. */
export interface LayoutItem {
  /** Absolute path of the file. */
  path: string;
  /** Path from the root, with `/`; unique. */
  id: string;
  /** Undefined where the data set does not say, and a split has to be drawn. */
  part: Part | undefined;
  label: 'normal' | 'abnormal';
  /** `good` for every normal image, else the name of the defect. */
  type: string;
  /** Absolute path of the mask, whose pixels above 0 are anomalous. */
  mask?: string;
}

/** Something that was found and is not used, or that is doubtful. */
export interface LayoutWarning {
  /** Stable, such as `link-outside`. */
  code: string;
  /** One or two sentences without the names of the files. */
  message: string;
  /** Paths from the root, with `/`. */
  paths: string[];
}

/** What a folder or a CSV file holds. */
export interface Layout {
  /** Absolute path of the folder; of a CSV file, its folder. */
  root: string;
  kind: 'mvtec' | 'folders' | 'good' | 'csv';
  /** One sentence: what was found, and how many of each. */
  explanation: string;
  /** In natural order of their ids. */
  items: LayoutItem[];
  warnings: LayoutWarning[];
}

/**
 * Reads what a folder or a `.csv` file holds. Looks at names only.
 * @throws DataError `no-data`, `no-images`, `layout`, `several-data-sets`, and those of `readCsvLayout`; ConfigError
 * `layout-name` for a given name that no folder has.
 * @example const { explanation, items } = await readLayout('screws', { normal: 'fine' });
 */
export async function readLayout(path: string, options: LayoutOptions = {}): Promise<Layout> {
  const root = resolve(path);
  const found = await stat(root).catch(() => undefined);
  if (!found) {
    throw new DataError('no-data', `There is no file or folder ${path}. Name a folder of images or a CSV file.`);
  }
  const words = new LayoutWords(options);
  if (found.isDirectory()) return readFolder(root, words);
  await requireFile(root);
  if (/\.csv$/i.test(path)) return readCsvLayout(root, words);
  throw new DataError('layout', `${path} must be a folder of images, or a CSV file whose name ends in .csv.`);
}

async function readFolder(root: string, words: LayoutWords): Promise<Layout> {
  const files = await listFiles(root);
  if (files.images.length === 0) {
    const others = files.others.length > 0 ? ` among ${count(files.others.length, 'file')}` : '';
    throw new DataError(
      'no-images',
      `${root} must hold images (JPEG, PNG, TIFF, BMP, WebP, AVIF, GIF), but has none${others}.`,
    );
  }
  checkNames(root, files, words);
  const placed = placeFiles(files.images, words);
  const pictures = placed.filter((file) => !file.isMask);
  const kind = kindOf(root, pictures, words);
  const items: (LayoutItem & { placed: Placed })[] = [];
  const unused: string[] = [];
  for (const file of pictures) {
    const meaning = meaningOf(file, kind, pictures, words);
    if (meaning) items.push({ path: join(root, file.id), id: file.id, part: file.part, ...meaning, placed: file });
    else unused.push(file.id);
  }
  if (items.length === 0) throw unknownLayout(root, pictures);
  const warnings = [...linkWarnings(files), ...giveMasks(root, items, placed)];
  if (unused.length > 0) {
    warnings.push({
      code: 'unused-images',
      message: 'Images outside the folders of normal and anomalous images are not used.',
      paths: unused,
    });
  }
  if (files.others.length > 0) {
    warnings.push({ code: 'not-images', message: 'Files that are not images are not used.', paths: [...files.others] });
  }
  const bare = items.map(({ placed: _, ...item }) => item);
  return { root, kind, explanation: explain(kindNames[kind], bare), items: bare, warnings };
}

/** Throws ConfigError when the caller gave a name that no folder has. */
function checkNames(root: string, { images }: FileList, words: LayoutWords): void {
  const folders = new Set(images.flatMap((file) => file.split('/').slice(0, -1)));
  const missing = words.missing(folders);
  if (missing === undefined) return;
  const near = nearestName(missing, [...folders]);
  const hint = near ? `Did you mean "${near}"?` : `Its folders: ${[...folders].join(', ') || 'none'}.`;
  throw new ConfigError('layout-name', `${root} has no folder "${missing}" with images in it. ${hint}`);
}

const kindNames = {
  mvtec: 'Folders of parts (MVTec)',
  folders: 'Folders by label',
  good: 'Normal images only',
} as const;

type FolderKind = keyof typeof kindNames;

/** The layout of the images that are no masks. Throws DataError when it is none that is known. */
function kindOf(root: string, pictures: readonly Placed[], words: LayoutWords): FolderKind {
  const isNormal = (file: Placed) => !file.part && file.folders.length > 0 && words.label(file.folders[0]) === 'normal';
  if (pictures.some(isNormal)) {
    const anomalous = pictures.some((file) => meaningOf(file, 'folders', pictures, words)?.label === 'abnormal');
    return anomalous ? 'folders' : 'good';
  }
  if (pictures.some((file) => file.part)) return 'mvtec';
  if (pictures.length > 0 && pictures.every((file) => file.folders.length === 0)) return 'good';
  throw unknownLayout(root, pictures, words);
}

/** Label and type of an image; undefined for one that lies where none is expected. */
function meaningOf(
  { part, folders }: Placed,
  kind: FolderKind,
  pictures: readonly Placed[],
  words: LayoutWords,
): Pick<LayoutItem, 'label' | 'type'> | undefined {
  if ((kind === 'mvtec') !== (part !== undefined)) return undefined;
  const [first, second] = folders;
  if (first === undefined) {
    // A folder of images without folders below it holds normal ones, except the test part, which must say what is what.
    const alone = part !== 'test' && kind !== 'folders' && pictures.every((p) => p.part !== part || !p.folders.length);
    return alone ? { label: 'normal', type: 'good' } : undefined;
  }
  const label = words.label(first);
  if (label === undefined || label === 'normal') return label && { label, type: 'good' };
  const type = second !== undefined && words.isGeneral(first) ? second : first;
  return type !== first && words.label(type) === 'normal' ? undefined : { label, type };
}

/** Says what was found instead of a known layout, and what to do. */
function unknownLayout(root: string, pictures: readonly Placed[], words = new LayoutWords()): DataError {
  const counts = new Map<string, number>();
  for (const { id } of pictures) {
    const at = id.indexOf('/');
    const folder = at < 0 ? '.' : id.slice(0, at);
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  const isSet = (folder: string) =>
    pictures.some(({ id }) => {
      const [top, second, third] = id.split('/');
      return top === folder && third !== undefined && (words.part(second) || words.label(second) === 'normal');
    });
  const sets = [...counts.keys()].filter(isSet);
  if (sets.length > 0) {
    const list = listed(sets);
    return new DataError(
      'several-data-sets',
      sets.length === 1
        ? `${root} is not a data set; its folder ${list} is one. Name ${join(root, sets[0])}.`
        : `${root} holds several data sets (${list}). Name one of them, such as ${join(root, sets[0])}.`,
    );
  }
  const found = listed([...counts].map(([folder, n]) => `${folder} ${n}`));
  return new DataError(
    'layout',
    say`${root} must hold train/good and test/<type>, or a folder of normal images named good, ok or normal; found
      images in: ${found || 'folders of masks only'}. Rename a folder, name it with ${option('folderNames.normal')}, or
      list the images in a CSV file.`,
  );
}

function linkWarnings({ links }: FileList): LayoutWarning[] {
  const warnings: LayoutWarning[] = [
    {
      code: 'link-outside',
      message: 'Links that point outside the folder are not followed. Copy the files here to use them.',
      paths: [...links.outside],
    },
    { code: 'link-loop', message: 'Links to a folder that contains them are not followed.', paths: [...links.loops] },
    { code: 'link-broken', message: 'Broken links are ignored.', paths: [...links.broken] },
  ];
  return warnings.filter((warning) => warning.paths.length > 0);
}
