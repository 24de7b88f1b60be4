/**
 * The ONNX operators of transformers, as `import-ops.ts` has those of convolutional networks: norms over the last axes, parts
 * of tensors, and functions of each value. Shapes must be written in the file: exported for one size of image, or simplified
 * (onnxsim) after that. Shapes that a graph computes while it runs are not read.
 */
import { type Dim, normalizeAxis } from '../../core/shape.ts';
import * as g from '../ops/index.ts';
import type { Value } from '../value.ts';
import { attribute, corrupt, float, type ImportContext, type ImportedOp, int, numbersOf, text } from './import-node.ts';

const unary = (f: (x: Value) => Value): ImportedOp => ({ operands: [1, 1], build: ([x]) => f(x) });

/** Whole numbers that are an attribute in older operator sets and an input since. */
function listed({ node, setting }: ImportContext, index: number, name: string): number[] | undefined {
  const given = setting(index);
  return given ? numbersOf(given) : attribute(node, name, 'ints')?.slice();
}

const axesOf = (context: ImportContext, rank: number): number[] | undefined =>
  listed(context, 1, 'axes')?.map((axis) => normalizeAxis(axis, rank));

/** (x − mean) / √(variance + ε) · scale + bias, over the axes from `axis` on. */
const layerNormalization: ImportedOp = {
  operands: [2, 3],
  build: ([x, scale, bias], { node }) => {
    const first = normalizeAxis(int(node, 'axis', -1), x.shape.length);
    const axes = x.shape.map((_, i) => i).slice(first);
    const centred = g.sub(x, g.reduceMean(x, { axes, keep: true }));
    const variance = g.reduceMean(g.square(centred), { axes, keep: true });
    const y = g.mul(g.div(centred, g.sqrt(g.add(variance, float(node, 'epsilon', 1e-5)))), scale);
    return bias ? g.add(y, bias) : y;
  },
};

/** ½ x (1 + erf(x / √2)). */
const gelu: ImportedOp = {
  operands: [1, 1],
  build: ([x], { node, unsupported }) => {
    if (text(node, 'approximate', 'none') !== 'none') throw unsupported('it is the approximation by tanh');
    return g.mul(g.mul(x, 0.5), g.add(g.erf(g.mul(x, Math.SQRT1_2)), 1));
  },
};

const reduceMean: ImportedOp = {
  operands: [1, 1],
  build: ([x], context) => {
    const axes = axesOf(context, x.shape.length) ?? x.shape.map((_, i) => i);
    return g.reduceMean(x, { axes, keep: int(context.node, 'keepdims', 1) !== 0 });
  },
};

/** Starts and ends count from the end where negative, and are cut to the axis; steps of 1 only. */
const slice: ImportedOp = {
  operands: [1, 1],
  build: ([x], context) => {
    const starts = listed(context, 1, 'starts');
    const ends = listed(context, 2, 'ends');
    if (!starts || starts.length !== ends?.length) throw corrupt('a Slice has no starts and ends');
    const axes = listed(context, 3, 'axes') ?? starts.map((_, i) => i);
    const steps = context.setting(4);
    if (steps && numbersOf(steps).some((step) => step !== 1)) throw context.unsupported('it leaves places out');
    const ranges: Record<number, readonly [number, number]> = {};
    for (const [i, given] of axes.entries()) {
      const axis = normalizeAxis(given, x.shape.length);
      const size = x.shape[axis];
      const isWhole = starts[i] === 0 && ends[i] >= 2 ** 31 - 1;
      if (typeof size !== 'number') {
        if (!isWhole) throw context.unsupported('it takes a part of the batch');
        continue;
      }
      const inside = (at: number) => Math.min(size, Math.max(0, at < 0 ? at + size : at));
      if (inside(ends[i]) <= inside(starts[i])) throw context.unsupported('it leaves nothing');
      ranges[axis] = [inside(starts[i]), inside(ends[i])];
    }
    return Object.keys(ranges).length > 0 ? g.slice(x, ranges) : x;
  },
};

/** Places that the file names; a single number takes the axis away. */
const gather: ImportedOp = {
  operands: [1, 1],
  build: ([x], { node, setting, unsupported }) => {
    const given = setting(1);
    const axis = normalizeAxis(int(node, 'axis', 0), x.shape.length);
    const size = x.shape[axis];
    if (!given || typeof size !== 'number') throw unsupported('it takes a part of the batch');
    const places = numbersOf(given).map((at) => (at < 0 ? at + size : at));
    if (places.some((at) => !(at >= 0 && at < size))) throw corrupt(`a Gather takes the places [${places}] of ${size}`);
    if (given.shape.length === 0) return g.pick(x, axis, places[0]);
    if (given.shape.length > 1) throw unsupported('it gathers a grid of places');
    return g.gather(x, places, axis);
  },
};

const squeeze: ImportedOp = {
  operands: [1, 1],
  build: ([x], context) => {
    const axes = axesOf(context, x.shape.length) ?? x.shape.flatMap((d, i) => (d === 1 && i > 0 ? [i] : []));
    if (axes.some((axis) => x.shape[axis] !== 1)) throw corrupt('a Squeeze takes an axis away that is not 1');
    return g.reshape(
      x,
      x.shape.filter((_, i) => !axes.includes(i)),
    );
  },
};

const unsqueeze: ImportedOp = {
  operands: [1, 1],
  build: ([x], context) => {
    const given = listed(context, 1, 'axes');
    if (!given) throw corrupt('an Unsqueeze names no axes');
    const rank = x.shape.length + given.length;
    const axes = given.map((axis) => normalizeAxis(axis, rank)).sort((a, b) => a - b);
    return axes.reduce((y, axis) => g.unsqueeze(y, axis), x);
  },
};

/** Sizes of 1 repeated; a batch of one, as the file was exported, stays what it is. */
const expand: ImportedOp = {
  operands: [1, 1],
  build: ([x], { setting, unsupported }) => {
    const given = setting(1);
    if (!given) throw unsupported('it has no shape');
    const wanted: Dim[] = numbersOf(given);
    const missing = wanted.length - x.shape.length;
    const own = missing > 0 ? [...new Array<number>(missing).fill(1), ...x.shape] : x.shape;
    const shape = own.map((d, i) =>
      d === 1 && i >= own.length - wanted.length ? wanted[i - own.length + wanted.length] : d,
    );
    return g.broadcastTo(missing > 0 ? g.reshape(x, own) : x, shape);
  },
};

function splitParts([x]: readonly Value[], context: ImportContext): Value[] {
  const { node, unsupported } = context;
  const axis = normalizeAxis(int(node, 'axis', 0), x.shape.length);
  const size = x.shape[axis];
  if (typeof size !== 'number') throw unsupported('it takes the batch apart');
  const count = node.outputs.length;
  const each = Math.ceil(size / count);
  const sizes = listed(context, 1, 'split') ?? Array.from({ length: count }, (_, i) => Math.min(each, size - i * each));
  if (sizes.length !== count || sizes.reduce((a, b) => a + b, 0) !== size)
    throw corrupt(`a Split of ${size} has the parts [${sizes}]`);
  return g.split(x, sizes, axis);
}

const split: ImportedOp = {
  operands: [1, 1],
  build: (inputs, context) => splitParts(inputs, context)[0],
  parts: splitParts,
};

const pow: ImportedOp = { operands: [2, 2], build: ([a, b]) => g.pow(a, b) };

/** By ONNX name. */
export const transformerOps: readonly (readonly [string, ImportedOp])[] = [
  ['Cos', unary(g.cos)],
  ['Erf', unary(g.erf)],
  ['Exp', unary(g.exp)],
  ['Expand', expand],
  ['Gather', gather],
  ['Gelu', gelu],
  ['LayerNormalization', layerNormalization],
  ['Neg', unary(g.neg)],
  ['Pow', pow],
  ['ReduceMean', reduceMean],
  ['Sin', unary(g.sin)],
  ['Slice', slice],
  ['Split', split],
  ['Sqrt', unary(g.sqrt)],
  ['Squeeze', squeeze],
  ['Unsqueeze', unsqueeze],
];
