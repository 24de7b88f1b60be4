/**
 * The binary layout of CIFAR-10 (Krizhevsky 2009): records of 3073 bytes, one label and then 1024 red, 1024 green and
 * 1024 blue bytes of a 32x32 image, row by row. CIFAR-100's records (two labels) are not read. Gzip is unpacked.
 */
import { DataError } from '../../core/errors.ts';
import { gunzip } from './gzip.ts';

const imageBytes = 3072;
const recordBytes = 1 + imageBytes;

/** Labels `[N]` and bytes `[N, 3, 32, 32]` of one batch file. */
export interface CifarBatch {
  readonly labels: Uint8Array;
  readonly pixels: Uint8Array;
}

/**
 * Reads `data_batch_1.bin` and its like, plain or gzip. `file` names it in messages.
 * @throws DataError `gzip-corrupt`, `truncated` (not a whole number of records, or none) or `labels` (above 9).
 */
export async function readCifarBinary(content: Uint8Array, file: string): Promise<CifarBatch> {
  const bytes = await gunzip(content, file);
  const n = Math.floor(bytes.length / recordBytes);
  if (n === 0 || n * recordBytes !== bytes.length) {
    throw new DataError(
      'truncated',
      `${file} must hold records of ${recordBytes} bytes, found ${bytes.length} bytes (${n} records and ` +
        `${bytes.length - n * recordBytes} bytes over). Fetch it again.`,
    );
  }
  const labels = new Uint8Array(n);
  const pixels = new Uint8Array(n * imageBytes);
  for (let i = 0; i < n; i++) {
    const at = i * recordBytes;
    labels[i] = bytes[at];
    if (labels[i] > 9) {
      throw new DataError(
        'labels',
        `${file} must have labels 0 … 9, found ${labels[i]} in record ${i}. It is another file: fetch CIFAR-10's binary version.`,
      );
    }
    pixels.set(bytes.subarray(at + 1, at + recordBytes), i * imageBytes);
  }
  return { labels, pixels };
}
