/** Moves of an image and its mask together. Moves from pixel to pixel are exact; others interpolate. */
import { ShapeError } from '../../core/errors.ts';
import { checkSample, rearranged, type Sample } from './sample.ts';

/** Left and right change places. */
export function flipHorizontal(sample: Sample): Sample {
  const { height, width } = sample;
  return rearranged(sample, height, width, (y, x) => y * width + (width - 1 - x));
}

/** Top and bottom change places. */
export function flipVertical(sample: Sample): Sample {
  const { height, width } = sample;
  return rearranged(sample, height, width, (y, x) => (height - 1 - y) * width + x);
}

/** Turns clockwise by `turns` right angles; an odd number swaps height and width. */
export function rotateRight(sample: Sample, turns: number): Sample {
  const { height, width } = sample;
  switch (((Math.trunc(turns) % 4) + 4) % 4) {
    case 1:
      return rearranged(sample, width, height, (y, x) => (height - 1 - x) * width + y);
    case 2:
      return rearranged(sample, height, width, (y, x) => (height - 1 - y) * width + (width - 1 - x));
    case 3:
      return rearranged(sample, width, height, (y, x) => x * width + (width - 1 - y));
    default:
      return rearranged(sample, height, width, (y, x) => y * width + x);
  }
}

/** The part of `height` x `width` whose first pixel is (x, y). Throws ShapeError when it reaches outside. */
export function crop(sample: Sample, { x, y, height, width }: Record<'x' | 'y' | 'height' | 'width', number>): Sample {
  const inside = (at: number, n: number, all: number) => Number.isInteger(at + n) && at >= 0 && n >= 1 && at + n <= all;
  if (!inside(x, width, sample.width) || !inside(y, height, sample.height)) {
    throw new ShapeError(
      `A crop of ${height}x${width} at x ${x}, y ${y} must lie inside the image of ${sample.height}x${sample.width}.`,
    );
  }
  return rearranged(sample, height, width, (row, column) => (y + row) * sample.width + x + column);
}

/** How `move` moves the content of an image. */
export interface Motion {
  /** Clockwise, in degrees; default 0. */
  readonly degrees?: number;
  /** To the right, in pixels; default 0. */
  readonly x?: number;
  /** Down, in pixels; default 0. */
  readonly y?: number;
  /** Above 1 enlarges; default 1. */
  readonly scale?: number;
}

/**
 * Scales and turns about the centre, then shifts; the size stays. Pixels come from q = c + R(−θ)(p − c − t) / s, where p
 * and q are centres of pixels: the image bilinearly, with its border continued outwards, the mask from the nearest
 * pixel, with nothing outside.
 */
export function move(sample: Sample, { degrees = 0, x: right = 0, y: down = 0, scale = 1 }: Motion): Sample {
  checkSample(sample);
  const { channels, height, width, image, mask } = sample;
  if (!(scale > 0)) throw new ShapeError(`The scale of a move must be above 0, got ${scale}.`);
  const area = height * width;
  const moved = new Float32Array(image.length);
  const movedMask = mask && new Uint8Array(area);
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle) / scale, Math.sin(angle) / scale];
  const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2];
  const within = (v: number, n: number) => Math.min(n - 1, Math.max(0, v));
  for (let y = 0, p = 0; y < height; y++) {
    for (let x = 0; x < width; x++, p++) {
      const [dx, dy] = [x - middleX - right, y - middleY - down];
      // The y axis points down, so that a clockwise turn is (cos, −sin; sin, cos) and this is its inverse.
      const fromX = middleX + cos * dx + sin * dy;
      const fromY = middleY - sin * dx + cos * dy;
      const [qx, qy] = [within(fromX, width), within(fromY, height)];
      const [left, top] = [Math.floor(qx), Math.floor(qy)];
      const [wx, wy] = [qx - left, qy - top];
      const a = top * width + left;
      const stepX = left + 1 < width ? 1 : 0;
      const b = top + 1 < height ? a + width : a;
      for (let c = 0; c < channels; c++) {
        const at = c * area;
        const upper = (1 - wx) * image[at + a] + wx * image[at + a + stepX];
        const lower = (1 - wx) * image[at + b] + wx * image[at + b + stepX];
        moved[at + p] = (1 - wy) * upper + wy * lower;
      }
      if (movedMask) {
        const [nearX, nearY] = [Math.round(fromX), Math.round(fromY)];
        const inside = nearX >= 0 && nearX < width && nearY >= 0 && nearY < height;
        movedMask[p] = inside ? mask[nearY * width + nearX] : 0;
      }
    }
  }
  return { channels, height, width, image: moved, ...(movedMask && { mask: movedMask }) };
}
