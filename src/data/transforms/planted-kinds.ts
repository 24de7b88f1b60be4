/**
 * Made-up defects of several kinds, for choosing a detector where no real ones are known: foreign matter, cracks, stains,
 * misplaced and missing pieces, parts that are turned, smears. Each is small – a thousandth to a few hundredths of the image –
 * and can be seen. A function of the image and the stream alone. For the defects that models train on see `defects.ts`. Left
 * out: deformations, and what only a whole image shows (a wrong colour or size of all of it).
 */
import type { Rng } from '../../core/random.ts';
import { checkSample, type Sample } from './sample.ts';
import { proceduralTexture } from './textures.ts';

/** Changes `image` in place about a place that it draws. */
type Plant = (sample: Sample, image: Float32Array, rng: Rng) => void;

/** What changes a pixel by less, of white = 1, is not part of the defect. */
const VISIBLE = 0.02;
/** A defect must change its pixels by so much on average: what hides completely says nothing of a detector. */
const LEAST_MEAN = 0.05;
/** Least share of the pixels of an image that a defect has. */
const LEAST_AREA = 2e-4;
/** Places that are tried until a defect can be seen. */
const TRIES = 8;

/** From `low` to `high`, evenly on a logarithmic scale. */
const between = (low: number, high: number, rng: Rng) => low * (high / low) ** rng.uniform();
const clamp = (v: number) => Math.min(1, Math.max(0, v));
const sign = (rng: Rng) => (rng.int(2) === 0 ? -1 : 1);

/** A spot with a wavy border: `[top, left]` of its box, and for each pixel of the box how far out it is, 1 at the border. */
interface Spot {
  readonly top: number;
  readonly left: number;
  readonly rows: number;
  readonly columns: number;
  readonly centre: readonly [y: number, x: number];
  /** Mean radius in pixels. */
  readonly radius: number;
  /** `[rows, columns]`. */
  readonly out: Float32Array;
}

/** A spot of `low` to `high` of the area, somewhere on the image. */
function spotOn({ height, width }: Sample, [low, high]: readonly [number, number], rng: Rng): Spot {
  const radius = Math.max(1.5, Math.sqrt((between(low, high, rng) * height * width) / Math.PI));
  const [stretch, angle] = [Math.sqrt(between(1, 3, rng)), Math.PI * rng.uniform()];
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const waves = [2, 3, 5].map((k) => ({
    k,
    strength: (0.35 * rng.uniform()) / Math.sqrt(k),
    phase: 7 * rng.uniform(),
  }));
  const reach = radius * stretch * 1.6;
  const place = (side: number) => {
    const margin = Math.min(reach, 0.45 * side);
    return margin + (side - 2 * margin) * rng.uniform();
  };
  const [y0, x0] = [place(height), place(width)];
  const [top, left] = [Math.max(0, Math.floor(y0 - reach)), Math.max(0, Math.floor(x0 - reach))];
  const rows = Math.min(height, Math.ceil(y0 + reach)) - top;
  const columns = Math.min(width, Math.ceil(x0 + reach)) - left;
  const out = Float32Array.from({ length: rows * columns }, (_, p) => {
    const [dy, dx] = [top + Math.floor(p / columns) + 0.5 - y0, left + (p % columns) + 0.5 - x0];
    const [along, across] = [(dx * cos + dy * sin) / stretch, (dy * cos - dx * sin) * stretch];
    const theta = Math.atan2(across, along);
    const wave = waves.reduce((sum, { k, strength, phase }) => sum + strength * Math.sin(k * theta + phase), 1);
    return Math.hypot(along, across) / (radius * wave);
  });
  return { top, left, rows, columns, centre: [y0, x0], radius, out };
}

/** How much of the filling shows at a pixel: all inside, none outside, a soft border of a pixel and a half. */
const cover = ({ out, radius }: Spot, p: number) => clamp((1 - out[p]) * (radius / 1.5) + 0.5);

/** Replaces a spot by `value(channel, y, x)`. */
function fillSpot(
  { channels, height, width }: Sample,
  image: Float32Array,
  spot: Spot,
  value: (c: number, y: number, x: number, p: number) => number,
  share = 1,
): void {
  const { top, left, rows, columns } = spot;
  for (let p = 0; p < rows * columns; p++) {
    const weight = share * cover(spot, p);
    if (weight === 0) continue;
    const [y, x] = [top + Math.floor(p / columns), left + (p % columns)];
    for (let c = 0; c < channels; c++) {
      const at = (c * height + y) * width + x;
      image[at] = clamp((1 - weight) * image[at] + weight * value(c, y, x, p));
    }
  }
}

/** The value between pixels, the border repeated. */
function valueAt({ height, width, image }: Sample, c: number, y: number, x: number): number {
  const [fy, fx] = [Math.min(height - 1, Math.max(0, y)), Math.min(width - 1, Math.max(0, x))];
  const [y0, x0] = [Math.floor(fy), Math.floor(fx)];
  const [y1, x1] = [Math.min(height - 1, y0 + 1), Math.min(width - 1, x0 + 1)];
  const at = (row: number, column: number) => image[(c * height + row) * width + column];
  const [b, a] = [fy - y0, fx - x0];
  return (1 - b) * ((1 - a) * at(y0, x0) + a * at(y0, x1)) + b * ((1 - a) * at(y1, x0) + a * at(y1, x1));
}

/** A spot of foreign matter, of which the image may shine through. */
const foreign: Plant = (sample, image, rng) => {
  const spot = spotOn(sample, [0.001, 0.02], rng);
  const { rows, columns } = spot;
  const texture = proceduralTexture({ channels: sample.channels, height: rows, width: columns }, rng.split('texture'));
  fillSpot(sample, image, spot, (c, _y, _x, p) => texture[c * rows * columns + p], 1 - 0.6 * rng.uniform());
};

/** A thin line, dark or bright: bent and forked as cracks are, or nearly straight as scratches are. */
const crack: Plant = ({ channels, height, width }, image, rng) => {
  const side = Math.min(height, width);
  const thickness = Math.max(1, side * between(0.004, 0.014, rng));
  const length = side * between(0.12, 0.6, rng);
  const [wander, strength] = [rng.int(2) === 0 ? 0.04 : 0.35, sign(rng) * between(0.15, 0.5, rng)];
  const depth = new Float32Array(height * width);
  const draw = (y: number, x: number, direction: number, left: number, wide: number): void => {
    for (let done = 0; done < left; done++) {
      const half = (wide / 2) * (0.6 + 0.4 * Math.sin((Math.PI * (done + 0.5)) / left));
      const reach = Math.ceil(half + 1);
      for (let v = Math.floor(y) - reach; v <= Math.floor(y) + reach; v++)
        for (let u = Math.floor(x) - reach; u <= Math.floor(x) + reach; u++) {
          if (v < 0 || u < 0 || v >= height || u >= width) continue;
          const inside = clamp(half + 0.5 - Math.hypot(v - y, u - x));
          if (inside > depth[v * width + u]) depth[v * width + u] = inside;
        }
      direction += wander * rng.normals(1)[0];
      [y, x] = [y + Math.sin(direction), x + Math.cos(direction)];
      if (wander > 0.1 && done > left / 4 && rng.uniform() < 1.2 / left)
        draw(y, x, direction + sign(rng) * (0.5 + 0.5 * rng.uniform()), (left - done) / 2, wide * 0.7);
    }
  };
  const direction = 2 * Math.PI * rng.uniform();
  const [y, x] = [height * (0.15 + 0.7 * rng.uniform()), width * (0.15 + 0.7 * rng.uniform())];
  draw(y - (length / 2) * Math.sin(direction), x - (length / 2) * Math.cos(direction), direction, length, thickness);
  for (let i = 0; i < channels * height * width; i++)
    image[i] = clamp(image[i] + strength * depth[i % (height * width)]);
};

/** A smooth change of lightness, with three channels tinted. */
const stain: Plant = (sample, image, rng) => {
  const spot = spotOn(sample, [0.005, 0.06], rng);
  const strength = sign(rng) * between(0.1, 0.35, rng);
  const tint = Array.from({ length: sample.channels }, () => 0.6 + 0.4 * rng.uniform());
  const { height, width } = sample;
  const { top, left, columns, out } = spot;
  for (const [p, far] of out.entries()) {
    if (far >= 1) continue;
    const [y, x] = [top + Math.floor(p / columns), left + (p % columns)];
    for (let c = 0; c < sample.channels; c++) {
      const at = (c * height + y) * width + x;
      image[at] = clamp(image[at] + strength * tint[c] * (1 - far ** 2));
    }
  }
};

/** Another place of the image, where it does not belong. */
const misplaced: Plant = (sample, image, rng) => {
  const spot = spotOn(sample, [0.002, 0.03], rng);
  const { height, width, image: own } = sample;
  const shift = (side: number) => Math.round(side * (0.15 + 0.7 * rng.uniform()));
  const [down, right, mirrored] = [shift(height), shift(width), rng.int(2) === 1];
  const { centre } = spot;
  fillSpot(sample, image, spot, (c, y, x) => {
    const row = (y + down) % height;
    const column = ((mirrored ? Math.round(2 * centre[1]) - x : x) + right + width) % width;
    return own[(c * height + row) * width + column];
  });
};

/** A piece that is not there: the mean of what lies about it. */
const missing: Plant = (sample, image, rng) => {
  const spot = spotOn(sample, [0.002, 0.03], rng);
  const { top, left, columns, out } = spot;
  const around = Array.from({ length: sample.channels }, (_, c) => {
    let [sum, count] = [0, 0];
    for (const [p, far] of out.entries()) {
      if (far < 1.05 || far > 1.5) continue;
      sum += image[(c * sample.height + top + Math.floor(p / columns)) * sample.width + left + (p % columns)];
      count++;
    }
    return sum / Math.max(1, count);
  });
  fillSpot(sample, image, spot, (c) => around[c]);
};

/** A part that is turned about its middle. */
const turned: Plant = (sample, image, rng) => {
  const spot = spotOn(sample, [0.004, 0.04], rng);
  const degrees = sign(rng) * (25 + 155 * rng.uniform());
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const [y0, x0] = spot.centre;
  fillSpot(sample, image, spot, (c, y, x) => {
    const [dy, dx] = [y + 0.5 - y0, x + 0.5 - x0];
    return valueAt(sample, c, y0 + cos * dy - sin * dx - 0.5, x0 + sin * dy + cos * dx - 0.5);
  });
};

/** A spot whose details are wiped out. */
const smear: Plant = (sample, image, rng) => {
  const spot = spotOn(sample, [0.004, 0.04], rng);
  const side = Math.min(sample.height, sample.width);
  const reach = Math.max(2, side * between(0.01, 0.03, rng));
  const angle = 2 * Math.PI * rng.uniform();
  // Along one direction twice as far as across it.
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const steps = [-1, -0.5, 0, 0.5, 1];
  fillSpot(sample, image, spot, (c, y, x) => {
    let sum = 0;
    for (const a of steps)
      for (const b of steps)
        sum += valueAt(sample, c, y + reach * (a * sin + 0.5 * b * cos), x + reach * (a * cos - 0.5 * b * sin));
    return sum / steps.length ** 2;
  });
};

/** Kinds of made-up defects, by name. */
export const plantedKinds = { foreign, crack, stain, misplaced, missing, turned, smear } satisfies Record<
  string,
  Plant
>;
export type PlantedKind = keyof typeof plantedKinds;

/** What the kinds are, in words. */
export const plantedWords: Readonly<Record<PlantedKind, string>> = {
  foreign: 'spots of foreign matter',
  crack: 'cracks and scratches',
  stain: 'stains',
  misplaced: 'misplaced pieces',
  missing: 'missing pieces',
  turned: 'turned parts',
  smear: 'smears',
};

/**
 * The image with a defect of a kind, and its mask; undefined where none can be seen anywhere on it, as a part that is turned on a
 * plain surface. A defect changes its pixels by .05 of white or more on average; the mask is 1 where it changes one by .02.
 * @throws ShapeError.
 * @example plantKind('crack', sample, rng.split(i))
 */
export function plantKind(
  kind: PlantedKind,
  sample: Sample,
  rng: Rng,
): (Sample & { readonly mask: Uint8Array }) | undefined {
  checkSample(sample);
  const { channels, height, width } = sample;
  const area = height * width;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const image = sample.image.slice();
    plantedKinds[kind](sample, image, rng.split(kind).split(attempt));
    const mask = new Uint8Array(area);
    let [sum, count] = [0, 0];
    for (let p = 0; p < area; p++) {
      let most = 0;
      for (let c = 0; c < channels; c++)
        most = Math.max(most, Math.abs(image[c * area + p] - sample.image[c * area + p]));
      if (most < VISIBLE) continue;
      mask[p] = 1;
      sum += most;
      count++;
    }
    if (count >= LEAST_AREA * area && sum >= LEAST_MEAN * count) return { ...sample, image, mask };
  }
  return undefined;
}
