/**
 * What the backbone learns from: an endless supply of square colour images, each a function of the seed and its number.
 * Files whose licence allows it (see weights/README.md) and, for most of it, textures made by rule; cut out at random
 * places and scales, turned, and varied in brightness, contrast, colour, sharpness and noise.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Rng } from '../../src/core/random.ts';
import {
  addNoise,
  adjust,
  decodeImage,
  findDataset,
  flipHorizontal,
  type Pixels,
  plantDefect,
  proceduralTexture,
  resample,
  rotateRight,
  type Sample,
} from '../../src/data/index.ts';

/** Where images come from, how often, and the sides of the squares that are cut out of them, in pixels. */
interface Kind {
  readonly share: number;
  readonly images: readonly Pixels[];
  readonly sides: readonly [number, number];
}

/** Makes image `number`, `[3, side, side]` in [0, 1]. */
export type Supply = (number: number) => Float32Array;

async function decoded(folder: string, isWanted: (name: string) => boolean = () => true): Promise<Pixels[]> {
  const names = (await readdir(folder)).filter((name) => /\.(jpg|bmp|png)$/.test(name) && isWanted(name)).sort();
  return Promise.all(names.map(async (name) => decodeImage(await readFile(join(folder, name)), name)));
}

/** The first training images of Fashion-MNIST. */
async function clothes(root: string, count: number): Promise<Pixels[]> {
  const source = await findDataset('fashion-mnist').load({ root, download: false });
  const values = new Float32Array(count * 784);
  await source.read(
    Array.from({ length: count }, (_, i) => i),
    values,
  );
  return Array.from({ length: count }, (_, i) => ({
    height: 28,
    width: 28,
    channels: 1 as const,
    data: Uint8Array.from(values.subarray(i * 784, (i + 1) * 784), (v) => Math.round(255 * v)),
  }));
}

/** Opens the data below a data root. */
export async function openSupply(root: string, side: number, rng: Rng): Promise<Supply> {
  const kinds: readonly Kind[] = [
    { share: 0.35, images: await decoded(join(root, 'photos')), sides: [64, 400] },
    {
      share: 0.1,
      images: await decoded(join(root, 'cloud', 'noncloud'), (name) => /^(green_area|water)__/.test(name)),
      sides: [32, 64],
    },
    {
      share: 0.12,
      images: await decoded(join(root, 'industrial', 'deeppcb_20085', 'train', 'good')),
      sides: [64, 320],
    },
    { share: 0.06, images: await clothes(root, 6000), sides: [20, 28] },
  ];
  return (number) => {
    for (let attempt = 0; ; attempt++) {
      const stream = rng.split(number).split(attempt);
      let left = stream.split('kind').uniform();
      const kind = kinds.find(({ share }) => {
        left -= share;
        return left < 0;
      });
      const made = kind ? cutOut(kind, side, stream.split('cut')) : texture(side, stream.split('texture'));
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
function cutOut({ images, sides }: Kind, side: number, rng: Rng): Sample {
  const image = images[rng.int(images.length)];
  const most = Math.min(image.height, image.width, sides[1]);
  const size = scaleBetween(rng, Math.min(sides[0], most), most);
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

/** A texture of a random scale, in half of the cases with islands of others on it. */
function texture(side: number, rng: Rng): Sample {
  const size = Math.round(scaleBetween(rng, side / 2, side * 1.5));
  let sample: Sample = {
    channels: 3,
    height: size,
    width: size,
    image: proceduralTexture({ channels: 3, height: size, width: size }, rng.split('ground')),
  };
  const islands = rng.int(4);
  for (let i = 1; i < islands; i++) sample = plantDefect(sample, { share: 1 }, rng.split('island').split(i));
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
