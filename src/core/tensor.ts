/**
 * A tensor is a shape, an element type and a typed array; no arithmetic lives here.
 * Conventions of the whole project: images are NCHW, pixels are height before width, values in `[0, 1]` before a
 * model's own preprocessing, coordinates `x, y` in pixels from the top left.
 */
import { ShapeError } from './errors.ts';
import { concrete, type Shape, show, sizeOf } from './shape.ts';

/** Element types. Training is float32; float64 exists for the plain reference; bool is one byte an element. */
export type DType = 'float32' | 'float64' | 'int32' | 'int64' | 'uint8' | 'bool';

export type TypedArray = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;

/** Dense row-major values. `data.length` is the product of `shape`. */
export interface Tensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

/** Tensors by name. */
export type Tensors = Record<string, Tensor>;

/** Bytes of one element. */
export const bytesPerElement: Record<DType, number> = { float32: 4, float64: 8, int32: 4, int64: 8, uint8: 1, bool: 1 };

/** A zeroed array for `n` elements of a type. */
export function allocate(dtype: DType, n: number): TypedArray {
  switch (dtype) {
    case 'float32':
      return new Float32Array(n);
    case 'float64':
      return new Float64Array(n);
    case 'int32':
      return new Int32Array(n);
    case 'int64':
      return new BigInt64Array(n);
    case 'uint8':
    case 'bool':
      return new Uint8Array(n);
  }
}

/** Wraps values without copying; throws ShapeError when the length does not fit the shape. */
export function tensor(dtype: DType, shape: Shape, data: TypedArray): Tensor {
  const sizes = concrete(shape, 'A tensor');
  if (data.length !== sizeOf(sizes)) {
    throw new ShapeError(
      `A ${dtype} tensor of shape ${show(shape)} needs ${sizeOf(sizes)} values, got ${data.length}.`,
    );
  }
  return { dtype, shape: sizes, data };
}

/** A float32 tensor; a number makes a scalar, an array without a shape a vector. */
export function float32(data: number | ArrayLike<number>, shape?: Shape): Tensor {
  if (typeof data === 'number') return tensor('float32', shape ?? [], Float32Array.of(data));
  const values = data instanceof Float32Array ? data : Float32Array.from(data);
  return tensor('float32', shape ?? [values.length], values);
}

/** An int64 tensor (ONNX index type). */
export function int64(data: number | readonly number[], shape?: Shape): Tensor {
  if (typeof data === 'number') return tensor('int64', shape ?? [], BigInt64Array.of(BigInt(data)));
  return tensor('int64', shape ?? [data.length], BigInt64Array.from(data, BigInt));
}

/** A tensor of zeros. */
export function zeros(shape: Shape, dtype: DType = 'float32'): Tensor {
  return tensor(dtype, shape, allocate(dtype, sizeOf(shape)));
}

/** The one value of a scalar tensor as a number. */
export function scalarOf(t: Tensor): number {
  if (t.data.length !== 1) throw new ShapeError(`A scalar was expected, got shape ${show(t.shape)}.`);
  return Number(t.data[0]);
}
