/**
 * The weights of an ONNX graph in fewer bytes; the graph computes in float32 as before. fp16: values rounded to half precision, and a
 * `Cast` back. int8: weights of convolutions and matrix products as whole numbers from −127 to 127 with a scale for each output
 * channel (symmetric, the largest value of a channel is 127), and `DequantizeLinear` back; the others as fp16. Operators of opset 13,
 * which every ONNX Runtime has. Left out: activations in fewer bits, which CPUs are not faster with, and weights inside loops.
 */
import { float32, type Tensor } from '../../core/tensor.ts';
import { LARGEST_HALF } from './half.ts';
import type { OnnxGraph, OnnxInitializer, OnnxModel, OnnxNode } from './messages.ts';

/** How weights are stored in an exported file. */
export const precisions = ['fp16', 'int8'] as const;
export type Precision = (typeof precisions)[number];

/** Tensors with fewer values than this stay as they are: they weigh nothing, and may be thresholds or epsilons. */
const LEAST_VALUES = 256;
/** Values of a channel, at least: a scale beside fewer of them saves little. */
const LEAST_PER_CHANNEL = 8;
/** Nodes between a weight and what it is a weight of. */
const FOLLOWED = 3;
/** Whole numbers above this are not all halves. */
const EXACT_HALF = 2048;

/** The model with its weights stored so. The given one is not changed. */
export function storeWeights(model: OnnxModel, precision: Precision): OnnxModel {
  const { graph } = model;
  const uses = usesOf(graph);
  const initializers: OnnxInitializer[] = [];
  const before: OnnxNode[] = [];
  for (const initializer of graph.initializers) {
    const { name, tensor, storedAs } = initializer;
    const isLarge = tensor.dtype === 'float32' && storedAs === undefined && tensor.data.length >= LEAST_VALUES;
    const axis = isLarge && precision === 'int8' ? channelAxis(tensor, name, uses) : undefined;
    if (axis !== undefined) {
      const { values, scales } = quantized(tensor, axis);
      initializers.push({ name: `${name}/int8`, tensor: values, storedAs: 'int8' });
      initializers.push({ name: `${name}/scale`, tensor: scales });
      before.push({
        ...{ op: 'DequantizeLinear', name: `${name}/wide`, inputs: [`${name}/int8`, `${name}/scale`], outputs: [name] },
        attributes: { axis: { i: axis } },
      });
    } else if (isLarge && isHalf(tensor.data as Float32Array)) {
      initializers.push({ name: `${name}/fp16`, tensor, storedAs: 'float16' });
      before.push({
        ...{ op: 'Cast', name: `${name}/wide`, inputs: [`${name}/fp16`], outputs: [name] },
        attributes: { to: { i: FLOAT } },
      });
    } else initializers.push(initializer);
  }
  return { ...model, graph: { ...graph, nodes: [...before, ...graph.nodes], initializers } };
}

/** float32 among the element types of ONNX. */
const FLOAT = 1;

/** Which nodes read a value, and as which of their inputs. */
type Uses = Map<string, { readonly node: OnnxNode; readonly input: number }[]>;

function usesOf({ nodes }: OnnxGraph): Uses {
  const uses: Uses = new Map();
  for (const node of nodes) {
    for (const [input, name] of node.inputs.entries()) uses.set(name, [...(uses.get(name) ?? []), { node, input }]);
  }
  return uses;
}

/**
 * The axis of the output channels of a tensor that is the weight of a convolution or of a matrix product, perhaps scaled or transposed
 * before, and nothing else. Undefined where its readers do not agree, and for banks of features, which are looked up as well and whose
 * distances need more digits.
 */
function channelAxis({ shape, data }: Tensor, name: string, uses: Uses): number | undefined {
  const axes = new Set(axesOf(name, shape.length, uses, FOLLOWED));
  const [axis] = axes;
  return axes.size === 1 && axis !== undefined && data.length / shape[axis] >= LEAST_PER_CHANNEL ? axis : undefined;
}

/** The axis by each reader; undefined for those to which it is no weight. */
function axesOf(name: string, rank: number, uses: Uses, depth: number): (number | undefined)[] {
  return (uses.get(name) ?? []).flatMap(({ node, input }) => {
    const [own] = axisIn(node, input, rank);
    if (own !== undefined || depth === 0) return [own];
    if (node.op === 'Mul' && input === 0) return axesOf(node.outputs[0], rank, uses, depth - 1);
    const perm = node.attributes.perm;
    if (node.op !== 'Transpose' || perm === undefined || !('ints' in perm)) return [undefined];
    return axesOf(node.outputs[0], rank, uses, depth - 1).map((axis) => (axis === undefined ? axis : perm.ints[axis]));
  });
}

function axisIn({ op, attributes }: OnnxNode, input: number, rank: number): number[] {
  const flag = (name: string) => {
    const value = attributes[name];
    return value !== undefined && 'i' in value && value.i !== 0;
  };
  if (op === 'Conv' && input === 1) return [0];
  // Of grouped ones the outputs of all groups lie on one axis, and share a scale.
  if (op === 'ConvTranspose' && input === 1) return [1];
  if (op === 'MatMul' && rank === 2) return [input === 1 ? 1 : 0];
  if (op === 'Gemm' && input === 1) return [flag('transB') ? 0 : 1];
  if (op === 'Gemm' && input === 0) return [flag('transA') ? 1 : 0];
  return [];
}

function quantized({ shape, data }: Tensor, axis: number): { values: Tensor; scales: Tensor } {
  const inner = shape.slice(axis + 1).reduce((n, d) => n * d, 1);
  const channels = shape[axis];
  const most = new Float32Array(channels);
  const given = data as Float32Array;
  const channelOf = (i: number) => Math.floor(i / inner) % channels;
  for (let i = 0; i < given.length; i++) most[channelOf(i)] = Math.max(most[channelOf(i)], Math.abs(given[i]));
  const scales = most.map((m) => (m === 0 ? 1 : m / 127));
  const whole = Int32Array.from(given, (v, i) => Math.max(-127, Math.min(127, Math.round(v / scales[channelOf(i)]))));
  return { values: { dtype: 'int32', shape, data: whole }, scales: float32(scales) };
}

/** Whether half precision can hold the values: finite, not too large, and no large whole numbers, which may be indices. */
function isHalf(values: Float32Array): boolean {
  return values.every((v) => Math.abs(v) <= LARGEST_HALF && !(Math.abs(v) > EXACT_HALF && Number.isInteger(v)));
}
