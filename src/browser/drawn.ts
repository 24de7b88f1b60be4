/** Canvases, video frames and other pictures of a page as pixels. */
import { DataError } from '../core/errors.ts';
import type { ImageInput, RawImage } from '../kinds/index.ts';
import { rgbaOf } from './read-image.ts';

/** An image as a page has it: what `scoreImage` takes everywhere, and a canvas, a frame of a video, an `<img>` or a bitmap. */
export type PageImage = ImageInput | CanvasImageSource;

const drawnNames = [
  'HTMLCanvasElement',
  'OffscreenCanvas',
  'ImageBitmap',
  'VideoFrame',
  'HTMLVideoElement',
  'HTMLImageElement',
  'SVGImageElement',
] as const;

/** Whether an image is one that a canvas can draw. Not all of these classes are there in a worker. */
export function isDrawn(image: unknown): image is CanvasImageSource {
  return drawnNames.some((name) => {
    const one = (globalThis as Record<string, unknown>)[name];
    return typeof one === 'function' && image instanceof one;
  });
}

/** The picture as it is now, which may be sent to a worker. Throws DataError `not-drawn` for one without pixels. */
export async function bitmapOf(image: CanvasImageSource): Promise<ImageBitmap> {
  const options = { colorSpaceConversion: 'none', premultiplyAlpha: 'none' } as const;
  return createImageBitmap(image, options).catch((error: Error) => {
    throw new DataError(
      'not-drawn',
      `The picture must have pixels, and has none (${error.message}). Wait until it is loaded, or the video plays.`,
    );
  });
}

/** Red, green, blue and alpha of a picture. Throws as `bitmapOf`. */
export async function pixelsOfDrawn(image: CanvasImageSource): Promise<RawImage> {
  const bitmap = await bitmapOf(image);
  try {
    return { data: rgbaOf(bitmap), width: bitmap.width, height: bitmap.height };
  } finally {
    bitmap.close();
  }
}

/** An image as the engine takes it. */
export async function asInput(image: PageImage): Promise<ImageInput> {
  return isDrawn(image) ? pixelsOfDrawn(image) : image;
}
