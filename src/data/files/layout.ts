/**
 * Which file of a data set is what: part, label, defect type and mask, from the names of folders or from a CSV file.
 * Files are looked at only where names leave it open: two files of one name in a folder, and files of several pages.
 * What was understood is said in one sentence, so that a wrong guess is seen before training.
 */
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ConfigError, DataError, nearestName } from '../../core/errors.ts';
import { option, say } from '../../core/text.ts';
import type { Part } from '../item.ts';
import { type LayoutOptions, LayoutWords } from '../layout-words.ts';
import { withAnnotations } from './annotation-files.ts';
import { findMasksBeside } from './beside-masks.ts';
import { readCsvLayout } from './csv.ts';
import { count, explain, listed } from './explain-layout.ts';
import { type FileList, listFiles } from './file-list.ts';
import { giveMasks, type Placed, placeFiles } from './layout-masks.ts';
import { withPages } from './layout-pages.ts';
import { requireFile } from './read-input.ts';

/** One image of a data set on disk. */
export interface LayoutItem {
  /** Absolute path of the file; `stack.tif:2` for the second page of a file of several. */
  path: string;
  /** Path from the root, with `/`, and with the page; unique. */
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
 * Reads what a folder or a `.csv` file holds, by names, and by content where names leave it open.
 * @throws DataError `no-data`, `no-images`, `layout`, `several-data-sets`, `mask-or-image`, and those of `readCsvLayout`;
 * ConfigError `layout-name` for a given name that no folder has, or that has no effect.
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
  const named = placeFiles(files.images, words);
  const beside = await findMasksBeside(root, named);
  const placed = named.map((file) => ({
    ...file,
    ...(beside.has(file.id) && { isMask: true, ...beside.get(file.id) }),
  }));
  const { pictures, training } = withTrainingPart(
    placed.filter((file) => !file.isMask),
    words,
  );
  const kind = kindOf(root, pictures, words);
  const items: (LayoutItem & { placed: Placed })[] = [];
  const unused: string[] = [];
  for (const file of pictures) {
    const meaning = meaningOf(file, kind, pictures, words);
    if (meaning) items.push({ path: join(root, file.id), id: file.id, part: file.part, ...meaning, placed: file });
    else unused.push(file.id);
  }
  if (items.length === 0) throw unknownLayout(root, pictures);
  checkUsed(root, words, items, placed);
  const warnings = [...linkWarnings(files), ...giveMasks(root, items, placed)];
  if (unused.length > 0) {
    warnings.push({
      code: 'unused-images',
      message: 'Images outside the folders of normal and anomalous images are not used.',
      paths: unused,
    });
  }
  const annotated = withAnnotations(
    root,
    items.map(({ placed: _, ...item }) => item),
    files.others,
  );
  const paged = withPages(annotated.items);
  const what = training.length > 0 ? `Folders of parts, ${training.join(', ')} as the training part` : kindNames[kind];
  const others = files.others.filter((id) => !annotated.used.has(id));
  if (others.length > 0) {
    warnings.push({ code: 'not-images', message: 'Files that are not images are not used.', paths: others });
  }
  const remarks = [besideRemark([...beside.keys()]), annotated.remark, paged.remark];
  const explanation = explain(what, paged.items, remarks);
  return { root, kind, explanation, items: paged.items, warnings: [...warnings, ...paged.warnings] };
}

/** Which files were taken for masks because of what they hold. */
function besideRemark(ids: readonly string[]): string {
  if (ids.length === 0) return '';
  const are = ids.length === 1 ? 'file beside an image is' : 'files beside images of the same name are';
  return `${ids.length} ${are} masks by what they hold (${listed(ids.slice(0, 3))}${ids.length > 3 ? ', …' : ''})`;
}

/**
 * Folders of normal images beside `test`, where there is no `train`, are the training part, and so are folders beside them
 * of the defects that `test` has.
 */
function withTrainingPart(
  pictures: readonly Placed[],
  words: LayoutWords,
): { pictures: readonly Placed[]; training: readonly string[] } {
  const tested = new Set(pictures.flatMap(({ part, folders }) => (part === 'test' && folders[0] ? [folders[0]] : [])));
  const isNormal = ({ part, folders: [first] }: Placed) =>
    !part && first !== undefined && words.label(first) === 'normal';
  if (tested.size === 0 || pictures.some(({ part }) => part === 'train') || !pictures.some(isNormal)) {
    return { pictures, training: [] };
  }
  const trains = (file: Placed) => isNormal(file) || (!file.part && tested.has(file.folders[0]));
  const training = [...new Set(pictures.filter(trains).map(({ folders }) => folders[0]))];
  return { pictures: pictures.map((file) => (trains(file) ? { ...file, part: 'train' } : file)), training };
}

/** Throws ConfigError when the caller gave a name of folders of which nothing is used. */
function checkUsed(
  root: string,
  words: LayoutWords,
  items: readonly (LayoutItem & { placed: Placed })[],
  placed: readonly Placed[],
): void {
  const foldersOf = (label: LayoutItem['label']) =>
    items.filter((item) => item.label === label).map(({ placed }) => placed);
  const names = (files: readonly Placed[]) => files.flatMap(({ id }) => id.split('/').slice(0, -1));
  const used = {
    normal: foldersOf('normal'),
    abnormal: foldersOf('abnormal'),
    mask: placed.filter((file) => file.isMask),
  };
  const idle = words.idle({ normal: names(used.normal), abnormal: names(used.abnormal), mask: names(used.mask) });
  if (!idle) return;
  const { meaning, name } = idle;
  const things = { normal: 'normal images', abnormal: 'anomalous images', mask: 'masks' }[meaning];
  throw new ConfigError(
    'layout-name',
    say`${option(['folderNames', meaning], name)} has no effect: of the folders of ${root} that are used, none named
      "${name}" holds ${things}. Leave it out, or name the folder that does.`,
  );
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
  const isOfPart = ({ part, folders: [first] }: Placed) =>
    part === 'train' || (part === 'test' && first !== undefined && words.label(first) !== undefined);
  if (pictures.some(isNormal) && !pictures.some(isOfPart)) {
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
