/** Runs a graph with the operators' plain reference code: slow, obvious, in float32 or float64. For tests. */
import { InternalError, ShapeError } from '../core/errors.ts';
import { type Dim, factors, show } from '../core/shape.ts';
import { type Tensor, type Tensors, type TypedArray, tensor } from '../core/tensor.ts';
import { inputOp } from './leaf.ts';
import { topological, type Value } from './value.ts';

/** Values of `outputs` for the inputs in `feeds` (by name). In float64 every float tensor is computed in doubles. */
export function evaluate(
  outputs: readonly Value[],
  feeds: Tensors,
  precision: 'float32' | 'float64' = 'float32',
): Tensor[] {
  const steps = evaluation(outputs, feeds, precision);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** The same in steps, a node each, for whoever must not block its thread. */
export function* evaluation(
  outputs: readonly Value[],
  feeds: Tensors,
  precision: 'float32' | 'float64' = 'float32',
): Generator<void, Tensor[]> {
  const widen = (t: Tensor): Tensor => {
    if (t.dtype !== 'float32' && t.dtype !== 'float64') return t;
    const data =
      precision === 'float64' ? Float64Array.from(t.data as Float32Array) : Float32Array.from(t.data as Float32Array);
    return { dtype: precision, shape: t.shape, data };
  };
  const nodes = topological(outputs);
  const results = new Map<Value, Tensor>();
  // Inputs first: a node may need a symbol's size before it reads any input.
  const symbols = new Map<string, number>();
  for (const node of nodes) {
    if (node.op !== inputOp) continue;
    const [value] = node.outputs;
    const name = node.attributes.name as string;
    const fed = feeds[name];
    if (!fed) throw new InternalError(`the input ${name} was not fed.`);
    if (fed.shape.length !== value.shape.length)
      throw new ShapeError(`${name} must be ${show(value.shape)}, got ${show(fed.shape)}.`);
    value.shape.forEach((d, i) => {
      const [k, symbol] = factors(d);
      if (symbol) symbols.set(symbol, symbols.get(symbol) ?? fed.shape[i] / k);
      if (k * (symbol ? symbols.get(symbol)! : 1) !== fed.shape[i]) {
        throw new ShapeError(`${name} must be ${show(value.shape)}, got ${show(fed.shape)}.`);
      }
    });
    results.set(value, widen(fed));
  }
  const sizeOf = (d: Dim): number => {
    const [k, symbol] = factors(d);
    if (!symbol) return k;
    const size = symbols.get(symbol);
    if (size === undefined) throw new InternalError(`no input carries the size ${symbol}.`);
    return k * size;
  };
  for (const node of nodes) {
    if (node.op === inputOp) continue;
    const bound = node.outputs.map(({ shape, dtype }) => ({
      dtype: dtype === 'float32' ? precision : dtype,
      shape: shape.map(sizeOf),
    }));
    const inputs = node.inputs.map((v) => results.get(v)!);
    const arrays: TypedArray[] = node.op.reference(inputs, node.attributes, bound);
    arrays.forEach((data, i) => {
      results.set(
        node.outputs[i],
        widen(tensor(inputs.length === 0 ? node.outputs[i].dtype : bound[i].dtype, bound[i].shape, data)),
      );
    });
    yield;
  }
  return outputs.map((v) => results.get(v)!);
}
