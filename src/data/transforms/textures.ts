/** Textures made by rule, where no folder of foreign images is at hand: material for synthetic defects. */
import type { Rng } from '../../core/random.ts';
import { perlinNoise } from './perlin.ts';

interface Size {
  readonly height: number;
  readonly width: number;
}

/** A field `[H, W]` of values about 0. */
type Field = (size: Size, rng: Rng) => Float32Array;

/** A whole number of lattice cells such that each is about `pixels` wide. */
const cellsOf = ({ height, width }: Size, pixels: number): readonly [number, number] => [
  Math.max(1, Math.round(height / pixels)),
  Math.max(1, Math.round(width / pixels)),
];

/** Octaves of gradient noise, each half as large and half as strong as the one before. */
const clouds: Field = (size, rng) => {
  const out = new Float32Array(size.height * size.width);
  const first = 8 + 24 * rng.uniform();
  for (let octave = 0; octave < 4; octave++) {
    const cells = cellsOf(size, Math.max(2, first / 2 ** octave));
    const field = perlinNoise({ ...size, cells }, rng.split(octave));
    for (let p = 0; p < out.length; p++) out[p] += field[p] / 2 ** octave;
  }
  return out;
};

/** A wave along a random direction, bent by noise. */
const stripes: Field = (size, rng) => {
  const bend = perlinNoise({ ...size, cells: cellsOf(size, 32) }, rng.split('bend'));
  const [angle, period, strength] = [Math.PI * rng.uniform(), 3 + 17 * rng.uniform(), 4 * rng.uniform()];
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return bend.map((b, p) => {
    const along = cos * (p % size.width) + sin * Math.floor(p / size.width);
    return Math.sin((2 * Math.PI * along) / period + strength * b);
  });
};

/** Cells about scattered points, one for each square of a lattice: the distance to the nearest (Worley 1996). */
const cells: Field = ({ height, width }, rng) => {
  const side = 6 + 18 * rng.uniform();
  const [rows, columns] = [Math.ceil(height / side) + 2, Math.ceil(width / side) + 2];
  const points = Array.from({ length: rows * columns }, (_, i) => ({
    y: (Math.floor(i / columns) - 1 + rng.uniform()) * side,
    x: ((i % columns) - 1 + rng.uniform()) * side,
  }));
  return Float32Array.from({ length: height * width }, (_, p) => {
    const [y, x] = [Math.floor(p / width), p % width];
    const [row, column] = [Math.floor(y / side) + 1, Math.floor(x / side) + 1];
    let nearest = Number.POSITIVE_INFINITY;
    for (let r = Math.max(0, row - 1); r <= Math.min(rows - 1, row + 1); r++)
      for (let c = Math.max(0, column - 1); c <= Math.min(columns - 1, column + 1); c++) {
        const point = points[r * columns + c];
        nearest = Math.min(nearest, (y - point.y) ** 2 + (x - point.x) ** 2);
      }
    return Math.sqrt(nearest) / side - 0.4;
  });
};

/** Noise without neighbours. */
const grains: Field = ({ height, width }, rng) => rng.normals(height * width);

/** One value all over: a stain, a hole, a glare. */
const plain: Field = ({ height, width }) => new Float32Array(height * width);

const fields: readonly Field[] = [clouds, stripes, cells, grains, plain];

/**
 * An image `[C, H, W]` in [0, 1]: clouds, stripes, cells, grains or one colour, of a random brightness, contrast and –
 * with three channels – tint. The same stream gives the same bytes.
 */
export function proceduralTexture(size: Size & { readonly channels: number }, rng: Rng): Float32Array {
  const { channels, height, width } = size;
  const field = fields[rng.int(fields.length)](size, rng.split('field'));
  const [mean, contrast] = [rng.uniform(), 0.05 + 0.35 * rng.uniform()];
  const out = new Float32Array(channels * height * width);
  for (let c = 0; c < channels; c++) {
    // Channels differ by at most a third of the range: foreign materials are rarely garish.
    const [level, gain] =
      channels === 1 ? [mean, contrast] : [mean + (rng.uniform() - 0.5) / 3, contrast * (0.5 + rng.uniform())];
    for (let p = 0; p < field.length; p++) {
      out[c * field.length + p] = Math.min(1, Math.max(0, level + gain * field[p]));
    }
  }
  return out;
}
