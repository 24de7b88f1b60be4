/**
 * What windows hold, as short texts: equal ones hold the same values. Where some series train and others are judged, a window in both
 * is a leak, as when the parts were cut out of one recording with an overlap.
 */
import type { Source, SourceItem } from '../item.ts';
import type { SeriesFacts } from './source.ts';

const [FIRST, SECOND] = [0x01000193, 0x85ebca6b];
/** Windows at most: texts take memory. */
const MOST = 2_000_000;

/**
 * Items with the content of their windows, which begin at `starts`, where each series trains or is judged as a whole. Windows in which nothing changes
 * have none, since those of different times may well be equal.
 */
export function withContents(
  items: readonly SourceItem[],
  facts: SeriesFacts,
  { values, names }: NonNullable<Source['channels']>,
  starts: Int32Array,
): readonly SourceItem[] {
  const { spans, window } = facts;
  const isApart = spans.every(({ train, steps }) => train === 0 || train === steps);
  if (!isApart || !spans.some(({ train }) => train > 0) || !spans.some(({ train }) => train === 0)) return items;
  if (items.length > MOST) return items;
  const width = names.length;
  const bits = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
  const rows = new Int32Array(items.length);
  const changes = new Uint32Array(items.length + 1);
  for (let t = 0; t < items.length; t++) {
    let hash = 0x811c9dc5;
    for (let k = 2 * t * width; k < 2 * (t + 1) * width; k++) hash = Math.imul(hash ^ bits[k], FIRST) ^ (hash >>> 15);
    rows[t] = hash;
    changes[t + 1] = changes[t] + Number(t > 0 && rows[t] !== rows[t - 1]);
  }
  const [one, two] = [rolling(rows, window, FIRST), rolling(rows, window, SECOND)];
  return items.map((item, t) => {
    const start = starts[t];
    const isFlat = changes[start + window] === changes[start + 1];
    return isFlat ? item : { ...item, content: `${one[start].toString(36)}.${two[start].toString(36)}` };
  });
}

/** For each start the polynomial Σ row · factor^(place from the end) of the rows of a window, modulo 2³². */
function rolling(rows: Int32Array, window: number, factor: number): Uint32Array {
  const out = new Uint32Array(rows.length);
  let highest = 1;
  for (let k = 0; k < window; k++) highest = Math.imul(highest, factor);
  let hash = 0;
  for (let t = 0; t < rows.length; t++) {
    hash = (Math.imul(hash, factor) + rows[t]) | 0;
    if (t >= window) hash = (hash - Math.imul(rows[t - window], highest)) | 0;
    if (t + 1 >= window) out[t + 1 - window] = hash >>> 0;
  }
  return out;
}
