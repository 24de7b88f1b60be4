/**
 * Clips on disk as a source: folders of images, files of several pages and videos, all brought to one size. Every frame is decoded
 * once before the source is handed out, so that a broken one is named now. Node only.
 */
import { basename } from 'node:path';
import { Cancelled, DataError } from '../../../core/errors.ts';
import { type Listener, silent, warning } from '../../../core/events.ts';
import type { ImageShape } from '../../../core/item-shape.ts';
import { option, say } from '../../../core/text.ts';
import type { Clip } from '../../clips/clip.ts';
import { BLOCK } from '../../clips/frame-store.ts';
import { clipSource } from '../../clips/source.ts';
import { checkHeader, MAX_PIXELS } from '../../formats/check-header.ts';
import { isCutAnimation } from '../../formats/frames.ts';
import type { ImageHeader } from '../../formats/header.ts';
import { sha256 } from '../../hash.ts';
import { DEFAULT_SIZE, type ImageSize } from '../../image-options.ts';
import type { Source } from '../../item.ts';
import { whiteOf } from '../../resize.ts';
import type { LoadOptions } from '../datasets/dataset.ts';
import { readImageFile } from '../decode.ts';
import { type Decoder, openDecoder } from '../decoder.ts';
import { findPage, splitPage } from '../page-path.ts';
import { type ClipFile, findClips } from './find-clips.ts';
import { type FrameLabels, readFrameLabels } from './frame-labels.ts';
import { openVideo, probeVideo } from './video.ts';

/** What is known of a clip before its frames are decoded. */
export interface ClipFacts {
  readonly file: ClipFile;
  readonly frames: number;
  /** Of its frames, which are all of one size unless a size was asked for. */
  readonly height: number;
  readonly width: number;
  readonly isGrey: boolean;
  readonly rate?: number;
  /** sha256 of the bytes of its files. */
  readonly content: string;
}

/** Frames from one that is looked at to the next while all are checked: no more than a block that is kept. */
const FRAMES_AT_A_TIME = BLOCK;

/** How clips are read. */
export type ClipFilesOptions = Pick<
  LoadOptions,
  'size' | 'channels' | 'maxPixels' | 'window' | 'trainShare' | 'onEvent' | 'signal'
>;

/** Reads the clips at a path. Throws DataError `no-clips`, `mixed-sizes`, `frame-labels`, `unreadable-video`, those of images. */
export async function clipFilesSource(path: string, options: ClipFilesOptions): Promise<Source> {
  const { onEvent = silent, signal, window } = options;
  const { facts, labels, shape, opened, clips } = await readClips(path, options);
  try {
    onEvent({ type: 'log', level: 'info', message: explain(path, facts, clips, shape) });
    const name = basename(path);
    const source = await clipSource({
      ...{ name, title: `Clips of ${name}`, licence: 'that of the data', clips, shape },
      classes: labels.classes,
      ...(window !== undefined && { window }),
      close: opened.close,
    });
    await decodeAll(source, { onEvent, signal });
    return source;
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** What is known of the clips at a path before their frames are decoded. Throws as `clipFilesSource`. */
export async function describeClips(path: string, options: ClipFilesOptions) {
  const { facts, labels, opened, clips } = await readClips(path, options);
  await opened.close();
  return { classes: labels.classes, clips: clips.map((clip, i) => ({ clip, facts: facts[i] })) };
}

/** Clips with their parts, labels and masks. The caller closes what is opened. */
async function readClips(path: string, options: ClipFilesOptions) {
  const found = await findClips(path);
  const labels = await readFrameLabels(found);
  const facts = await factsOf(found.clips, options);
  const shape = shapeFor(facts, options);
  const opened = await openClips(facts, shape, options);
  try {
    const said: Clip[] = [];
    for (const [i, one] of facts.entries())
      said.push(await labelled(opened.clips[i], one, { labels, shape, decoder: opened.decoder }));
    return { facts, labels, shape, opened, clips: withParts(said, found.clips, options.trainShare) };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** The clips at a path for a detector of frames of this shape. The caller closes them. Throws as `clipFilesSource`. */
export async function openClipFiles(
  path: string,
  shape: ImageShape,
  options: Pick<ClipFilesOptions, 'maxPixels' | 'onEvent' | 'signal'>,
): Promise<{ clips: readonly Clip[]; close(): Promise<void> }> {
  const { clips } = await findClips(path);
  const [, height, width] = shape;
  const facts = await factsOf(clips, { ...options, size: [height, width] });
  const opened = await openClips(facts, shape, options);
  return { clips: opened.clips, close: opened.close };
}

/** Looks at the files of clips: how many frames, their sizes. Throws as `clipFilesSource`. */
async function factsOf(
  clips: readonly ClipFile[],
  options: Pick<ClipFilesOptions, 'size' | 'maxPixels' | 'onEvent' | 'signal'>,
): Promise<ClipFacts[]> {
  const facts: ClipFacts[] = [];
  for (const file of clips) {
    if (options.signal?.aborted) throw new Cancelled();
    facts.push(file.frames ? await factsOfImages(file, file.frames, options) : await factsOfVideo(file, options));
  }
  return facts;
}

async function factsOfVideo(file: ClipFile, { onEvent = silent, signal }: ClipFilesOptions): Promise<ClipFacts> {
  const { fault, ...facts } = await probeVideo(file.path, signal);
  if (fault !== undefined) {
    const message = `${file.id} is damaged (${fault}): the ${facts.frames} frames that can be decoded are used.`;
    onEvent(warning('damaged-video', message));
  }
  // Two videos of one name and size are told apart by their bytes.
  return { file, ...facts, isGrey: false, content: await sha256(await readImageFile(file.path)) };
}

async function factsOfImages(
  file: ClipFile,
  frames: readonly string[],
  { size, maxPixels = MAX_PIXELS, onEvent = silent }: ClipFilesOptions,
): Promise<ClipFacts> {
  const hashes: string[] = [];
  let last: { readonly own: string; readonly header: ImageHeader } | undefined;
  const headers: ImageHeader[] = [];
  for (const path of frames) {
    const { file: own, page } = splitPage(path);
    if (own !== last?.own) {
      const bytes = await readImageFile(own);
      hashes.push(await sha256(bytes));
      last = { own, header: checkHeader(bytes, own, maxPixels) };
      if (isCutAnimation(bytes, last.header.format)) {
        throw new DataError(
          'unreadable-image',
          `${own} must be a whole image file, but it ends before its last frame does. Fetch it again, or save it anew.`,
        );
      }
    }
    headers.push((page !== undefined && findPage(own, page).header) || last.header);
  }
  const [{ height, width }] = headers;
  const other = headers.findIndex((one) => one.height !== height || one.width !== width);
  if (other >= 0) {
    const what = `The frames of the clip ${file.id} have different sizes: ${basename(frames[0])} is ${height}x${width} and ${basename(frames[other])} is ${headers[other].height}x${headers[other].width} (height x width)`;
    if (!size || 'atMost' in size) {
      throw new DataError(
        'mixed-sizes',
        say`${what}. Put clips of different cameras into folders of their own, or bring all frames to one size with ${option('size', '128x128')}.`,
      );
    }
    onEvent(warning('mixed-sizes', `${what}. All are brought to ${size.join('x')}.`));
  }
  const isGrey = headers.every((header) => header.channels === 1);
  return { file, frames: frames.length, height, width, isGrey, content: await sha256(JSON.stringify(hashes)) };
}

/** Channels and size of all frames, as for images: grey where all are, the size that is asked for or that of the files. */
function shapeFor(facts: readonly ClipFacts[], { size = DEFAULT_SIZE, channels }: ClipFilesOptions): ImageShape {
  const [height, width] = sizeFor(facts, size);
  return [channels ?? (facts.every(({ isGrey }) => isGrey) ? 1 : 3), height, width];
}

function sizeFor(facts: readonly ClipFacts[], size: ImageSize): readonly [number, number] {
  if (!('atMost' in size)) return size;
  const median = (side: 'height' | 'width') => facts.map((one) => one[side]).sort((a, b) => a - b)[facts.length >> 1];
  const whole = (n: number) => Math.max(64, Math.min(size.atMost, 32 * Math.round(n / 32)));
  return [whole(median('height')), whole(median('width'))];
}

/** Clips that decode their frames when they are asked for, without what is said of them. */
async function openClips(
  facts: readonly ClipFacts[],
  shape: ImageShape,
  { maxPixels, signal }: Pick<ClipFilesOptions, 'maxPixels' | 'signal'>,
) {
  const decoder = openDecoder();
  const videos: { close(): void }[] = [];
  const clips = facts.map(({ file, frames, rate, content }): Clip => {
    const about = { id: file.id, frames, train: 0, content, ...(rate !== undefined && { rate }) };
    const { frames: paths } = file;
    if (paths) {
      const read = (from: number, to: number) => framesOf(decoder, paths.slice(from, to), { shape, maxPixels, signal });
      return { ...about, read };
    }
    const video = openVideo(file.path, shape, signal);
    videos.push(video);
    return { ...about, read: video.read };
  });
  const close = async () => {
    for (const video of videos) video.close();
    await decoder.close();
  };
  return { clips, decoder, close };
}

/** Images as bytes, one after the other; of 16 bits the upper ones. Throws DataError `deep-frames` for floats. */
async function framesOf(
  decoder: Decoder,
  paths: readonly string[],
  { shape, maxPixels, signal }: { shape: ImageShape; maxPixels?: number; signal?: AbortSignal },
): Promise<Uint8Array> {
  const size = shape.reduce((n, d) => n * d, 1);
  const out = new Uint8Array(paths.length * size);
  if (signal?.aborted) throw new Cancelled();
  await Promise.all(
    paths.map(async (path, k) => {
      const { data, isRaw } = await decoder.decode({ path, as: 'image', shape, maxPixels });
      if (isRaw) {
        throw new DataError(
          'deep-frames',
          `${path} must have frames of 8 or 16 bits, but holds numbers of any range. Save its frames as 8-bit images.`,
        );
      }
      const scale = 255 / whiteOf(data);
      for (let i = 0; i < size; i++) out[k * size + i] = Math.round(data[i] * scale);
    }),
  );
  return out;
}

/** A clip with its labels and its masks. */
async function labelled(
  clip: Clip,
  { file, frames }: ClipFacts,
  { labels, shape, decoder }: { labels: FrameLabels; shape: ImageShape; decoder: Decoder },
): Promise<Clip> {
  const masks = labels.masksOf(file, frames);
  const readMasks =
    masks &&
    (async (from: number, to: number) => {
      const area = shape[1] * shape[2];
      const out = new Uint8Array((to - from) * area);
      for (const [k, path] of masks.slice(from, to).entries())
        out.set((await decoder.decode({ path, as: 'mask', shape })).data as Uint8Array, k * area);
      return out;
    });
  const said = (await labels.of(file, frames)) ?? (readMasks && (await byMasks(readMasks, frames, shape, labels)));
  return { ...clip, ...(said && { labels: said }), ...(readMasks && { readMasks }) };
}

/**
 * Which frames are for training: by the names of folders. Where these say nothing, clips with anomalies are for testing and so are
 * the last of the others; frames of one clip are much alike, so a clip is cut only where there is no other way.
 */
function withParts(clips: readonly Clip[], files: readonly ClipFile[], trainShare?: number): Clip[] {
  const open = clips.filter((_, i) => files[i].part === undefined);
  const normal = open.filter(({ labels }) => !labels?.some((y) => y > 0));
  const training = normal.slice(0, Math.max(1, Math.round((trainShare ?? 0.8) * normal.length)));
  const cuts = open.length === 1 || normal.length === 0;
  return clips.map((clip, i) => {
    const { frames, labels } = clip;
    const { part } = files[i];
    if (part !== undefined) return { ...clip, train: part === 'train' ? frames : 0 };
    if (cuts) return { ...clip, train: Math.round((trainShare ?? (labels ? 0.5 : 0.8)) * frames) };
    return { ...clip, train: training.includes(clip) ? frames : 0 };
  });
}

/** Frames whose mask has any pixel are anomalous. */
async function byMasks(
  readMasks: NonNullable<Clip['readMasks']>,
  frames: number,
  [, height, width]: ImageShape,
  { classes }: FrameLabels,
): Promise<Uint8Array> {
  const out = new Uint8Array(frames);
  for (let t = 0; t < frames; t++) {
    const mask = await readMasks(t, t + 1);
    if (mask.subarray(0, height * width).includes(1)) out[t] = classes.length - 1;
  }
  return out;
}

/** Decodes every frame once: a window of each block of frames. */
async function decodeAll(
  source: Source,
  { onEvent, signal }: { onEvent: Listener; signal?: AbortSignal },
): Promise<void> {
  const total = source.items.length;
  const out = new Float32Array(source.shape.reduce((n, d) => n * d, 1));
  for (const { first, steps } of source.series!.spans) {
    for (let from = 0; from < steps; from += FRAMES_AT_A_TIME) {
      if (signal?.aborted) throw new Cancelled();
      await source.read([first + from], out);
      const done = first + Math.min(steps, from + FRAMES_AT_A_TIME);
      onEvent({ type: 'progress', task: 'decode', done, total, unit: 'frame' });
    }
  }
}

/** `16 clips of 3200 frames of 240x360; 16 train, 12 test; 1,200 frames of the latter are labelled anomalous.` */
function explain(path: string, facts: readonly ClipFacts[], clips: readonly Clip[], shape: ImageShape): string {
  const frames = facts.reduce((n, one) => n + one.frames, 0);
  const train = clips.reduce((n, one) => n + one.train, 0);
  const anomalous = clips.reduce((n, { labels }) => n + Array.from(labels ?? []).filter((y) => y > 0).length, 0);
  const size = `${facts[0].height}x${facts[0].width}`;
  const read = `${shape[1]}x${shape[2]}`;
  return (
    `${path}: ${clips.length} ${clips.length === 1 ? 'clip' : 'clips'} of ${frames} frames of ${size}` +
    `${read === size ? '' : `, read at ${read}`}; ${train} frames are for training, ${anomalous} are labelled anomalous.`
  );
}
