/** HDF5 files: numeric data sets by path, read by libhdf5 through the optional package h5wasm. Node only. */
import { DataError, RuntimeUnavailable } from '../../core/errors.ts';
import { parsing } from '../../core/foreign.ts';
import { float32, type Tensor } from '../../core/tensor.ts';
import { readInput } from './read-input.ts';

const MAGIC = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/**
 * Every data set of real numbers as float32, by its path without a leading `/`. Others are passed over.
 * @throws DataError `bad-magic` for a file of another kind and `unreadable` for a damaged one; RuntimeUnavailable
 * `no-hdf5` without h5wasm.
 */
export async function readHdf5(path: string): Promise<Record<string, Tensor>> {
  const head = (await readInput(path, 'unreadable')).subarray(0, MAGIC.length);
  if (MAGIC.some((byte, i) => head[i] !== byte)) {
    throw new DataError('bad-magic', `${path} must be an HDF5 file, but does not begin like one. Fetch it again.`);
  }
  const { File, Dataset, Group } = await library(path);
  const found: Record<string, Tensor> = {};
  const walk = (group: InstanceType<typeof Group>, prefix: string) => {
    for (const key of group.keys()) {
      const entry = group.get(key);
      if (entry instanceof Group) walk(entry, `${prefix}${key}/`);
      else if (entry instanceof Dataset && entry.shape) {
        const { value } = entry;
        if (value instanceof Float32Array || value instanceof Float64Array)
          found[prefix + key] = float32(Float32Array.from(value), entry.shape);
      }
    }
  };
  await parsing(
    () => {
      const file = new File(path, 'r');
      try {
        walk(file, '');
      } finally {
        file.close();
      }
    },
    (reason) => new DataError('unreadable', `${path} cannot be read${reason}. It is damaged: fetch it again.`),
  );
  return found;
}

async function library(path: string) {
  try {
    const hdf5 = await import('h5wasm/node');
    await hdf5.ready;
    return hdf5;
  } catch {
    throw new RuntimeUnavailable(
      'no-hdf5',
      `Reading ${path} needs the package h5wasm, which is not installed. Install it: npm install h5wasm.`,
    );
  }
}
