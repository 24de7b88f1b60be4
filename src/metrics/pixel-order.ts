/** The order of float32 values as integers, and a fast sort of these: what makes tens of millions of pixels affordable. */

/**
 * Replaces float32 values by integers of the same order, in place: `keys` is the memory of the floats seen as int32.
 * Equal floats get equal keys (−0 counts as 0). Returns the number of NaN, whose keys mean nothing.
 */
export function toKeys(floats: Float32Array<ArrayBuffer>): { keys: Int32Array<ArrayBuffer>; notNumbers: number } {
  const keys = new Int32Array(floats.buffer, floats.byteOffset, floats.length);
  let notNumbers = 0;
  for (let i = 0; i < keys.length; i++) {
    if (Number.isNaN(floats[i])) notNumbers++;
    const bits = keys[i];
    // Positive floats are ordered as their bits; negative ones the other way round. −0 is the bits 0x80000000.
    keys[i] = bits === -2147483648 ? 0 : bits ^ ((bits >> 31) & 0x7fffffff);
  }
  return { keys, notNumbers };
}

/** The least key of float32 values that are >= a number. */
export function leastKey(least: number): number {
  const near = Math.fround(least);
  const [key] = toKeys(Float32Array.of(near)).keys;
  return near < least ? key + 1 : key;
}

/** Sorted keys, and what belonged to each. */
export interface SortedKeys {
  readonly keys: Int32Array<ArrayBuffer>;
  readonly values: Uint32Array<ArrayBuffer> | undefined;
}

/**
 * Sorts keys upwards, with the value that belongs to each; radix sort in three rounds of 11, 11 and 10 bits, O(n). The
 * arrays that are given are overwritten; the sorted ones are other arrays of the same length.
 */
export function sortKeys(keys: Int32Array<ArrayBuffer>, values?: Uint32Array<ArrayBuffer>): SortedKeys {
  const n = keys.length;
  const counts = [new Uint32Array(2048), new Uint32Array(2048), new Uint32Array(2048)];
  const [low, middle, high] = counts;
  for (let i = 0; i < n; i++) {
    const key = keys[i];
    low[key & 2047]++;
    middle[(key >>> 11) & 2047]++;
    high[(key >>> 22) ^ 512]++; // the flipped sign bit puts negative keys first
  }
  let from = { keys, values };
  let to = { keys: new Int32Array(n), values: values && new Uint32Array(n) };
  for (const [round, count] of counts.entries()) {
    for (let digit = 0, before = 0; digit < 2048; digit++) {
      const here = count[digit];
      count[digit] = before;
      before += here;
    }
    const shift = 11 * round;
    const mask = round === 2 ? 1023 : 2047;
    const flip = round === 2 ? 512 : 0;
    const { keys: source, values: sourceValues } = from;
    const { keys: target, values: targetValues } = to;
    if (sourceValues && targetValues) {
      for (let i = 0; i < n; i++) {
        const place = count[((source[i] >>> shift) & mask) ^ flip]++;
        target[place] = source[i];
        targetValues[place] = sourceValues[i];
      }
    } else {
      for (let i = 0; i < n; i++) target[count[((source[i] >>> shift) & mask) ^ flip]++] = source[i];
    }
    [from, to] = [to, from];
  }
  return from;
}
