/**
 * What the backbone learns from: an endless supply of square colour images, each a function of the seed and its number.
 * Photographs that `data.csv` lists one by one with their hashes and licences (see weights/README.md), textures and parts
 * made by rule; cut out at random places and scales, turned, and varied in brightness, contrast, colour, sharpness and
 * noise. No image of a set that a bench judges is among them: test/distil-data.test.ts compares the hashes.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../../src/core/errors.ts';
import type { Rng } from '../../src/core/random.ts';
import {
  addNoise,
  adjust,
  decodeImage,
  flipHorizontal,
  type Pixels,
  plantDefect,
  proceduralTexture,
  resample,
  rotateRight,
  type Sample,
  sha256,
} from '../../src/data/index.ts';
import { drawPart } from './parts.ts';

/** Makes image `number`, `[3, side, side]` in [0, 1]. */
export type Supply = (number: number) => Float32Array;

/** A line of `data.csv`. */
export interface Listed {
  readonly sha256: string;
  /** A package of Debian 12, or `data` for what lies below the data root. */
  readonly package: string;
  /** Below the folder that the packages were unpacked in, or below the data root. */
  readonly file: string;
  readonly licence: string;
}

/** The photographs that are learnt from. */
export async function readList(): Promise<Listed[]> {
  const [, ...lines] = (await readFile(join('scripts', 'distil', 'data.csv'), 'utf8')).trim().split('\n');
  return lines.map((line) => {
    const [hash, name, file, licence] = line.split(',');
    return { sha256: hash, package: name, file, licence };
  });
}

/** Larger photographs are brought to this many pixels on the longer side. */
const MOST = 1600;

/** Reads the photographs. Throws DataError for one that is not there or is another file. */
async function photographs(root: string, folder: string): Promise<Pixels[]> {
  const found: Pixels[] = [];
  for (const listed of await readList()) {
    const path = join(listed.package === 'data' ? root : folder, listed.file);
    const bytes = await readFile(path).catch(() => undefined);
    if (!bytes || (await sha256(bytes)) !== listed.sha256)
      throw new DataError(
        'distil-data',
        `${path} must be the file that scripts/distil/data.csv lists with ${listed.sha256}, found ${bytes ? 'another one' : 'none'}. ` +
          `Unpack the package ${listed.package} of Debian 12 into the folder that --photos names.`,
      );
    const image = await decodeImage(bytes, path);
    const scale = MOST / Math.max(image.height, image.width);
    if (scale >= 1) found.push(image);
    else {
      const [height, width] = [image.height, image.width].map((n) => Math.round(n * scale));
      found.push({ height, width, channels: image.channels, data: rounded(resample(image, height, width)) });
    }
  }
  return found;
}

/** Bytes, of white = 255. */
const rounded = (values: Float32Array) => new Uint8Array(new Uint8ClampedArray(values).buffer);

/** Shares of photographs and of parts drawn by rule; the rest are textures. */
const PHOTOGRAPHS = 0.6;
const PARTS = 0.25;
/** Sides of the squares that are cut out of photographs, in pixels. */
const SIDES = [112, 640] as const;

/** Opens the data below a data root and in a folder of unpacked packages; then each stream gives a supply of its own. */
export async function openSupplies(root: string, folder: string, side: number): Promise<(rng: Rng) => Supply> {
  const images = await photographs(root, folder);
  return (rng) => (number) => {
    for (let attempt = 0; ; attempt++) {
      const stream = rng.split(number).split(attempt);
      const kind = stream.split('kind').uniform();
      const made =
        kind < PHOTOGRAPHS
          ? cutOut(images, side, stream.split('cut'))
          : kind < PHOTOGRAPHS + PARTS
            ? part(side, stream.split('part'))
            : texture(side, stream.split('texture'));
      const { image } = vary(made, stream.split('vary'));
      if (attempt === TRIES || deviation(image) > FLAT) return image;
    }
  };
}

/** An image whose values have a smaller standard deviation shows little; it is drawn again, so often at most. */
const FLAT = 0.03;
const TRIES = 3;

function deviation(values: Float32Array): number {
  let [sum, squares] = [0, 0];
  for (const v of values) {
    sum += v;
    squares += v * v;
  }
  return Math.sqrt(Math.max(0, squares / values.length - (sum / values.length) ** 2));
}

const between = (rng: Rng, low: number, high: number) => low + (high - low) * rng.uniform();
/** Uniform in the logarithm. */
const scaleBetween = (rng: Rng, low: number, high: number) => low * (high / low) ** rng.uniform();

/** A rectangle of one of the images, not quite square, brought to the size. */
function cutOut(images: readonly Pixels[], side: number, rng: Rng): Sample {
  const image = images[rng.int(images.length)];
  const most = Math.min(image.height, image.width, SIDES[1]);
  const size = scaleBetween(rng, Math.min(SIDES[0], most), most);
  const stretch = scaleBetween(rng, 0.75, 1.33);
  const height = Math.max(1, Math.min(image.height, Math.round(size * Math.min(1, stretch))));
  const width = Math.max(1, Math.min(image.width, Math.round(size / Math.max(1, stretch))));
  const [top, left] = [rng.int(image.height - height + 1), rng.int(image.width - width + 1)];
  const row = width * image.channels;
  const data = new Uint8Array(height * row);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * image.width + left) * image.channels;
    data.set(image.data.subarray(from, from + row), y * row);
  }
  return sampleOf(resample({ height, width, channels: image.channels, data }, side, side), image.channels, side);
}

/** Values side by side, of white = 255, as three planes. */
function sampleOf(values: Float32Array, channels: number, side: number): Sample {
  const area = side * side;
  const image = new Float32Array(3 * area);
  for (let c = 0; c < 3; c++)
    for (let p = 0; p < area; p++) image[c * area + p] = values[p * channels + (c % channels)] / 255;
  return { channels: 3, height: side, width: side, image };
}

/** In half of the cases with islands of other textures on it. */
function withIslands(sample: Sample, rng: Rng): Sample {
  const islands = rng.int(4);
  let out = sample;
  for (let i = 1; i < islands; i++) out = plantDefect(out, { share: 1 }, rng.split(i));
  return out;
}

/** A part that is drawn by rule. */
function part(side: number, rng: Rng): Sample {
  const image = drawPart(side, rng.split('drawn'));
  return withIslands({ channels: 3, height: side, width: side, image }, rng.split('islands'));
}

/** A texture of a random scale, in half of the cases with islands of others on it. */
function texture(side: number, rng: Rng): Sample {
  const size = Math.round(scaleBetween(rng, side / 2, side * 1.5));
  let sample: Sample = {
    channels: 3,
    height: size,
    width: size,
    image: proceduralTexture({ channels: 3, height: size, width: size }, rng.split('ground')),
  };
  sample = withIslands(sample, rng.split('islands'));
  if (size === side) return sample;
  const area = size * size;
  const bytes = new Uint8Array(3 * area);
  for (let c = 0; c < 3; c++) for (let p = 0; p < area; p++) bytes[p * 3 + c] = 255 * sample.image[c * area + p] + 0.5;
  return sampleOf(resample({ height: size, width: size, channels: 3, data: bytes }, side, side), 3, side);
}

function vary(sample: Sample, rng: Rng): Sample {
  let out = rotateRight(sample, rng.int(4));
  if (rng.int(2) === 1) out = flipHorizontal(out);
  const area = out.height * out.width;
  if (rng.uniform() < 0.3) {
    const { image } = out;
    const grey = new Float32Array(3 * area);
    for (let p = 0; p < area; p++) {
      const v = 0.299 * image[p] + 0.587 * image[area + p] + 0.114 * image[2 * area + p];
      grey[p] = v;
      grey[area + p] = v;
      grey[2 * area + p] = v;
    }
    out = { ...out, image: grey };
  } else if (rng.uniform() < 0.5) {
    const image = out.image.slice();
    for (let c = 0; c < 3; c++) {
      const gain = between(rng, 0.75, 1.25);
      for (let p = c * area; p < (c + 1) * area; p++) image[p] = Math.min(1, image[p] * gain);
    }
    out = { ...out, image };
  }
  if (rng.uniform() < 0.7)
    out = adjust(out, { brightness: between(rng, -0.2, 0.2), contrast: scaleBetween(rng, 0.4, 1.6) });
  if (rng.uniform() < 0.2) out = blurred(out, between(rng, 0.5, 1.5));
  if (rng.uniform() < 0.3) out = addNoise(out, between(rng, 0, 0.05), rng.split('noise'));
  return out;
}

/** Blurred by a Gaussian, one axis after the other, borders continued. */
function blurred(sample: Sample, sigma: number): Sample {
  const { channels, height, width } = sample;
  const reach = Math.ceil(2.5 * sigma);
  const raw = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * sigma ** 2)));
  const sum = raw.reduce((a, b) => a + b);
  const weights = raw.map((w) => w / sum);
  let from = sample.image;
  for (const [step, n] of [
    [1, width],
    [width, height],
  ]) {
    const to = new Float32Array(from.length);
    for (let p = 0; p < channels * height * width; p++) {
      const at = Math.floor(p / step) % n;
      let v = 0;
      for (let k = -reach; k <= reach; k++)
        v += weights[k + reach] * from[p + step * (Math.min(n - 1, Math.max(0, at + k)) - at)];
      to[p] = v;
    }
    from = to;
  }
  return { ...sample, image: from };
}
