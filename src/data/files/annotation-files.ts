/**
 * Files of annotation tools beside images, as masks: `x.json` of LabelMe and `x.txt` of YOLO for `x.jpg`, and JSON files
 * of COCO for many images. A COCO image is named `annotations.json:17`, by its place in the file. Node only.
 */
import { readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DataError } from '../../core/errors.ts';
import {
  type Annotation,
  type CocoImage,
  drawAnnotation,
  isOfBoxes,
  readCoco,
  readLabelMe,
  readYolo,
} from '../formats/annotations.ts';
import type { Pixels } from '../resize.ts';
import { count, listed } from './explain-layout.ts';
import type { LayoutItem } from './layout.ts';
import { splitPage } from './page-path.ts';

/** True for the path of a mask that is drawn from an annotation. */
export const isAnnotation = (path: string): boolean => /\.(json|txt)(:\d+)?$/i.test(path);

/** Bytes that such a file may have. */
const MOST = 2 ** 28;

type Content = { readonly one?: Annotation; readonly coco?: readonly CocoImage[] };

/** The file that was read last: a COCO file is asked for once an image. */
let last: { readonly key: string; readonly content: Content } | undefined;

/** What an annotation file holds; empty for a file of another kind. Throws DataError `annotation` for regions that cannot be read. */
function readContent(file: string): Content {
  const { size, mtimeMs } = statSync(file);
  const key = `${file} ${size} ${mtimeMs}`;
  if (last?.key === key) return last.content;
  if (size > MOST) return {};
  const text = readFileSync(file, 'utf8');
  const content = contentOf(text, file);
  last = { key, content };
  return content;
}

function contentOf(text: string, file: string): Content {
  if (/\.txt$/i.test(file)) return { one: readYolo(text) };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return {};
  }
  return { one: readLabelMe(json, file), coco: readCoco(json, file) };
}

/** Draws the mask of an image of a size. Throws DataError `annotation`, and what the file system throws. */
export function drawMask(path: string, imageSize?: { height: number; width: number }): Pixels {
  const { file, page } = splitPage(path);
  const { one, coco } = readContent(file);
  const annotation = page === undefined ? one : coco?.[page - 1]?.annotation;
  if (annotation) return drawAnnotation(annotation, path, imageSize);
  throw new DataError('annotation', `${path} must hold the regions of an image, as LabelMe, COCO or YOLO write them.`);
}

/** What became of annotation files. */
export interface Annotated {
  /** With masks where files mark something. */
  readonly items: LayoutItem[];
  /** Ids of files that were understood. */
  readonly used: ReadonlySet<string>;
  /** Empty where there are none. */
  readonly remark: string;
}

/**
 * Gives items the regions of annotation files among `others` as masks; an item that has a mask keeps it.
 * @throws DataError `annotated-normal` for regions on images that lie among the normal ones, `annotation`.
 */
export function withAnnotations(root: string, items: readonly LayoutItem[], others: readonly string[]): Annotated {
  const marks = new Map<string, { path: string; annotation: Annotation }>();
  const used = new Set<string>();
  const there = new Set(others);
  for (const { id } of items) {
    const file = namesFor(id).find((name) => there.has(name) && readContent(join(root, name)).one !== undefined);
    if (file === undefined) continue;
    used.add(file);
    marks.set(id, { path: join(root, file), annotation: readContent(join(root, file)).one! });
  }
  for (const file of others.filter((name) => /\.json$/i.test(name) && !used.has(name))) {
    const { coco } = readContent(join(root, file));
    if (!coco) continue;
    used.add(file);
    const idOf = finderOf(items, file);
    for (const [i, { name, annotation }] of coco.entries()) {
      const id = idOf(name);
      if (id !== undefined && !marks.has(id)) marks.set(id, { path: join(root, `${file}:${i + 1}`), annotation });
    }
  }
  const marked = items.filter(({ id, mask }) => mask === undefined && marksAny(marks.get(id)?.annotation));
  const wrong = marked.filter(({ label }) => label === 'normal').map(({ id }) => id);
  if (wrong.length > 0) {
    throw new DataError(
      'annotated-normal',
      `${count(wrong.length, 'image')} among the normal ones ${wrong.length === 1 ? 'has' : 'have'} marked regions ` +
        `(${listed(wrong.slice(0, 3))}${wrong.length > 3 ? ', …' : ''}). Are they anomalies? Then move them to a folder of their ` +
        'own, named after the defect, with their annotations; else remove the annotations.',
    );
  }
  const chosen = new Set(marked.map(({ id }) => id));
  const given = items.map((item) => (chosen.has(item.id) ? { ...item, mask: marks.get(item.id)!.path } : item));
  return { items: given, used, remark: remarkOf(marked.map(({ id }) => marks.get(id)!.annotation)) };
}

/** Where the annotation of one image may lie: beside it, or in `labels` for `images`. */
function namesFor(id: string): string[] {
  const stem = id.replace(/\.[^./]*$/, '');
  const labels = stem.replace(/(^|\/)images(?=\/)/, '$1labels');
  return [`${stem}.json`, `${stem}.txt`, ...(labels === stem ? [] : [`${labels}.txt`])];
}

/** Finds the item of a path or name in a COCO file: that path from the file or the root, or else the only item of the name. */
function finderOf(items: readonly LayoutItem[], file: string): (name: string) => string | undefined {
  const byId = new Set(items.map(({ id }) => id));
  const byName = new Map<string, string | undefined>();
  for (const { id } of items) byName.set(basename(id), byName.has(basename(id)) ? undefined : id);
  return (name) => {
    const plain = name.replaceAll('\\', '/');
    const near = file.includes('/') ? `${file.slice(0, file.lastIndexOf('/'))}/${plain}` : plain;
    return [near, plain].find((id) => byId.has(id)) ?? byName.get(basename(plain));
  };
}

const marksAny = (annotation: Annotation | undefined) =>
  annotation !== undefined && annotation.shapes.length + annotation.runs.length > 0;

/** `5 masks are drawn from LabelMe, 2 of them from boxes, which mark more than the defect`; `from boxes of LabelMe`. */
function remarkOf(annotations: readonly Annotation[]): string {
  if (annotations.length === 0) return '';
  const tools = [...new Set(annotations.map(({ tool }) => tool))].join(' and ');
  const boxes = annotations.filter(isOfBoxes).length;
  const are = annotations.length === 1 ? 'mask is' : 'masks are';
  const more = 'which mark more than the defect';
  const drawn = `${annotations.length} ${are} drawn from`;
  if (boxes === annotations.length) return `${drawn} boxes of ${tools}, ${more}`;
  return `${drawn} ${tools}${boxes > 0 ? `, ${boxes} of them from boxes, ${more}` : ''}`;
}
