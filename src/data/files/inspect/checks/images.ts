/** Checks of sizes and modes: what most images have, and which differ. */
import { rangeFor, sayRange, sayUse } from '../../../value-range.ts';
import { STRETCH } from '../../mixtures.ts';
import { type Check, count } from '../check.ts';
import type { Examined, ImageFacts } from '../examine.ts';

/** Images by a property, the most frequent first. */
function groups(set: Examined, property: (image: ImageFacts) => string): [string, string[]][] {
  const found = new Map<string, string[]>();
  for (const { file } of set.images) {
    if (!file.image) continue;
    const value = property(file.image);
    const list = found.get(value);
    if (list) list.push(file.id);
    else found.set(value, [file.id]);
  }
  return [...found].sort((a, b) => b[1].length - a[1].length);
}

/** At most six of the groups in words: `800x600 (120), 640x480 (3)`. */
function inWords(found: readonly [string, string[]][]): string {
  const shown = found.slice(0, 6).map(([value, ids]) => `${value} (${ids.length})`);
  return `${shown.join(', ')}${found.length > 6 ? ` and ${found.length - 6} more` : ''}`;
}

/** The groups beside that of most images; none where no group has most of them. */
function rare(found: readonly [string, string[]][]): readonly [string, string[]][] {
  const all = found.reduce((n, [, ids]) => n + ids.length, 0);
  return found[0][1].length > all / 2 ? found.slice(1) : [];
}

export const mixedSizes: Check = {
  code: 'mixed-sizes',
  find(set) {
    const found = groups(set, ({ width, height }) => `${width}x${height}`);
    if (found.length < 2) return [];
    const ratios = set.images.flatMap(({ file: { image } }) => (image ? [image.width / image.height] : []));
    const stretched = Math.max(...ratios) / Math.min(...ratios) > STRETCH;
    const rest = rare(found);
    return [
      {
        severity: stretched ? 'warning' : 'note',
        message: `Images have ${found.length} sizes: ${inWords(found)}.`,
        advice: stretched
          ? 'Crop them to one aspect ratio: all are stretched to one size, which distorts some more than others.'
          : 'All are resized to one size; details of the larger ones are lost.',
        paths: rest.flatMap(([, ids]) => ids),
        remarks: rest.flatMap(([value, ids]) => ids.map(() => value)),
      },
    ];
  },
};

export const mixedModes: Check = {
  code: 'mixed-modes',
  find(set) {
    const found = groups(set, ({ mode }) => mode);
    if (found.length < 2) return [];
    const rest = rare(found);
    return [
      {
        severity: 'warning',
        message: `Images have ${found.length} modes: ${inWords(found)}.`,
        advice:
          'Save all in one mode, or set the number of channels when training: with one colour image all are read as ' +
          'colour, and a detector may learn the difference between modes instead of the defects.',
        paths: rest.flatMap(([, ids]) => ids),
        remarks: rest.flatMap(([value, ids]) => ids.map(() => value)),
      },
    ];
  },
};

/** Longer than this many widths, or wider than this many heights: squeezed when made square. */
const LONG = 3;

export const longImages: Check = {
  code: 'long-images',
  find({ images }) {
    const long = images.filter(({ file: { image } }) => {
      return image && Math.max(image.width / image.height, image.height / image.width) > LONG;
    });
    if (long.length === 0) return [];
    return [
      {
        severity: 'warning',
        message: `${count(long.length, 'image is', 'images are')} more than ${LONG} times as long as wide.`,
        advice: 'Cut them into tiles: resized to a square they lose most of their length.',
        paths: long.map(({ file }) => file.id),
        remarks: long.map(({ file }) => `${file.image?.width}x${file.image?.height}`),
      },
    ];
  },
};

export const narrowRange: Check = {
  code: 'narrow-range',
  find({ used }) {
    const range = used && rangeFor(used);
    if (!range) return [];
    return [
      {
        severity: used.is16Bit ? 'warning' : 'note',
        message: `The normal images use ${sayUse(used)}.`,
        advice: `Training reads values from ${sayRange(range)} as black to white, unless it is told another range.`,
        paths: [],
      },
    ];
  },
};
