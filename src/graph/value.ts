/**
 * Symbolic tensors: a `Value` is one output of a `Node`, a node is one operator applied to values. Graphs are built by
 * calling operators; nothing is computed and nothing is mutated.
 */

import type { Dim, Shape } from '../core/shape.ts';
import { show } from '../core/shape.ts';
import type { DType } from '../core/tensor.ts';
import type { Op } from './op.ts';

/** Shape and element type of a value. */
export interface Type {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** A symbolic tensor: output `index` of `node`. */
export interface Value extends Type {
  readonly shape: readonly Dim[];
  readonly node: Node;
  readonly index: number;
}

/** One operator applied to values. Attributes are plain data, so that nodes can be compared and rebuilt. */
export interface Node {
  readonly id: number;
  // biome-ignore lint/suspicious/noExplicitAny: a node may hold any operator; each operator types its own attributes.
  readonly op: Op<any>;
  readonly inputs: readonly Value[];
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly outputs: readonly Value[];
}

/** `conv float32[N,16,14,14]`, for messages. */
export function describe(value: Value): string {
  return `${value.node.op.name} ${value.dtype}${show(value.shape)}`;
}

/** Every node that `outputs` depend on, producers before users. Iterative: graphs may be deep. */
export function topological(outputs: Iterable<Value>): Node[] {
  const order: Node[] = [];
  const state = new Map<Node, 'open' | 'done'>();
  const stack: Node[] = [...outputs].map((v) => v.node).reverse();
  while (stack.length > 0) {
    const node = stack[stack.length - 1];
    if (state.has(node)) {
      stack.pop();
      if (state.get(node) === 'open') {
        state.set(node, 'done');
        order.push(node);
      }
      continue;
    }
    state.set(node, 'open');
    for (let i = node.inputs.length - 1; i >= 0; i--) {
      const producer = node.inputs[i].node;
      if (!state.has(producer)) stack.push(producer);
    }
  }
  return order;
}
