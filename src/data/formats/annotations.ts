/**
 * Regions that people drew with annotation tools, as masks: LabelMe (one JSON file an image), COCO (one JSON file for
 * many), YOLO (one text file an image; boxes or outlines in shares of the sides).
 */
import { DataError } from '../../core/errors.ts';
import type { Pixels } from '../resize.ts';
import { MAX_PIXELS } from './check-header.ts';

/** Points x, y in pixels; a box has two corners, a circle its middle and a point on it. */
interface Shape {
  readonly kind: 'polygon' | 'box' | 'circle' | 'line';
  readonly points: readonly (readonly [number, number])[];
}

/** Regions of one image. */
export interface Annotation {
  readonly tool: 'LabelMe' | 'COCO' | 'YOLO';
  /** Of the image in pixels; absent where the tool does not keep it. */
  readonly size?: Size;
  /** Corners are shares of the sides instead of pixels. */
  readonly isRelative?: boolean;
  readonly shapes: readonly Shape[];
  /** Runs of pixels column by column, of 0 and 1 in turn, beginning with 0. */
  readonly runs: readonly (readonly number[])[];
}

/** One image of a COCO file. */
export interface CocoImage {
  /** Path or name, as the file has it. */
  readonly name: string;
  readonly annotation: Annotation;
}

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null;

/** The regions of a LabelMe file; undefined for JSON of another kind. Throws DataError `annotation` for shapes that cannot be read. */
export function readLabelMe(json: unknown, file: string): Annotation | undefined {
  if (!isObject(json) || !Array.isArray(json.shapes)) return undefined;
  const kinds: Readonly<Record<string, Shape['kind']>> = {
    polygon: 'polygon',
    rectangle: 'box',
    circle: 'circle',
    line: 'line',
    linestrip: 'line',
    point: 'line',
    points: 'line',
  };
  const shapes = json.shapes.map((shape: unknown, i): Shape => {
    const { shape_type: type = 'polygon', points } = isObject(shape) ? shape : {};
    const kind = kinds[String(type)];
    const isPoint = (p: unknown) => Array.isArray(p) && p.length === 2 && p.every((v) => Number.isFinite(v));
    if (kind && Array.isArray(points) && points.length > 0 && points.every(isPoint)) return { kind, points };
    throw bad(
      file,
      `shape ${i + 1} is a ${String(type)}${kind ? ' whose points are no pairs of numbers' : ', which is not read'}`,
    );
  });
  return { tool: 'LabelMe', ...sizeOf(json.imageHeight, json.imageWidth), shapes, runs: [] };
}

/** The images of a COCO file; undefined for JSON of another kind. Throws DataError `annotation` for regions that cannot be read. */
export function readCoco(json: unknown, file: string): CocoImage[] | undefined {
  if (!isObject(json) || !Array.isArray(json.images) || !Array.isArray(json.annotations)) return undefined;
  const byImage = new Map<unknown, Json[]>();
  for (const one of json.annotations.filter(isObject)) {
    const list = byImage.get(one.image_id);
    if (list) list.push(one);
    else byImage.set(one.image_id, [one]);
  }
  return json.images.filter(isObject).map((image, i) => {
    if (typeof image.file_name !== 'string') throw bad(file, `image ${i + 1} has no file_name`);
    const [shapes, runs]: [Shape[], number[][]] = [[], []];
    for (const { id, segmentation, bbox } of byImage.get(image.id) ?? []) {
      const where = `annotation ${String(id)} of ${image.file_name}`;
      if (Array.isArray(segmentation) && segmentation.length > 0) {
        for (const flat of segmentation) shapes.push({ kind: 'polygon', points: pairs(flat, `${where}`, file) });
      } else if (isObject(segmentation)) runs.push(runsOf(segmentation.counts, where, file));
      else {
        const [[x, y], [width, height]] = pairs(bbox, where, file, 2);
        shapes.push({
          kind: 'box',
          points: [
            [x, y],
            [x + width, y + height],
          ],
        });
      }
    }
    return { name: image.file_name, annotation: { tool: 'COCO', ...sizeOf(image.height, image.width), shapes, runs } };
  });
}

/** The regions of a YOLO file; undefined for text of another kind. */
export function readYolo(text: string): Annotation | undefined {
  const shapes: Shape[] = [];
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === '') continue;
    const [kind, ...values] = line.trim().split(/\s+/).map(Number);
    const isShare = (v: number) => v >= -0.01 && v <= 1.01;
    if (!Number.isInteger(kind) || !values.every(isShare) || values.length < 4) return undefined;
    if (values.length <= 5) {
      const [x, y, width, height] = values;
      shapes.push({
        kind: 'box',
        points: [
          [x - width / 2, y - height / 2],
          [x + width / 2, y + height / 2],
        ],
      });
    } else if (values.length % 2 === 0) {
      shapes.push({ kind: 'polygon', points: pairs(values, '', '') });
    } else return undefined;
  }
  return { tool: 'YOLO', isRelative: true, shapes, runs: [] };
}

/** True where a rectangle stands for a defect of any outline. */
export const isOfBoxes = ({ shapes, runs }: Annotation): boolean =>
  runs.length === 0 && shapes.length > 0 && shapes.every(({ kind }) => kind === 'box');

type Point = readonly [number, number];
interface Size {
  readonly height: number;
  readonly width: number;
}

/**
 * A mask of 0 and 255: the pixels whose middle a shape holds, and of a shape that holds none its outline. `imageSize` is
 * that of the image. Throws DataError `annotation` where runs do not fill the image.
 */
export function drawAnnotation(annotation: Annotation, file: string, imageSize?: Size): Pixels {
  const size = annotation.size ?? imageSize;
  if (!size) throw bad(file, 'it has no size of its image');
  const { height, width } = size;
  if (height * width > MAX_PIXELS) throw bad(file, `its image has ${height}x${width} pixels`);
  const data = new Uint8Array(height * width);
  const [sx, sy] = annotation.isRelative ? [width, height] : [1, 1];
  for (const { kind, points } of annotation.shapes) {
    const outline = outlineOf(
      kind,
      points.map(([x, y]): Point => [x * sx, y * sy]),
    );
    if (kind !== 'line' && fill(data, size, outline) > 0) continue;
    const ends = kind === 'line' && outline.length > 1 ? outline.slice(1) : [...outline.slice(1), outline[0]];
    for (const [i, end] of ends.entries()) drawLine(data, size, outline[i], end);
  }
  for (const runs of annotation.runs) {
    const all = runs.reduce((a, b) => a + b, 0);
    if (all !== height * width) throw bad(file, `its runs hold ${all} pixels of an image of ${height}x${width}`);
    let [at, isMarked] = [0, false];
    for (const run of runs) {
      for (const end = at + run; at < end; at++) {
        if (isMarked) data[(at % height) * width + Math.floor(at / height)] = 255;
      }
      isMarked = !isMarked;
    }
  }
  return { height, width, channels: 1, data };
}

/** The corners of what a shape holds; a circle has 64. */
function outlineOf(kind: Shape['kind'], points: readonly Point[]): readonly Point[] {
  const [[x, y], [u, v] = [x, y]] = points;
  if (kind === 'box')
    return [
      [x, y],
      [u, y],
      [u, v],
      [x, v],
    ];
  if (kind !== 'circle') return points;
  const radius = Math.hypot(u - x, v - y);
  const at = (i: number) => (2 * Math.PI * i) / 64;
  return Array.from({ length: 64 }, (_, i): Point => [x + radius * Math.cos(at(i)), y + radius * Math.sin(at(i))]);
}

/** Marks the pixels whose middle lies inside a polygon, by the even-odd rule, and returns how many. */
function fill(data: Uint8Array, { height, width }: Size, corners: readonly Point[]): number {
  let marked = 0;
  for (let row = 0; row < height; row++) {
    const y = row + 0.5;
    const cuts: number[] = [];
    for (const [i, [x0, y0]] of corners.entries()) {
      const [x1, y1] = corners[(i + 1) % corners.length];
      if (y0 <= y !== y1 <= y) cuts.push(x0 + ((y - y0) / (y1 - y0)) * (x1 - x0));
    }
    cuts.sort((a, b) => a - b);
    for (let i = 0; i + 1 < cuts.length; i += 2) {
      const from = Math.max(0, Math.ceil(cuts[i] - 0.5));
      const to = Math.min(width, Math.ceil(cuts[i + 1] - 0.5));
      if (from >= to) continue;
      data.fill(255, row * width + from, row * width + to);
      marked += to - from;
    }
  }
  return marked;
}

/** Marks the pixels on a line; what lies outside of the image is left out. */
function drawLine(data: Uint8Array, { height, width }: Size, [x0, y0]: Point, [x1, y1]: Point): void {
  const steps = Math.min(1e5, Math.max(1, Math.ceil(2 * Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0)))));
  // A corner on the right or lower edge belongs to the last pixel.
  const cell = (v: number, side: number) => (v === side ? side - 1 : Math.floor(v));
  for (let i = 0; i <= steps; i++) {
    const x = cell(x0 + ((x1 - x0) * i) / steps, width);
    const y = cell(y0 + ((y1 - y0) * i) / steps, height);
    if (x >= 0 && y >= 0 && x < width && y < height) data[y * width + x] = 255;
  }
}

/** The size that an annotation keeps of its image, where it does. */
function sizeOf(height: unknown, width: unknown): { size?: Size } {
  const isSide = (n: unknown): n is number => Number.isInteger(n) && (n as number) > 0;
  return isSide(height) && isSide(width) ? { size: { height, width } } : {};
}

/** Flat numbers x, y, x, y … as points; at least `least` of them. */
function pairs(flat: unknown, where: string, file: string, least = 1): Point[] {
  const isFlat = Array.isArray(flat) && flat.length >= 2 * least && flat.length % 2 === 0;
  if (!isFlat || !flat.every((v) => Number.isFinite(v)))
    throw bad(file, `${where} has no pairs of numbers as its region`);
  return Array.from({ length: flat.length / 2 }, (_, i): Point => [flat[2 * i], flat[2 * i + 1]]);
}

/** Runs as numbers; COCO also packs them as text, five bits a letter, each from the third on as the difference to the one two before. */
function runsOf(counts: unknown, where: string, file: string): number[] {
  if (Array.isArray(counts) && counts.every((n) => Number.isInteger(n) && n >= 0)) return counts;
  if (typeof counts !== 'string') throw bad(file, `${where} has neither runs nor corners as its region`);
  const runs: number[] = [];
  for (let at = 0; at < counts.length; ) {
    let [value, shift, more] = [0, 0, true];
    while (more && at < counts.length) {
      const bits = counts.charCodeAt(at++) - 48;
      value |= (bits & 0x1f) << shift;
      more = (bits & 0x20) !== 0;
      shift += 5;
      if (!more && bits & 0x10) value |= -1 << shift;
    }
    runs.push(value + (runs.length > 2 ? runs[runs.length - 2] : 0));
  }
  if (runs.some((n) => n < 0)) throw bad(file, `${where} has runs that cannot be`);
  return runs;
}

const bad = (file: string, found: string) =>
  new DataError(
    'annotation',
    `${file} must hold regions as polygons, boxes, circles, lines or runs, but ${found}. Save it again, or draw a mask.`,
  );
