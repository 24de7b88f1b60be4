/** NumPy `.npz` archives: arrays by name. Reading only. */
import { DataError } from '../../core/errors.ts';
import type { Tensor } from '../../core/tensor.ts';
import { ByteBudget } from './budget.ts';
import { readNpy } from './npy.ts';
import { openZip } from './zip.ts';

/**
 * Reads every array. `file` names it in messages; `budget` is that of the file which the archive lies in.
 * @throws DataError `bad-magic`, `too-large`, and those of `readNpy`.
 */
export async function readNpz(
  content: Uint8Array,
  file: string,
  budget = new ByteBudget(file, content.length),
): Promise<Record<string, Tensor>> {
  const zip = openZip(content, (what) => {
    throw new DataError('bad-magic', `${file} must be a whole .npz archive, but ${what}. Fetch it again.`);
  });
  const wanted = zip.entries.filter(({ name }) => name.endsWith('.npy'));
  for (const { size } of wanted) budget.unpack(size);
  const arrays: [string, Tensor][] = [];
  for (const entry of wanted) {
    const name = entry.name.slice(0, -4);
    arrays.push([name, await readNpy(zip.read(entry), `${file} (${entry.name})`, budget)]);
  }
  return Object.fromEntries(arrays);
}
