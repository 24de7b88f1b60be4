/** An image with its mask, as the transforms take and give them: new arrays always, the given ones are never changed. */
import { ShapeError } from '../../core/errors.ts';

/** One image and, where there is one, its mask. */
export interface Sample {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** `[C, H, W]`, in [0, 1]. */
  readonly image: Float32Array;
  /** `[H, W]`, 1 = anomalous. */
  readonly mask?: Uint8Array;
}

/** Throws ShapeError when the arrays do not fit the sizes. */
export function checkSample({ channels, height, width, image, mask }: Sample): void {
  if (image.length === channels * height * width && (!mask || mask.length === height * width)) return;
  throw new ShapeError(
    `A sample of ${channels}x${height}x${width} needs ${channels * height * width} values and a mask of ` +
      `${height * width}, got ${image.length} and ${mask?.length ?? 'none'}.`,
  );
}

/** A sample of another size whose pixel p is the given one's pixel `from(p)`: for moves from pixel to pixel. */
export function rearranged(
  sample: Sample,
  height: number,
  width: number,
  from: (y: number, x: number) => number,
): Sample {
  checkSample(sample);
  const { channels } = sample;
  const [area, before] = [height * width, sample.height * sample.width];
  const image = new Float32Array(channels * area);
  const mask = sample.mask && new Uint8Array(area);
  for (let y = 0, p = 0; y < height; y++) {
    for (let x = 0; x < width; x++, p++) {
      const q = from(y, x);
      for (let c = 0; c < channels; c++) image[c * area + p] = sample.image[c * before + q];
      if (mask) mask[p] = sample.mask![q];
    }
  }
  return { channels, height, width, image, ...(mask && { mask }) };
}
