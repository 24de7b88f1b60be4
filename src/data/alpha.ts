/** Transparency: images are laid over white and masks over black, the same in Node and in browsers. */
import { type Pixels, whiteOf, zerosLike } from './resize.ts';

/** What shows through: white behind images, black – nothing is marked – behind masks. */
export type Background = 'white' | 'black';

/**
 * Pixels without the last of their channels, which is how opaque each is: v · a + background · (1 − a), rounded to whole
 * numbers where they are such. Opaque pixels stay as they are.
 */
export function withoutAlpha(data: Pixels['data'], channels: 2 | 4, background: Background): Pixels['data'] {
  const white = whiteOf(data);
  const behind = background === 'white' ? white : 0;
  const half = data instanceof Float32Array ? 0 : 0.5;
  const kept = channels - 1;
  const out = zerosLike(data, (data.length / channels) * kept);
  for (let from = 0, to = 0; from < data.length; from += channels, to += kept) {
    const opaque = data[from + kept];
    for (let c = 0; c < kept; c++) {
      const v = data[from + c];
      out[to + c] = opaque === white ? v : behind + ((v - behind) * opaque) / white + half;
    }
  }
  return out;
}
