/** The leaves of a graph: inputs that are fed when it runs, and constants. */

import { InternalError } from '../core/errors.ts';
import type { Shape } from '../core/shape.ts';
import { concrete } from '../core/shape.ts';
import { type DType, float32, type Tensor } from '../core/tensor.ts';
import { apply1, defineOp } from './op.ts';
import type { Value } from './value.ts';

export const inputOp = defineOp<{ name: string; shape: Shape; dtype: DType }>({
  name: 'input',
  shape: (_, { shape, dtype }) => [{ shape, dtype }],
  gradient: null,
  lowerings: {},
  reference: (_, { name }) => {
    throw new InternalError(`the input ${name} was not fed.`);
  },
});

export const constantOp = defineOp<{ value: Tensor }>({
  name: 'constant',
  shape: (_, { value }) => [{ shape: value.shape, dtype: value.dtype }],
  gradient: null,
  lowerings: { onnx: (emit, _, { attributes }) => [emit.constant(attributes.value)] },
  reference: (_, { value }) => [value.data],
});

/** A named input; a size may be a symbol. */
export function input(name: string, shape: Shape, dtype: DType = 'float32'): Value {
  return apply1(inputOp, [], { name, shape, dtype });
}

/** A constant tensor; a number makes a float32 scalar. */
export function constant(value: Tensor | number): Value {
  return apply1(constantOp, [], { value: typeof value === 'number' ? float32(value) : value });
}

/** A constant of one repeated value. */
export function full(shape: Shape, value: number): Value {
  const sizes = concrete(shape, 'full');
  return constant(float32(new Float32Array(sizes.reduce((n, d) => n * d, 1)).fill(value), sizes));
}

/** The number held by a scalar constant, else undefined. */
export function constantNumber(value: Value): number | undefined {
  if (value.node.op !== constantOp) return undefined;
  const { data } = (value.node.attributes as { value: Tensor }).value;
  return data.length === 1 ? Number(data[0]) : undefined;
}
