/**
 * NumPy's .npy (NEP 1): little-endian numbers. Read: float32, float64, int16 (as int32), int32, int64, uint8, bool, in C
 * order and matrices in Fortran order; gzip is unpacked. Big-endian and structured types are refused, never guessed.
 */
import { DataError } from '../../core/errors.ts';
import { allocate, bytesPerElement, type DType, type Tensor, type TypedArray, tensor } from '../../core/tensor.ts';
import { ByteBudget } from './budget.ts';
import { gunzip } from './gzip.ts';

const descrOf: Record<DType, string> = {
  float32: '<f4',
  float64: '<f8',
  int32: '<i4',
  int64: '<i8',
  uint8: '|u1',
  bool: '|b1',
};
const dtypeOf = new Map(Object.entries(descrOf).map(([dtype, descr]) => [descr, dtype as DType]));

/**
 * Reads one array. `file` names it in messages; `budget` is that of the file which the array lies in.
 * @throws DataError `bad-magic`, `truncated`, `npy-unsupported`, `too-large`.
 */
export async function readNpy(
  content: Uint8Array,
  file: string,
  budget = new ByteBudget(file, content.length),
): Promise<Tensor> {
  const bytes = await gunzip(content, file, budget);
  const latin1 = (from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));
  if (bytes.length < 10 || latin1(0, 6) !== '\x93NUMPY') {
    throw new DataError(
      'bad-magic',
      `${file} must begin with \\x93NUMPY. It is not an .npy file: save it with np.save.`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Version 1 has a 16-bit header length, versions 2 and 3 have 32 bits.
  const wide = bytes[6] > 1 && bytes.length >= 12;
  const headerStart = wide ? 12 : 10;
  const start = headerStart + (wide ? view.getUint32(8, true) : view.getUint16(8, true));
  const header = start <= Math.min(bytes.length, 65536) ? latin1(headerStart, start) : '';
  const descr = /'descr':\s*'([^']+)'/.exec(header)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const sizes = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  const isShort = descr === '<i2';
  const dtype = isShort ? 'int32' : dtypeOf.get(descr ?? '');
  const axes = sizes?.split(',').filter((s) => s.trim() !== '').length;
  if (!dtype || order === undefined || (order === 'True' && axes! > 2) || sizes === undefined) {
    throw new DataError(
      'npy-unsupported',
      `${file} must be an array of ${[...dtypeOf.keys()].join(', ')} in C order, found ${header.trim() || 'no header'}. ` +
        'Save it again with np.save(file, np.ascontiguousarray(x, dtype=np.float32)).',
    );
  }
  const shape = sizes
    .split(',')
    .filter((s) => s.trim() !== '')
    .map(Number);
  const size = shape.reduce((n, d) => n * d, 1);
  const needed = size * (isShort ? 2 : bytesPerElement[dtype]);
  if (bytes.length - start !== needed) {
    throw new DataError(
      'truncated',
      `${file} must hold ${needed} bytes after its header (${descr} [${shape.join(',')}]), found ${bytes.length - start}. Fetch it again.`,
    );
  }
  const values = allocate(dtype, size);
  if (isShort) for (let i = 0; i < size; i++) values[i] = view.getInt16(start + 2 * i, true);
  else new Uint8Array(values.buffer).set(bytes.subarray(start));
  return tensor(dtype, shape, order === 'True' && axes === 2 ? transposed(values, shape) : values);
}

/** The values of a matrix whose columns follow each other, with its rows one after the other. */
function transposed<T extends TypedArray>(values: T, [rows, columns]: readonly number[]): T {
  const out = values.slice() as T;
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[i * columns + j] = values[j * rows + i];
  return out;
}

/** Writes one array as .npy version 1.0. */
export function writeNpy(values: Tensor): Uint8Array {
  const { dtype, shape, data } = values;
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const dict = `{'descr': '${descrOf[dtype]}', 'fortran_order': False, 'shape': (${sizes}), }`;
  // Magic, version, length and header together fill whole blocks of 64 bytes; the header ends with a newline.
  const headerBytes = Math.ceil((10 + dict.length + 1) / 64) * 64 - 10;
  const out = new Uint8Array(10 + headerBytes + data.byteLength);
  out.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  new DataView(out.buffer).setUint16(8, headerBytes, true);
  out.set(new TextEncoder().encode(`${dict.padEnd(headerBytes - 1)}\n`), 10);
  out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + headerBytes);
  return out;
}
