/** Fits a detector in a page; the twin of `runs/fit.ts`. */
import { type FitDetectorOptions, fitDetector } from '../engine/fit.ts';
import type { FitInput } from '../engine/task/source-of.ts';
import type { AnyModel, ConfigOf, ModelName } from '../models/index.ts';
import { type PageDetector, withPictures } from './detector.ts';
import { asInput, isDrawn, type PageImage } from './drawn.ts';
import { type PagePlatformOptions, pagePlatform } from './platform.ts';

/** Options of `fit`; those of the model are typed by its name or value. */
export interface FitOptions<M extends ModelName | AnyModel = AnyModel>
  extends Omit<FitDetectorOptions, 'config' | 'device' | 'threads'>,
    PagePlatformOptions {
  /** Options of the model. */
  readonly config?: ConfigOf<M>;
}

/** Data that fitting takes in a page: what it takes everywhere, and pictures of a page as images. */
export type PageFitInput = FitInput | Iterable<PageImage> | AsyncIterable<PageImage>;

/**
 * Fits a model to normal items and gives a detector, with a threshold from those that it held out. `data` is a list or
 * stream of images (URL, Blob or File, bytes of a file, ImageData, canvas, video frame, `{data, width, height}`), values with their shape
 * (`[N, C, H, W]` images in [0, 1], `[N, D]` rows), row objects, series, or a Source.
 * @throws ConfigError for names and options; DataError for data that cannot be learnt from; RuntimeUnavailable;
 * TrainingDiverged; Cancelled.
 * @example
 * const detector = await fit('pca', input.files);
 * const { score, decision } = await detector.scoreImage(context.getImageData(0, 0, width, height));
 */
export async function fit<const M extends ModelName | AnyModel>(
  model: M,
  data: PageFitInput,
  options: FitOptions<M> = {},
): Promise<PageDetector> {
  const { weights, wasmPaths, maxPixels, ...rest } = options;
  const value: AnyModel = typeof model === 'string' ? (await import('./by-name.ts')).findModel(model) : model;
  const platform = pagePlatform({ weights, wasmPaths, maxPixels });
  return withPictures(await fitDetector(value, readable(data), platform, rest));
}

/** Pictures of a page become pixels when they are read. A list that is no array, such as a FileList, holds images. */
function readable(data: PageFitInput): FitInput {
  const isList = Symbol.iterator in data || Symbol.asyncIterator in data;
  const isPlain = Array.isArray(data) ? !data.some(isDrawn) : !isList;
  return isPlain ? (data as FitInput) : pixelsOfEach(data as Iterable<PageImage> | AsyncIterable<PageImage>);
}

async function* pixelsOfEach(images: Iterable<PageImage> | AsyncIterable<PageImage>) {
  for await (const image of images) yield asInput(image);
}
