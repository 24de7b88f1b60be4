/**
 * IDX, the format of MNIST (LeCun, Cortes, Burges): two zero bytes, a type byte (8 = unsigned byte), the number of
 * axes, their sizes as big-endian 32-bit numbers, then the bytes. Only unsigned bytes are read; gzip is unpacked.
 */
import { DataError } from '../../core/errors.ts';
import { type Tensor, tensor } from '../../core/tensor.ts';
import { gunzip } from './gzip.ts';

/**
 * Reads an idx1 (labels) or idx3 (images, `[N, H, W]`) file of unsigned bytes. `file` names it in messages, `axes` is
 * the number of axes it must have.
 * @throws DataError `gzip-corrupt`, `bad-magic`, `truncated` or `count-mismatch` (bytes left over).
 */
export async function readIdx(content: Uint8Array, file: string, axes: number): Promise<Tensor> {
  const bytes = await gunzip(content, file);
  const start = 4 + 4 * axes;
  const found = Array.from(bytes.subarray(0, 4), (b) => b.toString(16).padStart(2, '0')).join(' ');
  const wanted = `00 00 08 0${axes}`;
  if (found !== wanted) {
    throw new DataError(
      'bad-magic',
      `${file} must begin with ${wanted} (idx${axes}, unsigned bytes), found ${found || 'nothing'}. ` +
        'It is another file or another format: fetch it again.',
    );
  }
  if (bytes.length < start) {
    throw new DataError(
      'truncated',
      `${file} must have a header of ${start} bytes, found ${bytes.length}. Fetch it again.`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: axes }, (_, i) => view.getUint32(4 + 4 * i));
  const needed = shape.reduce((n, d) => n * d, 1);
  const given = bytes.length - start;
  if (given !== needed) {
    throw new DataError(
      given < needed ? 'truncated' : 'count-mismatch',
      `${file} must hold ${needed} bytes after its header ([${shape.join(',')}]), found ${given}. Fetch it again.`,
    );
  }
  return tensor('uint8', shape, bytes.subarray(start));
}

/** Writes unsigned bytes as IDX, without gzip. */
export function writeIdx(values: Tensor): Uint8Array {
  const axes = values.shape.length;
  const out = new Uint8Array(4 + 4 * axes + values.data.length);
  out.set([0, 0, 8, axes]);
  const view = new DataView(out.buffer);
  for (const [i, d] of values.shape.entries()) view.setUint32(4 + 4 * i, d);
  out.set(values.data as Uint8Array, 4 + 4 * axes);
  return out;
}
