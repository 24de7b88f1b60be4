/** Images turned about their middle, in the graph. */
import { float32 } from '../../core/tensor.ts';
import { constant } from '../../graph/leaf.ts';
import * as g from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import { sidesOf } from './shapes.ts';

/** Row and column, in an image of `height` by `width`, of what a turn by `degrees` brings to each pixel. */
function sources(height: number, width: number, degrees: number): { rows: Float64Array; columns: Float64Array } {
  const [cos, sin] = [Math.cos, Math.sin].map((f) => f((degrees * Math.PI) / 180));
  const [rows, columns] = [new Float64Array(height * width), new Float64Array(height * width)];
  for (let i = 0; i < height * width; i++) {
    const y = Math.floor(i / width) - (height - 1) / 2;
    const x = (i % width) - (width - 1) / 2;
    const inside = (v: number, n: number) => Math.min(n - 1, Math.max(0, v + (n - 1) / 2));
    rows[i] = inside(cos * y - sin * x, height);
    columns[i] = inside(sin * y + cos * x, width);
  }
  return { rows, columns };
}

/**
 * Images `[N, C, H, W]` turned by `degrees` clockwise about their middle, sampled bilinearly; what comes from outside
 * is the nearest pixel of the border.
 */
export function turnedImage(x: Value, degrees: number): Value {
  if (degrees % 360 === 0) return x;
  const [height, width] = sidesOf(x);
  const { rows, columns } = sources(height, width, degrees);
  const flat = g.reshape(x, [x.shape[0], x.shape[1], height * width]);
  const corner = (down: 0 | 1, right: 0 | 1): Value => {
    const weights = new Float32Array(height * width);
    const places = Array.from(rows, (y, i) => {
      const [top, left] = [Math.floor(y + 1e-9), Math.floor(columns[i] + 1e-9)];
      const [dy, dx] = [Math.max(0, y - top), Math.max(0, columns[i] - left)];
      weights[i] = (down === 1 ? dy : 1 - dy) * (right === 1 ? dx : 1 - dx);
      return Math.min(height - 1, top + down) * width + Math.min(width - 1, left + right);
    });
    return g.mul(g.gather(flat, places, 2), constant(float32(weights)));
  };
  const sum = [corner(0, 0), corner(0, 1), corner(1, 0), corner(1, 1)].reduce((a, b) => g.add(a, b));
  return g.reshape(sum, x.shape);
}

/** The place of a grid from which a turn by `degrees` brings what each place then shows. */
export function turnedPlaces([height, width]: readonly [number, number], degrees: number): number[] {
  const { rows, columns } = sources(height, width, degrees);
  return Array.from(rows, (y, i) => Math.round(y) * width + Math.round(columns[i]));
}
