/**
 * Image files to pixels in a page. The browser decodes and nothing else: EXIF turns are applied, colour profiles are passed
 * over and transparent pixels are laid over white, as `data/files/decode-image.ts` does it in Node; sizes and channels are
 * changed by our own arithmetic. Pixels are equal to those of Node for files without losses; JPEG decoders differ by a step or two, and
 * of files with more than 8 bits browsers give the upper 8.
 */
import { DataError, RuntimeUnavailable } from '../core/errors.ts';
import { checkHeader, frameCount, MAX_PIXELS, type Pixels, tooLarge, withoutAlpha } from '../data/pure.ts';
import { type PageFile, readPageFile } from './bytes.ts';

/**
 * Decodes a file. Throws DataError `unreadable-file` for what cannot be fetched, those of `checkHeader`, and
 * `unreadable-image` for files that are damaged or that this browser does not decode (most decode no TIFF).
 */
export async function readImage(file: PageFile, maxPixels = MAX_PIXELS): Promise<Pixels> {
  const { name, bytes } = await readPageFile(file, 'The image');
  const header = checkHeader(bytes, name, maxPixels);
  const frames = frameCount(bytes, header.format);
  if (frames > 1) {
    throw new DataError(
      'several-pages',
      `${name} is an animation of ${frames} pictures, and an image is one of them. Save that one as a file.`,
    );
  }
  const options = { colorSpaceConversion: 'none', premultiplyAlpha: 'none', imageOrientation: 'from-image' } as const;
  const blob = new Blob([bytes as Uint8Array<ArrayBuffer>]);
  const bitmap = await createImageBitmap(blob, options).catch((error: Error) => {
    throw new DataError(
      'unreadable-image',
      `${name} must be a whole image file of a kind that this browser decodes, and it does not decode this ` +
        `${header.format} file (${error.message}).`,
    );
  });
  try {
    const { height, width } = bitmap;
    if (height * width > maxPixels) throw tooLarge(name, `${height}x${width} pixels`, maxPixels); // AVIF: not in the header
    return pixelsOf(rgbaOf(bitmap), height, width, header.channels === 1 ? 1 : 3);
  } finally {
    bitmap.close();
  }
}

/** Red, green, blue and alpha of each pixel. */
export function rgbaOf(bitmap: ImageBitmap): Uint8Array | Uint8ClampedArray {
  const { height, width } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (!context) throw new RuntimeUnavailable('no-canvas', 'This browser gives no canvas to read pixels from.');
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  for (let p = 3; p < data.length; p += 4) if (data[p] < 255) return straightRgbaOf(bitmap);
  return data;
}

/** The same without the canvas, which multiplies colours by alpha and so loses those of transparent pixels. */
function straightRgbaOf(bitmap: ImageBitmap): Uint8Array {
  const { height, width } = bitmap;
  const gl = new OffscreenCanvas(1, 1).getContext('webgl2');
  const most = gl ? gl.getParameter(gl.MAX_TEXTURE_SIZE) : 0;
  if (!gl || Math.max(height, width) > most) {
    throw new DataError(
      'transparent',
      `The image must have no transparent pixels where there is no WebGL for ${height}x${width}. Make it opaque, or pass pixels.`,
    );
  }
  gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, bitmap);
  gl.bindFramebuffer(gl.FRAMEBUFFER, gl.createFramebuffer());
  gl.framebufferTexture2D(
    gl.FRAMEBUFFER,
    gl.COLOR_ATTACHMENT0,
    gl.TEXTURE_2D,
    gl.getParameter(gl.TEXTURE_BINDING_2D),
    0,
  );
  const pixels = new Uint8Array(4 * height * width);
  gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
  gl.getExtension('WEBGL_lose_context')?.loseContext(); // a page may have few of them
  return pixels;
}

/** Laid over white; a grey file's three channels are equal, and one of them is taken. */
function pixelsOf(rgba: Uint8Array | Uint8ClampedArray, height: number, width: number, channels: 1 | 3): Pixels {
  const rgb = withoutAlpha(new Uint8Array(rgba.buffer, rgba.byteOffset, rgba.length), 4, 'white');
  if (channels === 3) return { data: rgb, height, width, channels };
  return { data: Uint8Array.from({ length: height * width }, (_, p) => rgb[3 * p]), height, width, channels };
}
