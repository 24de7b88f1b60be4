/**
 * Gradient noise after Perlin (SIGGRAPH 1985, with the smoother fade of 2002): smooth random fields whose grain is set
 * by a lattice. Pure functions of their arguments and the stream.
 */
import type { Rng } from '../../core/random.ts';

export interface PerlinOptions {
  readonly height: number;
  readonly width: number;
  /** Lattice cells over the height and over the width, at least 1. */
  readonly cells: readonly [number, number];
  /** Turn of the field about its middle; default 0. */
  readonly degrees?: number;
}

/** t³ (6t² − 15t + 10): from 0 to 1 with first and second derivative 0 at both ends. */
const fade = (t: number) => t * t * t * (t * (6 * t - 15) + 10);

const modulo = (i: number, n: number) => ((i % n) + n) % n;

/**
 * A field `[H, W]`, mean about 0. Each lattice point has a unit gradient g; between them the products g · (p − corner)
 * are blended by `fade` and multiplied by √2, so that no value leaves [−1, 1]. Turned fields go on beyond the lattice
 * by starting it again.
 */
export function perlinNoise({ height, width, cells, degrees = 0 }: PerlinOptions, rng: Rng): Float32Array {
  const [rows, columns] = cells.map((n) => n + 1);
  const angles = Float64Array.from({ length: rows * columns }, () => 2 * Math.PI * rng.uniform());
  const [across, down] = [angles.map(Math.cos), angles.map(Math.sin)];
  const product = (row: number, column: number, dy: number, dx: number) => {
    const at = modulo(row, rows) * columns + modulo(column, columns);
    return down[at] * dy + across[at] * dx;
  };
  const turn = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  const out = new Float32Array(height * width);
  for (let y = 0, p = 0; y < height; y++) {
    for (let x = 0; x < width; x++, p++) {
      const [dy, dx] = [y + 0.5 - height / 2, x + 0.5 - width / 2];
      const v = ((sin * dx + cos * dy + height / 2) * cells[0]) / height;
      const u = ((cos * dx - sin * dy + width / 2) * cells[1]) / width;
      const [row, column] = [Math.floor(v), Math.floor(u)];
      const [b, a] = [v - row, u - column];
      const [wy, wx] = [fade(b), fade(a)];
      const upper = (1 - wx) * product(row, column, b, a) + wx * product(row, column + 1, b, a - 1);
      const lower = (1 - wx) * product(row + 1, column, b - 1, a) + wx * product(row + 1, column + 1, b - 1, a - 1);
      out[p] = Math.SQRT2 * ((1 - wy) * upper + wy * lower);
    }
  }
  return out;
}
