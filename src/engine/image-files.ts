/**
 * Image files to the pixels that a model takes. The decoder, sharp, is an optional package that only this file loads;
 * it decodes and nothing else: channels and sizes are changed here, by the same arithmetic as inside graphs.
 */
import { DataError, RuntimeUnavailable } from '../core/errors.ts';
import { resizeMatrix } from '../graph/ops/resize.ts';
import type { ImageShape } from '../models/index.ts';

/** Decoded pixels, interleaved as red, green, blue bytes. */
interface Decoded {
  readonly height: number;
  readonly width: number;
  readonly data: Uint8Array;
}

type Decoder = (path: string) => Promise<Decoded>;

/** Loads the decoder; throws RuntimeUnavailable `sharp-missing`. */
export async function imageDecoder(): Promise<Decoder> {
  let sharp: typeof import('sharp').default;
  try {
    sharp = (await import('sharp')).default;
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    throw new RuntimeUnavailable(
      'sharp-missing',
      `Reading image files needs the package sharp, which did not load (${reason}). Install it with: npm install sharp`,
    );
  }
  return async (path) => {
    try {
      const picture = sharp(path, { failOn: 'error' }).toColourspace('srgb').removeAlpha().raw();
      const { data, info } = await picture.toBuffer({ resolveWithObject: true });
      if (info.channels === 3) return { height: info.height, width: info.width, data };
      const rgb = new Uint8Array(3 * info.height * info.width);
      for (let p = 0; p < info.height * info.width; p++) rgb.fill(data[p * info.channels], 3 * p, 3 * p + 3);
      return { height: info.height, width: info.width, data: rgb };
    } catch (error) {
      const [reason] = (error as Error).message.split('\n');
      throw new DataError('unreadable-image', `${path} must be an image file that can be decoded: ${reason}.`);
    }
  };
}

/** Pixels `[C, H, W]` in [0, 1] of a decoded image: grey by the weights of Rec. 601, size by antialiased resampling. */
export function fitImage({ height, width, data }: Decoded, [channels, toHeight, toWidth]: ImageShape): Float32Array {
  if (channels !== 1 && channels !== 3) {
    throw new DataError('image-channels', `Image files have 1 or 3 channels, this model needs ${channels}.`);
  }
  const area = height * width;
  const planes = new Float32Array(channels * area);
  for (let p = 0; p < area; p++) {
    const [r, g, b] = [data[3 * p], data[3 * p + 1], data[3 * p + 2]];
    if (channels === 3) {
      planes[p] = r / 255;
      planes[area + p] = g / 255;
      planes[2 * area + p] = b / 255;
    } else planes[p] = (r === g && g === b ? r : 0.299 * r + 0.587 * g + 0.114 * b) / 255;
  }
  if (height === toHeight && width === toWidth) return planes;
  const out = new Float32Array(channels * toHeight * toWidth);
  for (let c = 0; c < channels; c++) {
    const plane = planes.subarray(c * area, (c + 1) * area);
    const tall = resizeRows(plane, height, width, toHeight); // [H', W]
    const turned = transpose(tall, toHeight, width); // [W, H']
    const wide = resizeRows(turned, width, toHeight, toWidth); // [W', H']
    out.set(transpose(wide, toWidth, toHeight), c * toHeight * toWidth);
  }
  return out;
}

/** `[rows, columns]` to `[to, columns]`: the product with the resize matrix, whose zeros are passed over. */
function resizeRows(plane: Float32Array, rows: number, columns: number, to: number): Float32Array {
  if (rows === to) return plane;
  const matrix = resizeMatrix(rows, to, true).data as Float32Array;
  const out = new Float32Array(to * columns);
  for (let o = 0; o < to; o++) {
    for (let i = 0; i < rows; i++) {
      const weight = matrix[o * rows + i];
      if (weight === 0) continue;
      for (let x = 0; x < columns; x++) out[o * columns + x] += weight * plane[i * columns + x];
    }
  }
  return out;
}

function transpose(plane: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(plane.length);
  for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) out[x * rows + y] = plane[y * columns + x];
  return out;
}
