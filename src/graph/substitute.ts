/** Rebuilds a graph with some of its values replaced: the way to bind parameters, chain steps and inline graphs. */
import { apply } from './op.ts';
import { topological, type Value } from './value.ts';

/** `outputs` with every value of `replacements` replaced by its partner (of the same type). */
export function substitute(outputs: readonly Value[], replacements: ReadonlyMap<Value, Value>): Value[] {
  const rebuilt = new Map<Value, Value>(replacements);
  const of = (v: Value) => rebuilt.get(v) ?? v;
  for (const node of topological(outputs)) {
    if (node.outputs.every((v) => rebuilt.has(v)) || !node.inputs.some((v) => rebuilt.has(v))) continue;
    const fresh = apply(node.op, node.inputs.map(of), node.attributes);
    node.outputs.forEach((v, i) => {
      if (!rebuilt.has(v)) rebuilt.set(v, fresh[i]);
    });
  }
  return outputs.map(of);
}
