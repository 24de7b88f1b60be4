/** NumPy `.npz` archives: arrays by name. Reading only. */
import { type UnzipFileInfo, unzipSync } from 'fflate';
import { DataError } from '../../core/errors.ts';
import type { Tensor } from '../../core/tensor.ts';
import { readNpy } from './npy.ts';

/** Unpacked bytes that an archive may claim. */
const MOST_BYTES = 2 ** 31;

/** Reads every array. `file` names it in messages. @throws DataError `bad-magic`, `too-large`, and those of `readNpy`. */
export async function readNpz(content: Uint8Array, file: string): Promise<Record<string, Tensor>> {
  let entries: Record<string, Uint8Array>;
  try {
    let claimed = 0;
    const filter = ({ name, originalSize }: UnzipFileInfo) => {
      claimed += originalSize;
      if (claimed > MOST_BYTES) {
        throw new DataError(
          'too-large',
          `${file} must unpack to at most ${MOST_BYTES} bytes, but declares more. Split it, or fetch it again.`,
        );
      }
      return name.endsWith('.npy');
    };
    entries = unzipSync(content, { filter });
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(
      'bad-magic',
      `${file} must be a whole .npz archive, but it cannot be unpacked (${(error as Error).message}). Fetch it again.`,
    );
  }
  const arrays: Record<string, Tensor> = {};
  for (const [name, bytes] of Object.entries(entries)) {
    arrays[name.slice(0, -4)] = await readNpy(bytes, `${file} (${name})`);
  }
  return arrays;
}
