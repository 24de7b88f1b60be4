/** A random sample of the training items, for models that keep some of them. */
import type { FitItems } from '../../define.ts';

/** Values that a sample may hold: 256 MiB as float32. */
const VALUES = 2 ** 26;

/**
 * At most `most` items drawn without replacement, `[rows, D]` in the order of the data; fewer where they would take more
 * than 256 MiB. The same data and seed give the same sample.
 */
export async function sampleItems(
  data: FitItems,
  most: number,
): Promise<{ readonly rows: number; readonly width: number; readonly items: Float32Array }> {
  const width = data.shape.reduce((n, d) => n * d, 1);
  const rows = Math.max(1, Math.min(most, data.count, Math.floor(VALUES / width)));
  const chosen = data.rng.split('sample').permutation(data.count).subarray(0, rows).sort();
  const items = new Float32Array(rows * width);
  let [first, k] = [0, 0];
  for await (const block of data.blocks(Math.max(1, Math.min(4096, Math.floor(2 ** 20 / width))))) {
    for (; k < rows && chosen[k] < first + block.count; k++) {
      const from = (chosen[k] - first) * width;
      items.set(block.data.subarray(from, from + width), k * width);
    }
    first += block.count;
  }
  return { rows, width, items };
}
