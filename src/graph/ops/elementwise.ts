/** Element-wise operators: arithmetic, comparison, choice and the common functions, with NumPy broadcasting. */
import { ShapeError } from '../../core/errors.ts';
import { broadcastAxes, broadcastShapes, type Shape, show, stridesOf } from '../../core/shape.ts';
import { type DType, float32, type Tensor, type TypedArray } from '../../core/tensor.ts';
import { constant, constantNumber } from '../leaf.ts';
import { apply1, blank, defineOp, type Lowering, type Target } from '../op.ts';
import type { Type, Value } from '../value.ts';
import { reshape } from './movement.ts';
import { reduceSum } from './reduce.ts';

type None = Record<never, never>;
type Rule = (x: Value, y: Value, dy: Value) => Value;

/** A value, or a number that becomes a scalar constant. */
export type Operand = Value | number;

const asValue = (x: Operand): Value => (typeof x === 'number' ? constant(x) : x);

/** Sums a gradient over the axes along which its operand was broadcast. */
export function sumTo(g: Value, shape: Shape): Value {
  const axes = broadcastAxes(shape, g.shape);
  return axes.length === 0 ? g : reshape(reduceSum(g, { axes, keep: true }), shape);
}

// Unary ---------------------------------------------------------------------------------------------------------------

const onnx =
  (op: string): Lowering<object> =>
  (emit, inputs) => [emit.node(op, inputs)];

/** Defines a unary float operator; `gradient` gets x, y and dy. */
function unary(
  name: string,
  f: (x: number) => number,
  gradient: Rule | null,
  lowerings: Record<string, Lowering<object>>,
  choose?: (node: unknown, target: Target) => string,
) {
  const op = defineOp<None>({
    name,
    shape: ([x]) => [{ shape: x.shape, dtype: x.dtype }],
    gradient: gradient && (({ inputs, outputs, dy }) => [gradient(inputs[0], outputs[0], dy[0]!)]),
    lowerings,
    choose,
    reference: ([x], _, [type]) => {
      const out = blank(type);
      for (let i = 0; i < out.length; i++) out[i] = f(Number(x.data[i]));
      return [out];
    },
  });
  return (x: Value): Value => apply1(op, [x], {});
}

/** `-x` */
export const neg = unary(
  'neg',
  (x) => -x,
  (_x, _y, dy) => neg(dy),
  { onnx: onnx('Neg') },
);
/** `|x|`; the gradient at 0 is 0. */
export const abs = unary('abs', Math.abs, (x, _y, dy) => mul(dy, sign(x)), { onnx: onnx('Abs') });
/** −1, 0 or 1. Its gradient is zero everywhere, so none is defined. */
export const sign = unary('sign', Math.sign, null, { onnx: onnx('Sign') });
/** `e^x` */
export const exp = unary('exp', Math.exp, (_x, y, dy) => mul(dy, y), { onnx: onnx('Exp') });
/** Natural logarithm. */
export const log = unary('log', Math.log, (x, _y, dy) => div(dy, x), { onnx: onnx('Log') });
/** `√x`; the gradient at 0 is infinite. */
export const sqrt = unary('sqrt', Math.sqrt, (_x, y, dy) => div(mul(dy, 0.5), y), { onnx: onnx('Sqrt') });
/** `1 / x` */
export const reciprocal = unary(
  'reciprocal',
  (x) => 1 / x,
  (_x, y, dy) => neg(mul(dy, mul(y, y))),
  {
    onnx: onnx('Reciprocal'),
  },
);
export const sin = unary('sin', Math.sin, (x, _y, dy) => mul(dy, cos(x)), { onnx: onnx('Sin') });
export const cos = unary('cos', Math.cos, (x, _y, dy) => neg(mul(dy, sin(x))), { onnx: onnx('Cos') });
export const tanh = unary('tanh', Math.tanh, (_x, y, dy) => mul(dy, sub(1, mul(y, y))), { onnx: onnx('Tanh') });
/** `1 / (1 + e^−x)` */
export const sigmoid = unary(
  'sigmoid',
  (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))),
  (_x, y, dy) => mul(dy, mul(y, sub(1, y))),
  { onnx: onnx('Sigmoid') },
);
/** `x · σ(x)`, also called swish (Ramachandran et al. 2017). */
export const silu = unary(
  'silu',
  (x) => x / (1 + Math.exp(-x)),
  // σ + y · (1 − σ)
  (x, y, dy) => {
    const s = sigmoid(x);
    return mul(dy, add(s, mul(y, sub(1, s))));
  },
  { onnx: (emit, [x]) => [emit.node('Mul', [x, emit.node('Sigmoid', [x])])] },
);
/** `log(1 + e^x)`, without overflow. */
export const softplus = unary(
  'softplus',
  (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  (x, _y, dy) => mul(dy, sigmoid(x)),
  { onnx: onnx('Softplus') },
);
/** The error function, 2/√π ∫₀ˣ e^(−t²) dt. */
export const erf = unary(
  'erf',
  referenceErf,
  (x, _y, dy) => mul(dy, mul(2 / Math.sqrt(Math.PI), exp(neg(mul(x, x))))),
  { onnx: onnx('Erf') },
);
/** Largest whole number not above x. Its gradient is zero almost everywhere, so none is defined. */
export const floor = unary('floor', Math.floor, null, { onnx: onnx('Floor') });
/** 1 where x > 0, else 0: the derivative of `relu`. */
export const step = unary(
  'step',
  (x) => (x > 0 ? 1 : 0),
  null,
  {
    compare: (emit, [x], { inputs }) => [
      emit.node('Cast', [emit.node('Greater', [x, emit.scalar(0)])], { to: { i: onnxType[inputs[0].dtype] } }),
    ],
    // clip(x·1e38, 0, 1): one vectorised pass; differs from `compare` only for 0 < x < 1e-38.
    hardSigmoid: (emit, [x]) => [emit.node('HardSigmoid', [x], { alpha: { f: 1e38 }, beta: { f: 0 } })],
  },
  (_node, { device }) => (device === 'webgpu' ? 'compare' : 'hardSigmoid'),
);
/** `max(x, 0)` */
export const relu = unary(
  'relu',
  (x) => Math.max(x, 0),
  (_x, y, dy) => mul(dy, step(y)),
  { onnx: onnx('Relu') },
);

/** erf by its series below 3 and its continued fraction above, to double precision. */
function referenceErf(x: number): number {
  const a = Math.abs(x);
  if (a > 6) return Math.sign(x);
  if (a < 3) {
    let term = a;
    let sum = a;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum) && n < 200; n++) {
      term *= (-a * a) / n;
      sum += term / (2 * n + 1);
    }
    return Math.sign(x) * (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let k = 60; k > 0; k--) fraction = k / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + fraction)));
}

const leakyReluOp = defineOp<{ slope: number }>({
  name: 'leakyRelu',
  shape: ([x]) => [{ shape: x.shape, dtype: x.dtype }],
  gradient: ({ inputs: [x], attributes: { slope }, dy }) => [mul(dy[0]!, add(mul(step(x), 1 - slope), slope))],
  lowerings: {
    onnx: (emit, inputs, { attributes }) => [emit.node('LeakyRelu', inputs, { alpha: { f: attributes.slope } })],
  },
  reference: ([x], { slope }, [type]) => {
    const out = blank(type);
    for (let i = 0; i < out.length; i++) out[i] = Number(x.data[i]) * (Number(x.data[i]) > 0 ? 1 : slope);
    return [out];
  },
});

/** `x` where positive, else `slope · x`. */
export function leakyRelu(x: Value, slope = 0.2): Value {
  return apply1(leakyReluOp, [x], { slope });
}

const clipOp = defineOp<{ min: number; max: number }>({
  name: 'clip',
  shape: ([x]) => [{ shape: x.shape, dtype: x.dtype }],
  gradient: ({ inputs: [x], attributes: { min, max }, dy }) => [mul(dy[0]!, mul(step(sub(x, min)), step(sub(max, x))))],
  lowerings: {
    onnx: (emit, [x], { attributes }) => [
      emit.node('Clip', [x, emit.scalar(attributes.min), emit.scalar(attributes.max)]),
    ],
  },
  reference: ([x], { min, max }, [type]) => {
    const out = blank(type);
    for (let i = 0; i < out.length; i++) out[i] = Math.min(max, Math.max(min, Number(x.data[i])));
    return [out];
  },
});

/** `min(max(x, low), high)`; no gradient flows where the value is clipped. */
export function clip(x: Value, min: number, max: number): Value {
  return apply1(clipOp, [x], { min, max });
}

/** ONNX TensorProto.DataType numbers. */
export const onnxType: Record<DType, number> = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9, float64: 11 };

const castOp = defineOp<{ to: DType }>({
  name: 'cast',
  shape: ([x], { to }) => [{ shape: x.shape, dtype: to }],
  gradient: ({ inputs: [x], attributes: { to }, dy }) => [
    x.dtype.startsWith('float') && to.startsWith('float') ? cast(dy[0]!, x.dtype) : undefined,
  ],
  lowerings: {
    onnx: (emit, inputs, { attributes }) => [emit.node('Cast', inputs, { to: { i: onnxType[attributes.to] } })],
  },
  reference: ([x], _, [type]) => {
    const out = blank(type);
    for (let i = 0; i < out.length; i++) {
      const v = Number(x.data[i]);
      if (out instanceof BigInt64Array) out[i] = BigInt(Math.trunc(v));
      else out[i] = type.dtype === 'bool' ? Number(v !== 0) : v;
    }
    return [out];
  },
});

/** Converts the element type; floats are cut towards zero when they become integers. */
export function cast(x: Value, to: DType): Value {
  return x.dtype === to ? x : apply1(castOp, [x], { to });
}

// Binary --------------------------------------------------------------------------------------------------------------

/** Walks two broadcast operands in output order. */
function zip(a: Tensor, b: Tensor, shape: readonly number[], visit: (i: number, ia: number, ib: number) => void): void {
  const steps = (t: Tensor) => {
    const strides = stridesOf(t.shape);
    return shape.map((_, axis) => {
      const k = axis - shape.length + t.shape.length;
      return k < 0 || t.shape[k] === 1 ? 0 : strides[k];
    });
  };
  const [sa, sb] = [steps(a), steps(b)];
  const index = new Array<number>(shape.length).fill(0);
  const total = shape.reduce((n, d) => n * d, 1);
  for (let i = 0, ia = 0, ib = 0; i < total; i++) {
    visit(i, ia, ib);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      ia += sa[axis];
      ib += sb[axis];
      if (++index[axis] < shape[axis]) break;
      ia -= sa[axis] * shape[axis];
      ib -= sb[axis] * shape[axis];
      index[axis] = 0;
    }
  }
}

function sameType(a: Type, b: Type): DType {
  if (a.dtype !== b.dtype)
    throw new ShapeError(`both operands must have one element type, got ${a.dtype} and ${b.dtype}.`);
  return a.dtype;
}

type BinaryRule = (a: Value, b: Value, y: Value, dy: Value) => [Value, Value];

/** Defines a binary operator; integers are computed in doubles, exact below 2^53. */
function binary(
  name: string,
  f: (a: number, b: number) => number,
  gradient: BinaryRule | null,
  op: string,
  result: (dtype: DType) => DType = (dtype) => dtype,
) {
  return defineOp<None>({
    name,
    shape: ([a, b]) => [{ shape: broadcastShapes(a.shape, b.shape), dtype: result(sameType(a, b)) }],
    gradient:
      gradient &&
      (({ inputs: [a, b], outputs: [y], dy }) => {
        const [da, db] = gradient(a, b, y, dy[0]!);
        return [sumTo(da, a.shape), sumTo(db, b.shape)];
      }),
    lowerings: { onnx: onnx(op) },
    reference: ([a, b], _, [type]) => {
      const out = blank(type);
      zip(a, b, type.shape, (i, ia, ib) => {
        const y = f(Number(a.data[ia]), Number(b.data[ib]));
        if (out instanceof BigInt64Array) out[i] = BigInt(y);
        else out[i] = y;
      });
      return [out];
    },
  });
}

const addOp = binary(
  'add',
  (a, b) => a + b,
  (_a, _b, _y, dy) => [dy, dy],
  'Add',
);
const subOp = binary(
  'sub',
  (a, b) => a - b,
  (_a, _b, _y, dy) => [dy, neg(dy)],
  'Sub',
);
const mulOp = binary(
  'mul',
  (a, b) => a * b,
  (a, b, _y, dy) => [mul(dy, b), mul(dy, a)],
  'Mul',
);
const divOp = binary(
  'div',
  (a, b) => a / b,
  (_a, b, y, dy) => [div(dy, b), neg(div(mul(dy, y), b))],
  'Div',
);
const powOp = binary(
  'pow',
  (a, b) => a ** b,
  (a, b, y, dy) => [mul(dy, mul(b, pow(a, sub(b, 1)))), mul(dy, mul(y, log(a)))],
  'Pow',
);
const maximumOp = binary('maximum', Math.max, (a, b, _y, dy) => pick(greater(b, a), dy), 'Max');
const minimumOp = binary('minimum', Math.min, (a, b, _y, dy) => pick(greater(a, b), dy), 'Min');
const toBool = (): DType => 'bool';
const greaterOp = binary('greater', (a, b) => Number(a > b), null, 'Greater', toBool);
const equalOp = binary('equal', (a, b) => Number(a === b), null, 'Equal', toBool);
const modOp = binary('mod', (a, b) => a - Math.floor(a / b) * b, null, 'Mod');

/** Gradients of a maximum or minimum: dy goes to the second operand where `second`, else to the first. */
function pick(second: Value, dy: Value): [Value, Value] {
  const zero = constant(0);
  return [where(second, zero, dy), where(second, dy, zero)];
}

/** `a + b` */
export function add(a: Operand, b: Operand): Value {
  const [x, y] = [asValue(a), asValue(b)];
  if (constantNumber(y) === 0 && y.shape.length === 0) return x;
  if (constantNumber(x) === 0 && x.shape.length === 0) return y;
  return apply1(addOp, [x, y], {});
}

/** `a − b` */
export function sub(a: Operand, b: Operand): Value {
  const [x, y] = [asValue(a), asValue(b)];
  if (constantNumber(y) === 0 && y.shape.length === 0) return x;
  return apply1(subOp, [x, y], {});
}

/** `a · b`, element by element. */
export function mul(a: Operand, b: Operand): Value {
  const [x, y] = [asValue(a), asValue(b)];
  if (constantNumber(y) === 1 && y.shape.length === 0) return x;
  if (constantNumber(x) === 1 && x.shape.length === 0) return y;
  return apply1(mulOp, [x, y], {});
}

/** `a / b`, element by element; by a constant it is a multiplication. */
export function div(a: Operand, b: Operand): Value {
  const [x, y] = [asValue(a), asValue(b)];
  const by = constantNumber(y);
  if (by !== undefined && y.shape.length === 0 && y.dtype === 'float32') return mul(x, 1 / by);
  return apply1(divOp, [x, y], {});
}

/** `a ^ b`; the gradient with respect to b needs a > 0. */
export function pow(a: Operand, b: Operand): Value {
  return apply1(powOp, [asValue(a), asValue(b)], {});
}

/** `x²` */
export function square(x: Value): Value {
  return mul(x, x);
}

/** The larger of two; where they are equal the gradient goes to the first. */
export function maximum(a: Operand, b: Operand): Value {
  return apply1(maximumOp, [asValue(a), asValue(b)], {});
}

/** The smaller of two; where they are equal the gradient goes to the first. */
export function minimum(a: Operand, b: Operand): Value {
  return apply1(minimumOp, [asValue(a), asValue(b)], {});
}

/** `a > b` as bool. */
export function greater(a: Operand, b: Operand): Value {
  return apply1(greaterOp, [asValue(a), asValue(b)], {});
}

/** `a = b` as bool. */
export function equal(a: Operand, b: Operand): Value {
  return apply1(equalOp, [asValue(a), asValue(b)], {});
}

/** Remainder with the sign of the divisor, integers only. */
export function mod(a: Value, b: Value): Value {
  return apply1(modOp, [a, b], {});
}

const whereOp = defineOp<None>({
  name: 'where',
  shape: ([c, a, b]) => {
    if (c.dtype !== 'bool') throw new ShapeError(`the condition must be bool, got ${c.dtype}${show(c.shape)}.`);
    return [{ shape: broadcastShapes(c.shape, broadcastShapes(a.shape, b.shape)), dtype: sameType(a, b) }];
  },
  gradient: ({ inputs: [c, a, b], dy }) => {
    const [db, da] = pick(c, dy[0]!);
    return [undefined, sumTo(da, a.shape), sumTo(db, b.shape)];
  },
  lowerings: { onnx: onnx('Where') },
  reference: ([c, a, b], _, [type]) => {
    const out = blank(type);
    // Two walks: the condition beside each operand, each filling its own half.
    for (const [source, wanted] of [
      [a, 1],
      [b, 0],
    ] as const) {
      zip(c, source, type.shape, (i, ic, is) => {
        if (Number(c.data[ic]) === wanted) (out as TypedArray & { [k: number]: number | bigint })[i] = source.data[is];
      });
    }
    return [out];
  },
});

/** `a` where the condition holds, else `b`. */
export function where(condition: Value, a: Operand, b: Operand): Value {
  return apply1(whereOp, [condition, asValue(a), asValue(b)], {});
}

/** A float32 vector as a constant, shaped to broadcast along `axis` of a tensor of rank `rank`. */
export function along(values: ArrayLike<number>, axis: number, rank: number): Value {
  const shape = new Array<number>(rank).fill(1);
  shape[axis] = values.length;
  return constant(float32(values, shape));
}
