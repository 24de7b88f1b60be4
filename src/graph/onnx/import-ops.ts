/**
 * The ONNX operators that `importOnnx` reads, one record each: how a node becomes our own operators. The meaning of a
 * node is that of inference, in the operator set of its file where versions differ (onnx/docs/Operators.md).
 */
import { concrete, type Dim, normalizeAxis, product } from '../../core/shape.ts';
import { float32, type Tensor } from '../../core/tensor.ts';
import { constant } from '../leaf.ts';
import * as g from '../ops/index.ts';
import type { Value } from '../value.ts';
import {
  attribute,
  corrupt,
  float,
  type ImportContext,
  type ImportedOp,
  int,
  ints,
  numbersOf,
  text,
} from './import-node.ts';
import { transformerOps } from './import-transformer.ts';
import type { OnnxNode } from './messages.ts';

/**
 * Numbers smaller than this become 0. Processors compute subnormal numbers (below 1.2e-38) in software, which made a
 * network with 46 of them ten times slower; the margin is for their products with small activations. A sum in float32
 * notices none of this.
 */
const TINY = 1e-30;

/**
 * A constant of the file as a network computes with it: float32, without tiny numbers; undefined for other types. A
 * number that stands alone is kept: it may be an epsilon that divisions need.
 */
export function floatTensor(stored: Tensor): Tensor | undefined {
  const { dtype, shape } = stored;
  if (dtype !== 'float32' && dtype !== 'float64') return undefined;
  const data = stored.data as Float32Array | Float64Array;
  const isTiny = (v: number) => v !== 0 && Math.abs(v) < TINY;
  const hasTiny = data.length > 1 && data.some(isTiny);
  // Large weights are not copied without need.
  if (dtype === 'float32' && !hasTiny) return stored;
  return float32(
    Float32Array.from(data, (v) => (hasTiny && isTiny(v) ? 0 : v)),
    shape,
  );
}

const unary = (f: (x: Value, node: OnnxNode) => Value): ImportedOp => ({
  operands: [1, 1],
  build: ([x], { node }) => f(x, node),
});

/** Operator sets before 7 broadcast only when asked, from an axis on. */
const binary = (f: (a: Value, b: Value) => Value): ImportedOp => ({
  operands: [2, 2],
  build: ([a, b], { node }) => {
    if (int(node, 'broadcast', 0) === 0 || b.shape.length === 0) return f(a, b);
    const axis = int(node, 'axis', a.shape.length - b.shape.length);
    const after = a.shape.length - normalizeAxis(axis, a.shape.length) - b.shape.length;
    return f(a, after > 0 ? g.reshape(b, [...b.shape, ...new Array<number>(after).fill(1)]) : b);
  },
});

/** Window, strides and zeros of a convolution or pooling, written out. */
interface Window {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
}

function windowOf(x: Value, kernel: readonly number[], { node, unsupported }: ImportContext): Window {
  const rank = x.shape.length - 2;
  if (rank < 1 || rank > 2) throw unsupported(`it works on ${rank} spatial axes, and only 1 or 2 are known here`);
  const stride = ints(node, 'strides', rank, 1, 1);
  const dilation = ints(node, 'dilations', rank, 1, 1);
  const mode = text(node, 'auto_pad', 'NOTSET');
  if (mode === 'NOTSET') {
    const pads = ints(node, 'pads', 2 * rank, 0, 0);
    return { kernel, stride, dilation, before: pads.slice(0, rank), after: pads.slice(rank) };
  }
  const none = new Array<number>(rank).fill(0);
  if (mode === 'VALID') return { kernel, stride, dilation, before: none, after: none };
  if (mode !== 'SAME_UPPER' && mode !== 'SAME_LOWER') throw corrupt(`${node.op} has the auto_pad "${mode}"`);
  // ⌈n / stride⌉ results; an odd zero goes to the end (upper) or to the front (lower).
  const total = concrete(x.shape.slice(2), 'SAME padding').map((n, i) => {
    const reach = dilation[i] * (kernel[i] - 1) + 1;
    return Math.max(0, (Math.ceil(n / stride[i]) - 1) * stride[i] + reach - n);
  });
  const [less, more] = [total.map((t) => Math.floor(t / 2)), total.map((t) => Math.ceil(t / 2))];
  const isUpper = mode === 'SAME_UPPER';
  return { kernel, stride, dilation, before: isUpper ? less : more, after: isUpper ? more : less };
}

const conv: ImportedOp = {
  operands: [2, 3],
  build: ([x, w, bias], context) => {
    if (w.shape.length !== x.shape.length) throw corrupt('the kernel of a Conv has another rank than its input');
    if (bias && (bias.shape.length !== 1 || bias.shape[0] !== w.shape[0]))
      throw corrupt('the bias of a Conv is no [K]');
    const { stride, dilation, before, after } = windowOf(x, concrete(w.shape.slice(2)), context);
    const groups = int(context.node, 'group', 1);
    return g.conv(x, w, { stride, dilation, groups, padding: [...before, ...after], bias });
  },
};

/** The window of a pooling; with ceil_mode, `after` is widened until the last window that begins inside fits. */
function poolingOf(x: Value, context: ImportContext): Window & { widened: readonly number[] } {
  const { node, unsupported } = context;
  const window = windowOf(x, ints(node, 'kernel_shape', x.shape.length - 2, 1, 0), context);
  const { kernel, stride, before, after } = window;
  if (window.dilation.some((d) => d !== 1)) throw unsupported('its window is dilated');
  if ([...before, ...after].some((p, i) => p >= kernel[i % kernel.length])) {
    throw corrupt(`the padding of a ${node.op} is as wide as its window`);
  }
  if (int(node, 'ceil_mode', 0) === 0) return { ...window, widened: after };
  const widened = concrete(x.shape.slice(2), 'Pooling').map((n, i) => {
    const spare = n + before[i] + after[i] - kernel[i];
    let last = Math.ceil(spare / stride[i]) * stride[i];
    if (last >= n + before[i]) last -= stride[i];
    return after[i] + Math.max(0, last - spare);
  });
  return { ...window, widened };
}

const maxPool: ImportedOp = {
  operands: [1, 1],
  build: ([x], context) => {
    const { kernel, stride, before, widened } = poolingOf(x, context);
    return g.maxPool(x, kernel, { stride, padding: [...before, ...widened] });
  },
};

/**
 * Ours divides by the whole window. ONNX divides by the places that count: those inside the image, or inside the image
 * and its padding; never those that ceil_mode adds. So each axis is corrected by window / counted places.
 */
const averagePool: ImportedOp = {
  operands: [1, 1],
  build: ([x], context) => {
    const { kernel, stride, before, after, widened } = poolingOf(x, context);
    const countsPadding = int(context.node, 'count_include_pad', 0) !== 0;
    let y = g.averagePool(x, kernel, { stride, padding: [...before, ...widened] });
    concrete(x.shape.slice(2)).forEach((n, i) => {
      const [first, end] = countsPadding ? [-before[i], n + after[i]] : [0, n];
      const ratios = Array.from({ length: y.shape[i + 2] as number }, (_, o) => {
        const start = o * stride[i] - before[i];
        return kernel[i] / (Math.min(start + kernel[i], end) - Math.max(start, first));
      });
      if (ratios.some((r) => r !== 1)) y = g.mul(y, g.along(ratios, i + 2, y.shape.length));
    });
    return y;
  },
};

/** Scale and shift per channel; they go into the convolution before, where that serves nobody else. */
const batchNormalization: ImportedOp = {
  operands: [5, 5],
  build: ([x, scale, shift, mean, variance], { node, isOnlyUse, unsupported }) => {
    if (int(node, 'training_mode', 0) !== 0) throw unsupported('it was exported in training mode');
    if (int(node, 'spatial', 1) === 0) throw unsupported('it has statistics for each pixel');
    const factor = g.div(scale, g.sqrt(g.add(variance, float(node, 'epsilon', 1e-5))));
    const offset = g.sub(shift, g.mul(mean, factor));
    if (isOnlyUse) return g.scaleChannels(x, factor, offset);
    const perChannel = (v: Value) => g.reshape(v, [-1, ...x.shape.slice(2).map(() => 1)]);
    return g.add(g.mul(x, perChannel(factor)), perChannel(offset));
  },
};

/** A shape that fixes a batch is meant for any: where the rest is one item, its leading size is the batch that we feed. */
const reshape: ImportedOp = {
  operands: [1, 1],
  build: ([x], { node, batch, setting, unsupported }) => {
    const given = setting(1);
    const sizes = given ? numbersOf(given) : attribute(node, 'shape', 'ints');
    if (!sizes) throw corrupt('a Reshape has no shape');
    if (sizes.some((d) => !Number.isSafeInteger(d) || d < -1)) throw corrupt(`a Reshape has the shape [${sizes}]`);
    if (int(node, 'allowzero', 0) !== 0 && sizes.includes(0)) throw unsupported('it asks for a tensor without values');
    if (sizes.some((d, i) => d === 0 && i >= x.shape.length)) throw corrupt(`a Reshape has the shape [${sizes}]`);
    const shape: Dim[] = sizes.map((d, i) => (d === 0 ? x.shape[i] : d));
    const rest = shape.slice(1);
    if (batch && shape[0] === batch.declared && x.shape[0] === batch.fed) {
      if (rest.includes(-1) || product(rest) === product(x.shape.slice(1))) shape[0] = batch.fed;
    }
    return g.reshape(x, shape);
  },
};

const flatten: ImportedOp = {
  operands: [1, 1],
  build: ([x], { node }) => {
    const axis = int(node, 'axis', 1);
    const at = axis === x.shape.length ? axis : normalizeAxis(axis, x.shape.length);
    return g.reshape(x, [product(x.shape.slice(0, at)), product(x.shape.slice(at))]);
  },
};

/** α · A · B + β · C */
const gemm: ImportedOp = {
  operands: [2, 3],
  build: ([a, b, c], { node }) => {
    const flags = { transposeA: int(node, 'transA', 0) !== 0, transposeB: int(node, 'transB', 0) !== 0 };
    const y = g.mul(g.matMul(a, b, flags), float(node, 'alpha', 1));
    return c ? g.add(y, g.mul(c, float(node, 'beta', 1))) : y;
  },
};

/** Before operator set 13 all axes from `axis` on were one. */
const softmax: ImportedOp = {
  operands: [1, 1],
  build: ([x], { node, opset }) => {
    if (opset >= 13) return g.softmax(x, int(node, 'axis', -1));
    const at = normalizeAxis(int(node, 'axis', 1), x.shape.length);
    const rows = g.reshape(x, [product(x.shape.slice(0, at)), product(x.shape.slice(at))]);
    return g.reshape(g.softmax(rows, 1), x.shape);
  },
};

/** Bounds are attributes before operator set 11, inputs since. */
const clip: ImportedOp = {
  operands: [1, 1],
  build: ([x], { node, setting }) => {
    const bound = (index: number, name: string, fallback: number) => {
      const given = setting(index);
      return given ? numbersOf(given)[0] : float(node, name, fallback);
    };
    return g.clip(x, bound(1, 'min', Number.NEGATIVE_INFINITY), bound(2, 'max', Number.POSITIVE_INFINITY));
  },
};

const concat: ImportedOp = {
  operands: [1, Number.POSITIVE_INFINITY],
  build(inputs, { node }) {
    const axis = int(node, 'axis', 1);
    // What a file repeats for the single item that it was exported with, such as a class token, is repeated for ours.
    const batch = inputs.find((x) => x.shape[0] !== 1)?.shape[0];
    const isOwn = (x: Value) => axis === 0 || batch === undefined || x.shape[0] !== 1;
    return g.concat(
      inputs.map((x) => (isOwn(x) ? x : g.broadcastTo(x, [batch!, ...x.shape.slice(1)]))),
      axis,
    );
  },
};

const sum: ImportedOp = {
  operands: [1, Number.POSITIVE_INFINITY],
  build: ([first, ...others]) => others.reduce(g.add, first),
};

const transpose: ImportedOp = {
  operands: [1, 1],
  build: ([x], { node }) => {
    const reversed = x.shape.map((_, i) => x.shape.length - 1 - i);
    const order = attribute(node, 'perm', 'ints') ?? reversed;
    if (order.some((a) => !reversed.includes(a))) throw corrupt(`a Transpose has the order [${order}]`);
    return g.transpose(x, order);
  },
};

/** Counts are attributes before operator set 11, inputs since. */
const pad: ImportedOp = {
  operands: [1, 1],
  build: ([x], { node, setting, unsupported }) => {
    const mode = text(node, 'mode', 'constant');
    if (mode !== 'constant') throw unsupported(`its mode is "${mode}", and only "constant" is known here`);
    if (setting(3)) throw unsupported('it names the axes that it pads');
    const rank = x.shape.length;
    const given = setting(1);
    const pads = given ? numbersOf(given) : (attribute(node, 'pads', 'ints') ?? attribute(node, 'paddings', 'ints'));
    if (pads?.length !== 2 * rank) throw corrupt(`a Pad of ${rank} axes needs ${2 * rank} counts`);
    if (pads.some((p) => p < 0)) throw unsupported('it cuts instead of padding');
    const value = setting(2);
    return g.padAll(x, pads.slice(0, rank), pads.slice(rank), value ? numbersOf(value)[0] : float(node, 'value', 0));
  },
};

/** Rules of `Resize` under which whole factors repeat pixels. */
const repeating = ['asymmetric floor', 'half_pixel round_prefer_floor', 'half_pixel round_prefer_ceil'];

/** Resize, and Upsample before it: repeated pixels by whole factors, or bilinear with half-pixel centres. */
const resize: ImportedOp = {
  operands: [1, 1],
  build: ([x], { node, setting, unsupported }) => {
    // Before operator set 11: X, scales (Upsample 7: an attribute), corners at 0 and rounding down.
    const isOld = node.op === 'Upsample' || node.inputs.length <= 2;
    const nearest = text(node, 'mode', 'nearest') === 'nearest';
    const centres = text(node, 'coordinate_transformation_mode', isOld ? 'asymmetric' : 'half_pixel');
    const rounding = text(node, 'nearest_mode', isOld ? 'floor' : 'round_prefer_floor');
    const rank = x.shape.length;
    const scales = setting(isOld ? 1 : 2);
    const sizes = isOld ? undefined : setting(3);
    const before = concrete(x.shape.slice(2), 'Resize');
    const asked = sizes ? numbersOf(sizes) : scales ? numbersOf(scales) : attribute(node, 'scales', 'floats');
    if (asked?.length !== rank || rank < 3) throw unsupported('it does not resize an image [N,C,...] by known factors');
    const after = sizes ? asked.slice(2) : before.map((n, i) => n * asked[i + 2]);
    const keeps = sizes ? asked[1] === x.shape[1] : asked[0] === 1 && asked[1] === 1;
    if (!keeps || after.some((n) => !Number.isSafeInteger(n) || n < 1)) {
      throw unsupported(`it resizes by [${asked}], and only pixels to whole sizes are known here`);
    }
    const isPlain =
      int(node, 'antialias', 0) === 0 &&
      int(node, 'exclude_outside', 0) === 0 &&
      attribute(node, 'axes', 'ints') === undefined &&
      text(node, 'keep_aspect_ratio_policy', 'stretch') === 'stretch';
    if (!isPlain) throw unsupported('it asks for antialiasing, chosen axes or a kept aspect ratio');
    const factors = after.map((n, i) => n / before[i]);
    const rule = `${centres.replace(/^pytorch_/, '')} ${rounding}`;
    if (nearest && factors.every(Number.isInteger) && repeating.includes(rule)) return g.upsampleNearest(x, factors);
    const isHalfPixel = centres === 'half_pixel' || (centres === 'pytorch_half_pixel' && after.every((n) => n > 1));
    if (text(node, 'mode', 'nearest') === 'linear' && rank === 4 && isHalfPixel) return g.resizeBilinear(x, after);
    throw unsupported(
      `it is "${text(node, 'mode', 'nearest')}" with "${centres}" by [${factors}], and only repeated pixels and bilinear ` +
        'half_pixel are known here',
    );
  },
};

/** The tensor of a Constant node. */
export function constantTensor(node: OnnxNode): Tensor {
  const value = attribute(node, 'value', 't');
  if (value) return value;
  const [one, many] = [attribute(node, 'value_float', 'f'), attribute(node, 'value_floats', 'floats')];
  if (one !== undefined) return float32(one);
  if (many) return float32(many);
  const whole = attribute(node, 'value_int', 'i');
  const list = whole === undefined ? attribute(node, 'value_ints', 'ints') : [whole];
  if (!list) throw corrupt('a Constant holds no numbers');
  const data = BigInt64Array.from(list, BigInt);
  return { dtype: 'int64', shape: whole === undefined ? [data.length] : [], data };
}

/** Operators by ONNX name. */
export const importedOps: ReadonlyMap<string, ImportedOp> = new Map<string, ImportedOp>([
  ['Add', binary(g.add)],
  ['AveragePool', averagePool],
  ['BatchNormalization', batchNormalization],
  ['Clip', clip],
  ['Concat', concat],
  [
    'Constant',
    {
      operands: [0, 0],
      build: (_, { node, unsupported }) => {
        const value = floatTensor(constantTensor(node));
        if (!value) throw unsupported('whole numbers stand where a network computes');
        return constant(value);
      },
    },
  ],
  ['Conv', conv],
  ['Div', binary(g.div)],
  // Dropout of inference does nothing.
  ['Dropout', unary((x) => x)],
  ['Flatten', flatten],
  ['Gemm', gemm],
  ['GlobalAveragePool', unary((x) => g.reduceMean(x, { axes: x.shape.slice(2).map((_, i) => i + 2), keep: true }))],
  ['Identity', unary((x) => x)],
  ['LeakyRelu', unary((x, node) => g.leakyRelu(x, float(node, 'alpha', 0.01)))],
  ['MatMul', { operands: [2, 2], build: ([a, b]) => g.matMul(a, b) }],
  ['MaxPool', maxPool],
  ['Mul', binary(g.mul)],
  ['Pad', pad],
  ['Relu', unary(g.relu)],
  ['Reshape', reshape],
  ['Resize', resize],
  ['Sigmoid', unary(g.sigmoid)],
  ['Softmax', softmax],
  ['Sub', binary(g.sub)],
  ['Sum', sum],
  ['Tanh', unary(g.tanh)],
  ['Transpose', transpose],
  ['Upsample', resize],
  ...transformerOps,
]);
