/**
 * A program is a graph that a runtime can compile: named outputs, outputs carried into the next run, and, for training,
 * a loop that runs the graph once per entry of a leading axis.
 */
import { InternalError } from '../core/errors.ts';
import { inputOp } from './leaf.ts';
import { topological, type Value } from './value.ts';

export interface Program {
  readonly name: string;
  readonly outputs: Readonly<Record<string, Value>>;
  /** Output name → input name: the output becomes that input in the next step and in the next run. */
  readonly carry: Readonly<Record<string, string>>;
  /**
   * With a loop, one run makes K steps: the named inputs get a leading axis of length K, one entry per step; carried
   * outputs pass from step to step; every other output gets a leading axis of length K.
   */
  readonly loop?: { readonly scanned: readonly string[] };
  /** Free text by key, written into the ONNX file. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The inputs of a graph in order of first use, by name; throws when two differ under one name. */
export function inputsOf(outputs: Iterable<Value>): Map<string, Value> {
  const found = new Map<string, Value>();
  for (const node of topological(outputs)) {
    if (node.op !== inputOp) continue;
    const name = node.attributes.name as string;
    const other = found.get(name);
    if (other && other !== node.outputs[0]) throw new InternalError(`two different inputs are named ${name}.`);
    found.set(name, node.outputs[0]);
  }
  return found;
}
