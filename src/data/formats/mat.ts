/**
 * MATLAB level 5 files: the full numeric matrices of real numbers in it, by name ("MAT-File Format", MathWorks, chapter 1).
 * Reading only; cells, structures, sparse and complex matrices are passed over, level 7.3 (HDF5) is another format.
 */
import { DataError } from '../../core/errors.ts';
import { type Tensor, tensor } from '../../core/tensor.ts';
import { ByteBudget } from './budget.ts';
import { inflate } from './inflate.ts';

/** Types of stored elements by number: bytes each, and how one is read. */
const types: Readonly<Record<number, readonly [number, (v: DataView, at: number, little: boolean) => number]>> = {
  1: [1, (v, at) => v.getInt8(at)],
  2: [1, (v, at) => v.getUint8(at)],
  3: [2, (v, at, little) => v.getInt16(at, little)],
  4: [2, (v, at, little) => v.getUint16(at, little)],
  5: [4, (v, at, little) => v.getInt32(at, little)],
  6: [4, (v, at, little) => v.getUint32(at, little)],
  7: [4, (v, at, little) => v.getFloat32(at, little)],
  9: [8, (v, at, little) => v.getFloat64(at, little)],
  12: [8, (v, at, little) => Number(v.getBigInt64(at, little))],
  13: [8, (v, at, little) => Number(v.getBigUint64(at, little))],
};
const [MATRIX, COMPRESSED] = [14, 15];
/** Array classes double … uint64; others hold no plain numbers. */
const isNumeric = (kind: number) => kind >= 6 && kind <= 15;
const COMPLEX = 0x08;

interface Element {
  readonly type: number;
  readonly data: DataView;
  /** Where the next one begins. */
  readonly end: number;
}

/**
 * Reads the matrices as float64 in row-major order. `file` names it in messages; `budget` is that of the file.
 * @throws DataError `bad-magic`, `truncated`, `too-large`.
 */
export function readMat(
  bytes: Uint8Array,
  file: string,
  budget = new ByteBudget(file, bytes.length),
): Record<string, Tensor> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const mark = bytes.length >= 128 ? String.fromCharCode(bytes[126], bytes[127]) : '';
  if (mark !== 'IM' && mark !== 'MI') {
    throw new DataError('bad-magic', `${file} must be a MATLAB level 5 file. Save it with: save(…, '-v7').`);
  }
  const little = mark === 'IM';
  const arrays: [string, Tensor][] = [];
  const unpack = (packed: DataView) => viewOf(inflate(bytesOf(packed), 'zlib', (n) => budget.unpack(n)));
  try {
    for (let at = 128; at + 8 <= bytes.length; ) {
      const packed = elementAt(view, at, little);
      at = packed.end;
      const whole = packed.type === COMPRESSED ? elementAt(unpack(packed.data), 0, little) : packed;
      const found = whole.type === MATRIX ? matrixOf(whole.data, little, budget) : undefined;
      if (found) arrays.push([found.name, found.values]);
    }
  } catch (error) {
    if (error instanceof DataError) throw error;
    // A read behind the end, or a matrix that contradicts itself.
    throw new DataError('truncated', `${file} must be a whole MATLAB file, but is cut off or damaged. Fetch it again.`);
  }
  return Object.fromEntries(arrays);
}

const viewOf = (b: Uint8Array) => new DataView(b.buffer, b.byteOffset, b.byteLength);
const bytesOf = (v: DataView) => new Uint8Array(v.buffer, v.byteOffset, v.byteLength);

function elementAt(view: DataView, at: number, little: boolean): Element {
  const tag = view.getUint32(at, little);
  const part = (from: number, size: number) => new DataView(view.buffer, view.byteOffset + from, size);
  // A small element has its size in the upper half of the tag and its data behind it.
  if (tag >>> 16 > 0) return { type: tag & 0xffff, data: part(at + 4, tag >>> 16), end: at + 8 };
  const size = view.getUint32(at + 4, little);
  // All but compressed elements are padded to eight bytes.
  const end = at + 8 + (tag === COMPRESSED ? size : Math.ceil(size / 8) * 8);
  return { type: tag, data: part(at + 8, size), end };
}

function matrixOf(view: DataView, little: boolean, budget: ByteBudget): { name: string; values: Tensor } | undefined {
  const flags = elementAt(view, 0, little);
  const word = flags.data.getUint32(0, little);
  if (!isNumeric(word & 0xff) || (word >>> 8) & COMPLEX) return undefined;
  const sizes = elementAt(view, flags.end, little);
  const shape = Array.from({ length: sizes.data.byteLength / 4 }, (_, i) => sizes.data.getInt32(4 * i, little));
  const name = elementAt(view, sizes.end, little);
  const { type, data } = elementAt(view, name.end, little);
  if (shape.length !== 2) return undefined;
  const [width, get] = types[type];
  const [rows, columns] = shape;
  if (!(rows >= 0 && columns >= 0 && rows * columns * width <= data.byteLength)) {
    throw new Error(`${rows} x ${columns} values do not fit in ${data.byteLength} bytes`);
  }
  budget.hold(8 * rows * columns);
  const out = new Float64Array(rows * columns);
  // Columns follow each other in the file.
  for (let i = 0; i < out.length; i++) out[(i % rows) * columns + Math.floor(i / rows)] = get(data, i * width, little);
  return { name: new TextDecoder().decode(bytesOf(name.data)), values: tensor('float64', shape, out) };
}
