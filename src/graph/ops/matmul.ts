/** Matrix products, batched and broadcast over leading axes. */
import { ShapeError } from '../../core/errors.ts';
import { broadcastShapes, type Shape, show, stridesOf } from '../../core/shape.ts';
import { apply1, blank, defineOp } from '../op.ts';
import type { Value } from '../value.ts';
import { sumTo } from './elementwise.ts';
import { broadcastTo, reshape, transpose } from './movement.ts';

interface Flags {
  transposeA: boolean;
  transposeB: boolean;
}

/** The last two axes as rows and columns after an optional transposition. */
function matrix(shape: Shape, transposed: boolean): Shape {
  const n = shape.length;
  return transposed ? [shape[n - 1], shape[n - 2]] : [shape[n - 2], shape[n - 1]];
}

function lastTwoSwapped(rank: number): number[] {
  return Array.from({ length: rank }, (_, i) => (i < rank - 2 ? i : i === rank - 2 ? rank - 1 : rank - 2));
}

const matMulOp = defineOp<Flags>({
  name: 'matMul',
  shape: ([a, b], { transposeA, transposeB }) => {
    if (a.shape.length < 2 || b.shape.length < 2) {
      throw new ShapeError(`both operands need at least two axes, got ${show(a.shape)} and ${show(b.shape)}.`);
    }
    const [m, k] = matrix(a.shape, transposeA);
    const [k2, n] = matrix(b.shape, transposeB);
    if (k !== k2)
      throw new ShapeError(`inner sizes differ: ${show(a.shape)} and ${show(b.shape)} meet as ${k} and ${k2}.`);
    return [{ shape: [...broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2)), m, n], dtype: a.dtype }];
  },
  gradient: ({ inputs: [a, b], attributes: { transposeA, transposeB }, dy }) => {
    const g = dy[0]!;
    const da = transposeA
      ? matMul(b, g, { transposeA: transposeB, transposeB: true })
      : matMul(g, b, { transposeB: !transposeB });
    const db = transposeB
      ? matMul(g, a, { transposeA: true, transposeB: transposeA })
      : matMul(a, g, { transposeA: !transposeA });
    return [sumTo(da, a.shape), sumTo(db, b.shape)];
  },
  lowerings: {
    gemm: (emit, [a, b], { attributes: { transposeA, transposeB } }) => [
      emit.node('Gemm', [a, b], { transA: { i: Number(transposeA) }, transB: { i: Number(transposeB) } }),
    ],
    // ONNX Runtime fuses the transpositions into the product.
    matmul: (emit, [a, b], { inputs, attributes: { transposeA, transposeB } }) => {
      const turned = (name: string, x: Value) =>
        emit.node('Transpose', [name], { perm: { ints: lastTwoSwapped(x.shape.length) } });
      return [emit.node('MatMul', [transposeA ? turned(a, inputs[0]) : a, transposeB ? turned(b, inputs[1]) : b])];
    },
  },
  choose: ({ inputs: [a, b] }) => (a.shape.length === 2 && b.shape.length === 2 ? 'gemm' : 'matmul'),
  reference: ([a, b], { transposeA, transposeB }, [type]) => {
    const out = blank(type) as Float64Array;
    const rank = type.shape.length;
    const [m, n] = type.shape.slice(-2);
    const k = Number(matrix(a.shape, transposeA)[1]);
    const batches = type.shape.slice(0, -2);
    const batchStrides = stridesOf(batches);
    const offset = (shape: readonly number[], batch: number) => {
      const strides = stridesOf(shape);
      let at = 0;
      for (let i = 0; i < shape.length - 2; i++) {
        const axis = i + rank - shape.length;
        if (shape[i] > 1) at += (Math.floor(batch / batchStrides[axis]) % batches[axis]) * strides[i];
      }
      return at;
    };
    const [aCols, bCols] = [a.shape[a.shape.length - 1], b.shape[b.shape.length - 1]];
    for (let batch = 0; batch < batches.reduce((p, d) => p * d, 1); batch++) {
      const [oa, ob] = [offset(a.shape, batch), offset(b.shape, batch)];
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let p = 0; p < k; p++) {
            const x = a.data[oa + (transposeA ? p * aCols + i : i * aCols + p)] as number;
            sum += x * (b.data[ob + (transposeB ? j * bCols + p : p * bCols + j)] as number);
          }
          out[(batch * m + i) * n + j] = sum;
        }
      }
    }
    return [out];
  },
});

/** `a · b` over the last two axes, each optionally transposed; leading axes broadcast. */
export function matMul(a: Value, b: Value, flags: Partial<Flags> = {}): Value {
  return apply1(matMulOp, [a, b], { transposeA: flags.transposeA ?? false, transposeB: flags.transposeB ?? false });
}

/** Sum over the last axis of `a · b`: `[..., D] × [..., D] → [...]`. */
export function dot(a: Value, b: Value): Value {
  const shape = broadcastShapes(a.shape, b.shape);
  const row = (x: Value) => reshape(broadcastTo(x, shape), [...shape.slice(0, -1), 1, shape[shape.length - 1]]);
  return reshape(matMul(row(a), row(b), { transposeB: true }), shape.slice(0, -1));
}

/** Swaps the last two axes. */
export function swapLast(x: Value): Value {
  return transpose(x, lastTwoSwapped(x.shape.length));
}
