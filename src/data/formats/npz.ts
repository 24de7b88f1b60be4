/** NumPy `.npz` archives: arrays by name. Reading only. */
import { unzipSync } from 'fflate';
import { DataError } from '../../core/errors.ts';
import type { Tensor } from '../../core/tensor.ts';
import { readNpy } from './npy.ts';

/** Reads every array. `file` names it in messages. @throws DataError `bad-magic`, and those of `readNpy`. */
export async function readNpz(content: Uint8Array, file: string): Promise<Record<string, Tensor>> {
  let entries: Record<string, Uint8Array>;
  try {
    entries = unzipSync(content);
  } catch (error) {
    throw new DataError(
      'bad-magic',
      `${file} must be a whole .npz archive, but it cannot be unpacked (${(error as Error).message}). Fetch it again.`,
    );
  }
  const arrays: Record<string, Tensor> = {};
  for (const [name, bytes] of Object.entries(entries)) {
    if (name.endsWith('.npy')) arrays[name.slice(0, -4)] = await readNpy(bytes, `${file} (${name})`);
  }
  return arrays;
}
