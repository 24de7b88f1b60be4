/**
 * Simplex noise in three dimensions, and sums of it at several wavelengths (octaves), as the noise of AnoDDPM. A plane
 * of the field is made at once: every lattice point near the plane adds its bump to the pixels that it reaches.
 */
import type { Rng } from './random.ts';

/** Radius² of a lattice point's bump: the distance of neighbours is √2. */
const REACH = 2;
/** Makes the largest values about 1. */
const NORM = 103;
/** The 24 directions: all permutations and signs of (11, 4, 4), which point at the faces between a point's neighbours. */
const gradients: readonly (readonly [number, number, number])[] = [
  [11, 4, 4],
  [4, 11, 4],
  [4, 4, 11],
].flatMap(([x, y, z]) =>
  Array.from({ length: 8 }, (_, signs): [number, number, number] => [
    signs & 1 ? -x : x,
    signs & 2 ? -y : y,
    signs & 4 ? -z : z,
  ]),
);

/** Bits that look random, of what came before and one more number; murmur3's step and finaliser. */
function mix(h: number, n: number): number {
  let k = Math.imul(n, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  let m = h ^ k;
  m = Math.imul(m ^ (m >>> 16), 0x85ebca6b);
  m = Math.imul(m ^ (m >>> 13), 0xc2b2ae35);
  return m ^ (m >>> 16);
}

/**
 * Adds `amplitude · S(x / wavelength, y / wavelength, z)` to the pixels of `field`, `[height, width]`, with
 * S(p) = Σ_L max(0, 2 − |p − L|²)⁴ · g_L · (p − L) / 103 over the points L = (i, j, k) + (i + j + k) / 3 of the
 * face-centred cubic lattice (whole i, j, k), each with one of 24 directions g_L by the seed: OpenSimplex noise as a sum.
 */
export function addSimplexNoise(
  field: Float32Array,
  options: {
    readonly height: number;
    readonly width: number;
    /** Pixels from one lattice point to the next along an axis, about; larger is coarser. */
    readonly wavelength: number;
    readonly amplitude: number;
    /** Where the plane lies along the third axis, in wavelengths. */
    readonly z: number;
    readonly seed: number;
  },
): void {
  const { height, width, wavelength, amplitude, z, seed } = options;
  const reach = Math.sqrt(REACH);
  const step = 1 / wavelength;
  const low = -reach;
  const [right, bottom] = [(width - 1) * step + reach, (height - 1) * step + reach];
  // k = z − (x + y + z) / 6 of the points within reach of the plane, i + j = 3 z − 4 k.
  const lastK = Math.floor(z + reach - (2 * low + z - reach) / 6);
  for (let k = Math.ceil(z - reach - (right + bottom + z + reach) / 6); k <= lastK; k++) {
    const ofK = mix(seed, k);
    const lastSum = Math.floor(3 * (z + reach) - 4 * k);
    for (let sum = Math.ceil(3 * (z - reach) - 4 * k); sum <= lastSum; sum++) {
      const shift = (sum + k) / 3;
      const dz = z - k - shift;
      const inPlane = REACH - dz * dz; // radius² of the bump's disc in the plane
      if (inPlane <= 0) continue;
      const radius = Math.sqrt(inPlane);
      const ofSum = mix(ofK, sum);
      const lastI = Math.floor(Math.min(right - shift, sum + shift - low));
      for (let i = Math.ceil(Math.max(low - shift, sum + shift - bottom)); i <= lastI; i++) {
        const [x, y] = [i + shift, sum - i + shift];
        const [gx, gy, gz] = gradients[(mix(ofSum, i) >>> 0) % gradients.length];
        const lastRow = Math.min(height - 1, Math.floor((y + radius) * wavelength));
        for (let row = Math.max(0, Math.ceil((y - radius) * wavelength)); row <= lastRow; row++) {
          const dy = row * step - y;
          const inRow = inPlane - dy * dy;
          if (inRow <= 0) continue;
          const half = Math.sqrt(inRow);
          const lastColumn = Math.min(width - 1, Math.floor((x + half) * wavelength));
          const along = gy * dy + gz * dz;
          for (let column = Math.max(0, Math.ceil((x - half) * wavelength)); column <= lastColumn; column++) {
            const dx = column * step - x;
            const bump = inRow - dx * dx;
            const squared = bump * bump;
            field[row * width + column] += (amplitude / NORM) * squared * squared * (gx * dx + along);
          }
        }
      }
    }
  }
}

/** The octaves of a field. */
export interface Octaves {
  /** How many are summed, at least 1. */
  readonly octaves: number;
  /** Each octave's amplitude as a share of the one before, (0, 1]. */
  readonly persistence: number;
  /** Pixels of the first, coarsest octave; each next one has half of it. */
  readonly wavelength: number;
  /** Divide by the standard deviation that such sums have over all seeds; else as they come (AnoDDPM's code). */
  readonly normalized: boolean;
}

/** Standard deviation of one octave over all places and seeds: measured here over 10⁷ pixels, ± 0.001. */
const OCTAVE_STD = 0.313;

/** Standard deviation of a sum of octaves: they are independent, √(Σ p^2i) times that of one. */
export function simplexStd({ octaves, persistence }: Pick<Octaves, 'octaves' | 'persistence'>): number {
  let sum = 0;
  for (let i = 0; i < octaves; i++) sum += persistence ** (2 * i);
  return OCTAVE_STD * Math.sqrt(sum);
}

/**
 * A plane of n(x, y; t) = Σ_i pⁱ · S(x / f_i, y / f_i, t / f_i) with f_i = f₀ / 2ⁱ, for a whole depth t in [0, 1000):
 * one field `[height, width]`, a function of the stream alone. Every octave of a stream has the same lattice, as in
 * AnoDDPM's code; every stream another one.
 */
export function simplexField(height: number, width: number, options: Octaves, rng: Rng): Float32Array<ArrayBuffer> {
  const field = new Float32Array(height * width);
  const seed = rng.bits();
  const depth = rng.int(1000);
  const scale = options.normalized ? 1 / simplexStd(options) : 1;
  for (let i = 0; i < options.octaves; i++) {
    const wavelength = options.wavelength / 2 ** i;
    const amplitude = scale * options.persistence ** i;
    addSimplexNoise(field, { height, width, wavelength, amplitude, z: depth / wavelength, seed });
  }
  return field;
}
