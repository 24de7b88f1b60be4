/** A node of an ONNX graph as `importOnnx` shows it to its operators, and how they read its attributes. */
import { DataError } from '../../core/errors.ts';
import type { Dim } from '../../core/shape.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { Value } from '../value.ts';
import type { OnnxAttribute, OnnxNode } from './messages.ts';

/** A node while it is built. */
export interface ImportContext {
  readonly node: OnnxNode;
  /** Version of the standard operator set. */
  readonly opset: number;
  /** Only this node reads its first input, and nobody taps it. */
  readonly isOnlyUse: boolean;
  /**
   * The declared batch of the graph's input and the batch that we feed, where the node's first input depends on it and
   * the declared one is a number.
   */
  readonly batch?: { readonly declared: number; readonly fed: Dim };
  /** An input that must be known when the graph is read; undefined where it is left out. */
  setting(index: number): Tensor | undefined;
  /** The error that says why this node cannot be read, and what to do. */
  unsupported(why: string): DataError;
}

export interface ImportedOp {
  /** How many inputs are values, at least and at most; the ones behind are settings: shapes, bounds, scales. */
  readonly operands: readonly [number, number];
  /** Values that may be left out come as undefined. */
  build(inputs: readonly Value[], context: ImportContext): Value;
  /** All outputs, of operators with several; the first is also what `build` gives. */
  parts?(inputs: readonly Value[], context: ImportContext): Value[];
}

export const corrupt = (what: string) =>
  new DataError('onnx-corrupt', `This ONNX graph is damaged: ${what}. Fetch or export it again.`);

/** An attribute of one kind; undefined where it is left out. */
export function attribute<K extends string>(node: OnnxNode, name: string, kind: K) {
  if (!Object.hasOwn(node.attributes, name)) return undefined;
  const value = node.attributes[name];
  if (!(kind in value)) throw corrupt(`the attribute ${name} of ${node.op} has the wrong type`);
  return (value as Extract<OnnxAttribute, Record<K, unknown>>)[kind];
}

export const int = (node: OnnxNode, name: string, fallback: number) => attribute(node, name, 'i') ?? fallback;
export const float = (node: OnnxNode, name: string, fallback: number) => attribute(node, name, 'f') ?? fallback;
export const text = (node: OnnxNode, name: string, fallback: string) => attribute(node, name, 's') ?? fallback;

/** An attribute of `count` whole numbers, each at least `least`. */
export function ints(node: OnnxNode, name: string, count: number, least: number, fallback: number): readonly number[] {
  const values = attribute(node, name, 'ints') ?? new Array<number>(count).fill(fallback);
  if (values.length !== count || values.some((v) => !Number.isSafeInteger(v) || v < least)) {
    throw corrupt(`${name} of ${node.op} must be ${count} whole numbers from ${least} on, found [${values}]`);
  }
  return values;
}

export const numbersOf = (t: Tensor): number[] => Array.from(t.data as ArrayLike<number | bigint>, Number);
