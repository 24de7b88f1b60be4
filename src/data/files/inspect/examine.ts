/** Looks at every file of a layout once: its bytes, whether it decodes, its size and mode, and a small grey picture. */
import { open, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { Cancelled, OddityError } from '../../../core/errors.ts';
import { type Listener, silent } from '../../../core/events.ts';
import { checkHeader, MAX_PIXELS } from '../../formats/check-header.ts';
import { type ImageHeader, readHeader } from '../../formats/header.ts';
import { sha256 } from '../../hash.ts';
import type { Pixels } from '../../resize.ts';
import { rangeFor, type UsedValues, UsedValuesMeter } from '../../value-range.ts';
import { drawMask, isAnnotation } from '../annotation-files.ts';
import { decodeImage, decodePage } from '../decode-image.ts';
import type { Layout, LayoutItem } from '../layout.ts';
import { findPage, splitPage } from '../page-path.ts';
import { readInput, requireFile } from '../read-input.ts';
import { isCut } from './cut.ts';

export interface ExamineOptions {
  /** Pixels that a file may have; default 100 million. */
  readonly maxPixels?: number;
  readonly onEvent?: Listener;
  readonly signal?: AbortSignal;
}

/** Side of the small grey pictures. */
export const THUMBNAIL = 32;

/** What is known of one file. */
export interface FileFacts {
  /** Path from the root. */
  readonly id: string;
  readonly sizeBytes: number;
  /** sha256 of the bytes, hexadecimal. */
  readonly hash: string;
  /** By the first bytes. */
  readonly format: ImageHeader['format'] | undefined;
  /** The end of the file is missing. */
  readonly isCut: boolean;
  /** Undefined when the file does not decode. */
  readonly image?: ImageFacts;
  /** Why it does not decode. */
  readonly problem?: string;
}

/** What is known of decoded pixels. */
export interface ImageFacts {
  readonly height: number;
  readonly width: number;
  /** `grey, 8 bit` and the like. */
  readonly mode: string;
  /** Share of pixels above 0 in any channel. */
  readonly positive: number;
  /** `[THUMBNAIL, THUMBNAIL]`, grey in [0, 1] once all are examined, means of the pixels below each cell. */
  readonly thumbnail: Float32Array;
  /** The image has more than 8 bits. */
  readonly isDeep: boolean;
}

/** A layout and what its files are. */
export interface Examined {
  readonly layout: Layout;
  /** Every image, beside its item. */
  readonly images: readonly { readonly item: LayoutItem; readonly file: FileFacts }[];
  /** Masks, each beside its item and the file of its image. */
  readonly masks: readonly { readonly item: LayoutItem; readonly image: FileFacts; readonly file: FileFacts }[];
  /** Formats by content of the files whose names are not those of images. */
  readonly others: ReadonlyMap<string, ImageHeader['format'] | undefined>;
  /** Values of the normal images with more than 8 bits that may be trained on; absent without such. */
  readonly used?: UsedValues;
}

/** Files that are decoded at a time. */
const AT_ONCE = 4;

/**
 * Examines the files of a layout. Files that are broken are facts, not errors; rejects with Cancelled by `signal` and
 * with RuntimeUnavailable without the decoder.
 */
export async function examine(layout: Layout, options: ExamineOptions = {}): Promise<Examined> {
  const { onEvent = silent, signal, maxPixels = MAX_PIXELS } = options;
  const { items, root } = layout;
  const masked = items.filter((item) => item.mask !== undefined);
  const total = items.length + masked.length;
  let done = 0;
  const meter = new UsedValuesMeter();
  const hashes = new Map<string, Promise<string>>();
  const one = async (path: string, id: string, look: Look) => {
    if (signal?.aborted) throw new Cancelled();
    const facts = await examineFile(path, id, { maxPixels, hashes, ...look });
    onEvent({ type: 'progress', task: 'inspect', done: ++done, total, unit: 'file' });
    return facts;
  };
  const trains = ({ label, part }: LayoutItem) => label === 'normal' && part !== 'test';
  const files = await eachOf(items, (item) => one(item.path, item.id, { ...(trains(item) && { meter }) }));
  const images = items.map((item, i) => ({ item, file: files[i] }));
  const fileOf = new Map(images.map(({ item, file }) => [item, file]));
  const maskFiles = await eachOf(masked, (item) => {
    const image = fileOf.get(item)?.image;
    const size = image && { height: image.height, width: image.width };
    return one(item.mask!, idBelow(root, item.mask!), { isMask: true, ...(size && { imageSize: size }) });
  });
  const masks = masked.map((item, i) => ({ item, image: fileOf.get(item)!, file: maskFiles[i] }));
  const names = layout.warnings.find((warning) => warning.code === 'not-images')?.paths ?? [];
  const formats = await eachOf(names, (id) => hiddenFormat(join(root, id)));
  const { used } = meter;
  scaleDeep(images, used);
  return { layout, images, masks, others: new Map(names.map((id, i) => [id, formats[i]])), ...(used && { used }) };
}

/** Small pictures of deep images become [0, 1], as training would read them. */
function scaleDeep(images: Examined['images'], used: UsedValues | undefined): void {
  const [low, high] = (used && rangeFor(used)) ?? [0, 65_535];
  for (const { file } of images) {
    if (!file.image?.isDeep) continue;
    const { thumbnail } = file.image;
    for (const [i, v] of thumbnail.entries()) thumbnail[i] = Math.min(1, Math.max(0, (v - low) / (high - low)));
  }
}

const idBelow = (root: string, path: string) =>
  path.startsWith(root)
    ? path
        .slice(root.length + 1)
        .split(sep)
        .join('/')
    : path;

/** Maps a list in order, a few at a time. */
async function eachOf<T, R>(list: readonly T[], work: (value: T) => Promise<R>): Promise<R[]> {
  const out = new Array<R>(list.length);
  let next = 0;
  const lane = async () => {
    for (let i = next++; i < list.length; i = next++) out[i] = await work(list[i]);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return out;
}

/** Bytes in which a header is looked for. */
const HEADER_BYTES = 65_536;

/** The format of a file that is an image of usual size, whatever its name; undefined for any other file. */
async function hiddenFormat(path: string): Promise<ImageHeader['format'] | undefined> {
  const file = await requireFile(path)
    .then(() => open(path))
    .catch(() => undefined);
  if (!file) return undefined;
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(HEADER_BYTES), 0, HEADER_BYTES, 0);
    const { format, height, width } = checkHeader(buffer.subarray(0, bytesRead), path);
    return height * width > 0 ? format : undefined;
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}

/** How a file is looked at. */
interface Look {
  readonly isMask?: boolean;
  /** Of the image of a mask. */
  readonly imageSize?: { readonly height: number; readonly width: number };
  /** Takes its values. */
  readonly meter?: UsedValuesMeter;
}

/** The facts of one file, or of one of its pages. `hashes` holds those of files with several pages. */
async function examineFile(
  path: string,
  id: string,
  look: Look & { maxPixels: number; hashes: Map<string, Promise<string>> },
): Promise<FileFacts> {
  const { maxPixels, isMask, meter, hashes } = look;
  const { file, page } = splitPage(path);
  const background = isMask ? 'black' : 'white';
  let facts: Omit<FileFacts, 'image' | 'problem'> = { id, sizeBytes: 0, hash: '', format: undefined, isCut: false };
  try {
    let header: ImageHeader | undefined;
    let pixels: Pixels;
    if (isMask && isAnnotation(path)) {
      facts = { ...facts, sizeBytes: (await stat(file)).size, hash: path };
      return { ...facts, image: imageFacts(drawMask(path, look.imageSize), { channels: 1, bits: 8 }) };
    }
    if (page === undefined) {
      const bytes = await readInput(file, 'unreadable-file');
      header = readHeader(bytes);
      const cut = header !== undefined && isCut(bytes, header.format);
      facts = { id, sizeBytes: bytes.length, hash: await sha256(bytes), format: header?.format, isCut: cut };
      pixels = await decodeImage(bytes, 'The file', maxPixels, background);
    } else {
      const hash = hashes.get(file) ?? readInput(file, 'unreadable-file').then(sha256);
      hashes.set(file, hash);
      header = findPage(file, page).header;
      facts = { ...facts, sizeBytes: (await stat(file)).size, hash: `${await hash}:${page}`, format: header?.format };
      pixels = await decodePage(file, page, maxPixels, background);
    }
    meter?.add(pixels.data);
    return { ...facts, image: imageFacts(pixels, header!) };
  } catch (error) {
    // A decoder that is not installed is no property of the file.
    if (!(error instanceof OddityError) || error.name !== 'DataError') throw error;
    return { ...facts, problem: error.message };
  }
}

const modes: Readonly<Record<number, string>> = { 1: 'grey', 3: 'RGB', 4: 'CMYK' };

function imageFacts(
  { height, width, channels, data }: Pixels,
  header: Pick<ImageHeader, 'channels' | 'bits' | 'isFloat' | 'isSigned'>,
): ImageFacts {
  let above = 0;
  for (let at = 0; at < data.length; at += channels) {
    if (data[at] > 0 || (channels === 3 && (data[at + 1] > 0 || data[at + 2] > 0))) above++;
  }
  const thumbnail = new Float32Array(THUMBNAIL * THUMBNAIL);
  const isDeep = !(data instanceof Uint8Array);
  const white = isDeep ? 1 : 255;
  for (let i = 0; i < THUMBNAIL; i++) {
    const [top, bottom] = cell(i, height);
    for (let j = 0; j < THUMBNAIL; j++) {
      const [left, right] = cell(j, width);
      let sum = 0;
      for (let y = top; y < bottom; y++) {
        for (let x = left; x < right; x++) {
          const at = (y * width + x) * channels;
          for (let c = 0; c < channels; c++) sum += data[at + c];
        }
      }
      thumbnail[i * THUMBNAIL + j] = sum / (white * channels * (bottom - top) * (right - left));
    }
  }
  const mode = `${modes[header.channels]}, ${header.bits} bit${header.isFloat ? ' float' : header.isSigned ? ' signed' : ''}`;
  return { height, width, mode, positive: above / (height * width), thumbnail, isDeep };
}

/** The rows of an image below row `i` of its small picture: at least one. */
function cell(i: number, side: number): [number, number] {
  const from = Math.floor((i * side) / THUMBNAIL);
  return [from, Math.max(from + 1, Math.floor(((i + 1) * side) / THUMBNAIL))];
}
