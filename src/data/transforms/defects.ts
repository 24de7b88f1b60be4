/**
 * Synthetic defects on normal images, after DRAEM (Zavrtanik et al., ICCV 2021, section 3.2, and VitjanZ/DRAEM): a mask
 * from thresholded Perlin noise, filled with a foreign texture or with another place of the same image. A function of
 * the image, the options and the stream alone. Left out: the ten image operations on foreign textures, three of which
 * the public code applies; here their brightness, contrast and direction vary.
 */
import { ConfigError } from '../../core/errors.ts';
import type { Rng } from '../../core/random.ts';
import { perlinNoise } from './perlin.ts';
import { checkSample, type Sample } from './sample.ts';
import { proceduralTexture } from './textures.ts';

export interface DefectOptions {
  /** Share of the images that get a defect, [0, 1]; default 0.5. */
  readonly share?: number;
  /** Where the filling comes from; `both` takes turns at random. Default `both`. */
  readonly filling?: 'texture' | 'self' | 'both';
  /** Foreign images `[C, H, W]` of the size of the images; textures made by rule unless given. */
  readonly textures?: readonly Float32Array[];
  /** Most that the image may shine through, [0, 1): β ~ U(0, this); default 0.8. */
  readonly blend?: number;
}

/** Noise above this is defect. */
const THRESHOLD = 0.5;
/** Lattice cells are 2⁰ to 2⁵ a side, but none below so many pixels. */
const LEAST_CELL = 4;
const MOST_CELLS = 5;
/** Masks that touch nothing are drawn again, so often at most. */
const TRIES = 8;
/** What changes a pixel by less, of white = 1, cannot be seen: it is left as it was. */
const VISIBLE = 0.02;

/** A mask `[H, W]`, 1 in islands of random size and stretch, turned by at most 90°; empty at times. */
export function perlinMask(size: { readonly height: number; readonly width: number }, rng: Rng): Uint8Array {
  const cellsOf = (side: number) => {
    const most = Math.max(0, Math.min(MOST_CELLS, Math.floor(Math.log2(side / LEAST_CELL))));
    return 2 ** rng.int(most + 1);
  };
  const cells = [cellsOf(size.height), cellsOf(size.width)] as const;
  const degrees = 180 * rng.uniform() - 90;
  const noise = perlinNoise({ ...size, cells, degrees }, rng.split('noise'));
  return Uint8Array.from(noise, (v) => (v > THRESHOLD ? 1 : 0));
}

/** Throws ConfigError `defects` for a value outside its range. */
export function checkDefects({ share = 0.5, blend = 0.8, textures }: DefectOptions): void {
  const bad = (what: string, must: string, got: unknown) =>
    new ConfigError('defects', `defects: ${what} must be ${must}, got ${got}.`);
  if (!(share >= 0 && share <= 1)) throw bad('share', 'from 0 to 1', share);
  if (!(blend >= 0 && blend < 1)) throw bad('blend', 'at least 0 and below 1', blend);
  if (textures?.length === 0) throw bad('textures', 'at least one image', 'none');
}

/**
 * The image with a made defect, and its mask: I' = (1 − M) I + M [(1 − β) A + β I], equation 2 of the paper with the
 * public code's β. The mask is 1 exactly where a pixel was changed, by 0.02 or more in some channel. `share` of the
 * images get one; the others come back as they were, with an empty mask, and so does the rare image on which nothing
 * shows.
 * @throws ConfigError `defects`; ShapeError.
 * @example plantDefect(sample, {}, rng.split(step).split(item))
 */
export function plantDefect(sample: Sample, options: DefectOptions, rng: Rng): Sample & { readonly mask: Uint8Array } {
  checkSample(sample);
  checkDefects(options);
  const { share = 0.5, blend = 0.8 } = options;
  const { channels, height, width } = sample;
  const area = height * width;
  const image = sample.image.slice();
  const mask = new Uint8Array(area);
  if (rng.split('share').uniform() >= share) return { ...sample, image, mask };
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const stream = rng.split(attempt);
    const islands = perlinMask(sample, stream.split('mask'));
    if (!islands.includes(1)) continue;
    const filling = fill(sample, options, stream.split('filling'));
    const beta = blend * stream.split('blend').uniform();
    let touched = false;
    for (let p = 0; p < area; p++) {
      if (islands[p] === 0) continue;
      let most = 0;
      for (let c = 0; c < channels; c++) {
        const at = c * area + p;
        most = Math.max(most, (1 - beta) * Math.abs(filling[at] - image[at]));
      }
      if (most < VISIBLE) continue;
      for (let c = 0; c < channels; c++)
        image[c * area + p] = (1 - beta) * filling[c * area + p] + beta * image[c * area + p];
      mask[p] = 1;
      touched = true;
    }
    if (touched) break;
  }
  return { ...sample, image, mask };
}

/** What lies inside of the mask, `[C, H, W]`. */
function fill(sample: Sample, { filling = 'both', textures }: DefectOptions, rng: Rng): Float32Array {
  if (filling === 'self' || (filling === 'both' && rng.int(2) === 1)) return elsewhere(sample, rng.split('self'));
  if (!textures) return proceduralTexture(sample, rng.split('texture'));
  const chosen = textures[rng.int(textures.length)];
  if (chosen.length === sample.image.length) return varied(chosen, rng.split('varied'));
  throw new ConfigError(
    'defects',
    `defects: textures must have the size of the images, ${sample.image.length} values, got ${chosen.length}.`,
  );
}

/** Another place of the image, rolled round and mirrored at random, a little brighter or darker. */
function elsewhere({ channels, height, width, image }: Sample, rng: Rng): Float32Array {
  const [down, right] = [rng.int(height), rng.int(width)];
  const [flipY, flipX] = [rng.int(2) === 1, rng.int(2) === 1];
  const out = new Float32Array(image.length);
  for (let y = 0; y < height; y++) {
    const row = ((flipY ? height - 1 - y : y) + down) % height;
    for (let x = 0; x < width; x++) {
      const column = ((flipX ? width - 1 - x : x) + right) % width;
      for (let c = 0; c < channels; c++) out[(c * height + y) * width + x] = image[(c * height + row) * width + column];
    }
  }
  return varied(out, rng.split('varied'));
}

/** Brightness ± 0.2 and contrast × 0.7 … 1.3 about the mean. */
function varied(image: Float32Array, rng: Rng): Float32Array {
  const mean = image.reduce((sum, v) => sum + v, 0) / Math.max(1, image.length);
  const [shift, contrast] = [0.4 * rng.uniform() - 0.2, 0.7 + 0.6 * rng.uniform()];
  return image.map((v) => Math.min(1, Math.max(0, (v - mean) * contrast + mean + shift)));
}
