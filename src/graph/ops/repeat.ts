/**
 * A body that runs a fixed number of times inside a graph (an ONNX `Loop`), for searches that are part of scoring. What
 * does not change from turn to turn is computed once, outside. Gradients do not flow through it.
 */
import { ShapeError } from '../../core/errors.ts';
import { sameShape } from '../../core/shape.ts';
import { evaluate } from '../evaluate.ts';
import { constantOp, input } from '../leaf.ts';
import { apply, defineOp } from '../op.ts';
import { substitute } from '../substitute.ts';
import { describe, topological, type Value } from '../value.ts';

interface Repeat {
  count: number;
  /** Inputs of the body: the state, then what it reads from outside. */
  parameters: readonly Value[];
  /** The state after one turn. */
  next: readonly Value[];
}

const repeatOp = defineOp<Repeat>({
  name: 'repeat',
  shape: (inputs, { next, parameters }) => {
    next.forEach((v, i) => {
      for (const other of [inputs[i], parameters[i]]) {
        if (!sameShape(v.shape, other.shape) || v.dtype !== other.dtype) {
          throw new ShapeError(`the state must keep its type in every iteration, but ${describe(v)} does not.`);
        }
      }
    });
    return next.map(({ shape, dtype }) => ({ shape, dtype }));
  },
  gradient: null,
  lowerings: {
    loop: (emit, inputs, { attributes: { count, parameters, next } }) =>
      emit.loop(count, new Map(parameters.map((v, i) => [v, inputs[i]])), next),
  },
  reference: (inputs, { count, parameters, next }) => {
    const precision = inputs[0].dtype === 'float64' ? 'float64' : 'float32';
    let values = [...inputs];
    for (let turn = 0; turn < count; turn++) {
      const feeds = Object.fromEntries(parameters.map((v, i) => [v.node.attributes.name as string, values[i]]));
      values = [...evaluate([...next], feeds, precision), ...inputs.slice(next.length)];
    }
    return values.slice(0, next.length).map((t) => t.data);
  },
});

/**
 * `count` turns of `body`, which makes the next state from the last one; returns the state after them. The body may
 * read any value from outside. Throws ShapeError where a part of the state changes its shape.
 * @example const [z] = repeat(500, [start], ([z]) => [sub(z, mul(gradient(z), 0.01))]);
 */
export function repeat(count: number, initial: readonly Value[], body: (state: Value[]) => Value[]): Value[] {
  const state = initial.map((v, i) => input(`repeat/state${i}`, v.shape, v.dtype));
  const after = body(state);
  const changing = new Set(state.map((v) => v.node));
  const outside = new Map<Value, Value>();
  for (const node of topological(after)) {
    if (!node.inputs.some((v) => changing.has(v.node))) continue;
    changing.add(node);
  }
  const enter = (v: Value) => {
    if (changing.has(v.node) || outside.has(v) || v.node.op === constantOp) return;
    outside.set(v, input(`repeat/outer${outside.size}`, v.shape, v.dtype));
  };
  for (const node of topological(after)) if (changing.has(node)) node.inputs.forEach(enter);
  after.forEach(enter);
  const next = substitute(after, outside);
  const parameters = [...state, ...outside.values()];
  return apply(repeatOp, [...initial, ...outside.keys()], { count, parameters, next });
}
