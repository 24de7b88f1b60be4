/** The reverse walk: gradients of a scalar, as graphs. It knows no operator by name. */
import { InternalError, ShapeError } from '../core/errors.ts';
import { show } from '../core/shape.ts';
import { constant } from './leaf.ts';
import { add } from './ops/elementwise.ts';
import { broadcastTo } from './ops/movement.ts';
import { type Node, topological, type Value } from './value.ts';

/**
 * Gradients of the scalar `loss` with respect to each of `wrt`, in the same shapes; zeros where the loss does not
 * depend on one. The results are ordinary values and can be differentiated again.
 */
export function gradients(loss: Value, wrt: readonly Value[]): Value[] {
  if (loss.shape.length !== 0) {
    throw new ShapeError(`A gradient is taken of a scalar, got the shape ${show(loss.shape)}. Reduce it first.`);
  }
  const order = topological([loss]);
  const targets = new Set(wrt);
  // Only nodes between the targets and the loss take part.
  const active = new Set<Node>();
  for (const node of order) {
    if (node.outputs.some((v) => targets.has(v)) || node.inputs.some((v) => active.has(v.node))) active.add(node);
  }
  const gradientOf = new Map<Value, Value>([[loss, constant(1)]]);
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i];
    const dy = node.outputs.map((v) => gradientOf.get(v));
    if (!active.has(node) || node.op.gradient === null || dy.every((g) => g === undefined)) continue;
    if (!node.inputs.some((v) => active.has(v.node))) continue;
    const dx = node.op.gradient({ inputs: node.inputs, outputs: node.outputs, attributes: node.attributes, dy });
    node.inputs.forEach((x, k) => {
      const g = dx[k];
      if (g === undefined || !active.has(x.node)) return;
      if (g.shape.length !== x.shape.length || g.shape.some((d, a) => d !== x.shape[a])) {
        throw new InternalError(
          `${node.op.name} gives a gradient of shape ${show(g.shape)} for input ${k} of shape ${show(x.shape)}.`,
        );
      }
      const sum = gradientOf.get(x);
      gradientOf.set(x, sum ? add(sum, g) : g);
    });
  }
  return wrt.map((v) => gradientOf.get(v) ?? broadcastTo(constant(0), v.shape));
}
