/**
 * What an operator is: one record with its shape rule, its gradient (built from operators, so that gradients have
 * gradients), its ONNX lowerings and plain reference code. `defineOp` puts it into the registry that the contract
 * tests walk.
 */
import { ShapeError } from '../core/errors.ts';
import type { Shape } from '../core/shape.ts';
import { sizeOf } from '../core/shape.ts';
import type { Tensor, TypedArray } from '../core/tensor.ts';
import { allocate } from '../core/tensor.ts';
import type { OnnxAttribute } from './onnx/messages.ts';
import type { Node, Type, Value } from './value.ts';

/** Where a graph will run. */
export interface Target {
  readonly device: string;
  /** Channels in a block of onnxruntime's blocked CPU kernels; 0 where there are none (see ops/conv/blocked.ts). */
  readonly blockSize: number;
}

/** Writes ONNX nodes for one operator; equal nodes are written once. */
export interface Emitter {
  readonly target: Target;
  /** Adds a node and returns the names of its outputs. */
  nodes(
    op: string,
    inputs: readonly string[],
    attributes?: Record<string, OnnxAttribute>,
    outputs?: number,
    domain?: string,
  ): string[];
  /** Adds a node with one output and returns its name. */
  node(op: string, inputs: readonly string[], attributes?: Record<string, OnnxAttribute>, domain?: string): string;
  constant(value: Tensor): string;
  /** Whether anything of the graph reads a value; outputs that nobody reads may be left out where ONNX allows it. */
  isUsed(value: Value): boolean;
  /** An int64 vector. */
  ints(values: readonly number[]): string;
  /** A float32 scalar. */
  scalar(value: number): string;
  /** A shape as an int64 vector; symbols are read from the graph's inputs when it runs. */
  shape(shape: Shape): string;
  /**
   * Adds a loop of `count` turns over a body. `parameters` are the body's inputs with the names of what they start with:
   * the first, as many as `next`, change from turn to turn, the others stay. Returns the names of the last state.
   */
  loop(count: number, parameters: ReadonlyMap<Value, string>, next: readonly Value[]): string[];
}

/** Writes one node as ONNX; gets the names of its inputs, returns the names of its outputs. */
export type Lowering<A> = (emit: Emitter, inputs: string[], node: Node & { attributes: A }) => string[];

export interface GradientContext<A> {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: A;
  /** Gradient of the loss with respect to each output; undefined where the loss does not depend on it. */
  readonly dy: readonly (Value | undefined)[];
}

export interface Op<A extends object = Record<string, unknown>> {
  readonly name: string;
  /** Output types from input types; throws ShapeError with a sentence when they do not fit. */
  shape(inputs: readonly Type[], attributes: A): Type[];
  /** Gradient per input (undefined: none flows); `null` says that the operator has no gradient. */
  readonly gradient: null | ((context: GradientContext<A>) => (Value | undefined)[]);
  /** ONNX forms by name. With more than one, `choose` decides from shapes and target. */
  readonly lowerings: Readonly<Record<string, Lowering<A>>>;
  choose?(node: Node & { attributes: A }, target: Target): string;
  /** Plain code over tensors: slow, obvious, in the float type of its inputs. `types` are the output types. */
  reference(
    inputs: readonly Tensor[],
    attributes: A,
    types: readonly { shape: readonly number[]; dtype: Tensor['dtype'] }[],
  ): TypedArray[];
}

const registry = new Map<string, Op>();
let nextId = 0;

/** Adds an operator to the registry and returns it; names are unique. */
export function defineOp<A extends object>(op: Op<A>): Op<A> {
  if (registry.has(op.name)) throw new Error(`internal: two operators are named ${op.name}.`);
  registry.set(op.name, op as unknown as Op);
  return op;
}

/** Every operator by name. */
export function operators(): ReadonlyMap<string, Op> {
  return registry;
}

/** Applies an operator: checks the types and returns its outputs. */
export function apply<A extends object>(op: Op<A>, inputs: readonly Value[], attributes: A): Value[] {
  let types: Type[];
  try {
    types = op.shape(inputs, attributes);
  } catch (error) {
    if (error instanceof ShapeError) throw new ShapeError(`${op.name}: ${error.message.replace(/^[\w]+: /, '')}`);
    throw error;
  }
  const outputs: Value[] = [];
  const node = { id: nextId++, op, inputs, attributes: attributes as Record<string, unknown>, outputs };
  types.forEach((type, index) => {
    outputs.push({ node, index, shape: type.shape, dtype: type.dtype });
  });
  return outputs;
}

/** Applies an operator that has one output. */
export function apply1<A extends object>(op: Op<A>, inputs: readonly Value[], attributes: A): Value {
  return apply(op, inputs, attributes)[0];
}

/** An output array for reference code. */
export function blank(type: { shape: readonly number[]; dtype: Tensor['dtype'] }): TypedArray {
  return allocate(type.dtype, sizeOf(type.shape));
}
