/**
 * Shapes as data. A dimension is a whole number, or a symbol for "any size" such as `N` (the batch of an exported
 * model), optionally times a factor (`N*4`). Only equality and products are known of symbols.
 */
import { ShapeError } from './errors.ts';

/** A size, or a symbol (`'N'`, `'N*4'`) that is bound when the graph runs. */
export type Dim = number | string;
/** Sizes of all axes, outermost first. */
export type Shape = readonly Dim[];

/** A shape with numbers only; throws when a symbol is left. */
export function concrete(shape: Shape, what = 'this operation'): number[] {
  return shape.map((d) => {
    if (typeof d !== 'number')
      throw new ShapeError(`${what} needs a fixed size, got the symbol ${d} in ${show(shape)}.`);
    return d;
  });
}

/** `[2,3,N]` for messages. */
export function show(shape: Shape): string {
  return `[${shape.join(',')}]`;
}

/** Number of elements of a shape without symbols. */
export function sizeOf(shape: Shape): number {
  return concrete(shape).reduce((n, d) => n * d, 1);
}

/** Splits a dimension into its factor and its symbol: `N*4` is `[4, 'N']`, `7` is `[7, '']`. */
export function factors(dim: Dim): [number, string] {
  if (typeof dim === 'number') return [dim, ''];
  const [symbol, k] = dim.split('*');
  return [k === undefined ? 1 : Number(k), symbol];
}

/** Product of dimensions; at most one symbol. */
export function product(dims: readonly Dim[]): Dim {
  let k = 1;
  let symbol = '';
  for (const d of dims) {
    const [f, s] = factors(d);
    k *= f;
    if (s && symbol) throw new ShapeError(`A product of two symbols is not supported: ${show(dims)}.`);
    symbol ||= s;
  }
  return symbol ? (k === 1 ? symbol : `${symbol}*${k}`) : k;
}

/** Exact quotient of two dimensions. */
export function quotient(a: Dim, b: Dim): Dim {
  const [ka, sa] = factors(a);
  const [kb, sb] = factors(b);
  if (kb === 0 || ka % kb !== 0 || (sb && sb !== sa)) throw new ShapeError(`Cannot divide the size ${a} by ${b}.`);
  const symbol = sb ? '' : sa;
  return product(symbol ? [ka / kb, symbol] : [ka / kb]);
}

/** True when two shapes are the same, symbols by name. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i]);
}

/** The shape that `a` and `b` broadcast to (NumPy's rule); throws ShapeError otherwise. */
export function broadcastShapes(a: Shape, b: Shape): Dim[] {
  const rank = Math.max(a.length, b.length);
  const out: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    const da = a[i - rank + a.length] ?? 1;
    const db = b[i - rank + b.length] ?? 1;
    if (da !== db && da !== 1 && db !== 1) throw new ShapeError(`Shapes ${show(a)} and ${show(b)} do not broadcast.`);
    out.push(da === 1 ? db : da);
  }
  return out;
}

/** Axes of `to` along which `from` is repeated when it is broadcast to `to` (indices into `to`). */
export function broadcastAxes(from: Shape, to: Shape): number[] {
  const axes: number[] = [];
  for (let i = 0; i < to.length; i++) {
    const d = from[i - to.length + from.length];
    if (d === undefined || (d === 1 && to[i] !== 1)) axes.push(i);
  }
  return axes;
}

/** Row-major strides in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i];
  }
  return strides;
}

/** Axis counted from the end when negative; throws when outside the rank. */
export function normalizeAxis(axis: number, rank: number): number {
  const a = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(a) || a < 0 || a >= rank)
    throw new ShapeError(`Axis ${axis} is outside a tensor of rank ${rank}.`);
  return a;
}

/** Sorted, unique, non-negative axes; all axes when undefined. */
export function normalizeAxes(axes: readonly number[] | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, i) => i);
  return [...new Set(axes.map((a) => normalizeAxis(a, rank)))].sort((a, b) => a - b);
}
