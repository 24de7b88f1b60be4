/** Random variants of a sample, a function of the sample, the options and the stream alone. */
import { ConfigError, unknownName } from '../../core/errors.ts';
import type { Rng } from '../../core/random.ts';
import { flipHorizontal, flipVertical, move, rotateRight } from './geometry.ts';
import { addNoise, adjust } from './intensity.ts';
import type { Sample } from './sample.ts';

/** What may happen to an image; nothing by default. Use what keeps a normal piece normal, and nothing else. */
export interface AugmentOptions {
  /** Flip left and right in half of the cases. */
  readonly flipHorizontal?: boolean;
  /** Flip top and bottom in half of the cases. */
  readonly flipVertical?: boolean;
  /** Turn by 0 to 3 right angles; images that are not square by 0 or 2. */
  readonly turns?: boolean;
  /** Turn by at most this many degrees either way, 0 … 180. */
  readonly degrees?: number;
  /** Shift by at most this share of the side either way, 0 … 0.5. */
  readonly shift?: number;
  /** Enlarge or shrink by at most this share, 0 … 0.9. */
  readonly scale?: number;
  /** Cut out a rectangle of at least this share of each side and enlarge it to the whole, above 0 … 1. */
  readonly crop?: number;
  /** Brighten or darken by at most this much of white, 0 … 1. */
  readonly brightness?: number;
  /** Change the contrast by at most this share, 0 … 1. */
  readonly contrast?: number;
  /** Standard deviation of noise, of white = 1, 0 … 1. */
  readonly noise?: number;
}

/** Smallest and largest value of each number. */
const ranges = {
  degrees: [0, 180],
  shift: [0, 0.5],
  scale: [0, 0.9],
  crop: [0.05, 1],
  brightness: [0, 1],
  contrast: [0, 1],
  noise: [0, 1],
} as const;

/** What each word of `readAugment` means, and its number where none is given. */
export const augmentWords: Readonly<
  Record<string, { readonly key: keyof AugmentOptions; readonly usual: number | true }>
> = {
  flip: { key: 'flipHorizontal', usual: true },
  'flip-vertical': { key: 'flipVertical', usual: true },
  turns: { key: 'turns', usual: true },
  rotate: { key: 'degrees', usual: 10 },
  shift: { key: 'shift', usual: 0.05 },
  scale: { key: 'scale', usual: 0.1 },
  crop: { key: 'crop', usual: 0.8 },
  brightness: { key: 'brightness', usual: 0.1 },
  contrast: { key: 'contrast', usual: 0.1 },
  noise: { key: 'noise', usual: 0.02 },
};

/**
 * Options from words such as `flip,rotate=5`: flip, flip-vertical, turns, and with or without a number rotate, shift,
 * scale, crop, brightness, contrast, noise. Throws ConfigError for other words and for numbers that cannot be.
 */
export function readAugment(text: string): AugmentOptions {
  const options: Record<string, number | boolean> = {};
  for (const part of text.split(',').map((word) => word.trim())) {
    const [word, value, ...more] = part.split('=');
    if (!Object.hasOwn(augmentWords, word))
      throw unknownName('augmentation', word, Object.keys(augmentWords), 'augment');
    const { key, usual } = augmentWords[word];
    const takesNumber = usual !== true;
    if (more.length > 0 || value?.trim() === '' || (value !== undefined && (!takesNumber || Number.isNaN(+value)))) {
      throw new ConfigError(
        'augment',
        `augment: ${word} ${takesNumber ? `takes a number, such as ${word}=${usual}` : 'takes no number'}, got "${part}".`,
      );
    }
    options[key] = value === undefined ? usual : Number(value);
  }
  checkAugment(options);
  return options;
}

/** Throws ConfigError `augment` for a value outside its range. */
export function checkAugment(options: AugmentOptions): void {
  for (const [name, [low, high]] of Object.entries(ranges)) {
    const value = options[name as keyof typeof ranges];
    if (value === undefined || (value >= low && value <= high)) continue;
    const must = `a number from ${low} to ${high}`;
    throw new ConfigError('augment', { option: ['augment', name], value, must });
  }
}

/**
 * One random variant, of the same size. Each kind of change draws from a stream of its own, so that switching one on
 * or off leaves the others as they were. Image and mask stay together.
 * @throws ConfigError `augment`.
 * @example augment(sample, { flipHorizontal: true, degrees: 5 }, rng.split(step).split(item))
 */
export function augment(sample: Sample, options: AugmentOptions, rng: Rng): Sample {
  checkAugment(options);
  const { degrees = 0, shift = 0, scale = 0, crop = 1, brightness = 0, contrast = 0, noise = 0 } = options;
  const { height, width } = sample;
  const between = (name: string, limit: number) => limit * (2 * rng.split(name).uniform() - 1);
  let out = sample;
  if (options.flipHorizontal && rng.split('flip-horizontal').int(2) === 1) out = flipHorizontal(out);
  if (options.flipVertical && rng.split('flip-vertical').int(2) === 1) out = flipVertical(out);
  if (options.turns) {
    const turns = rng.split('turns').int(4);
    if (height === width || turns % 2 === 0) out = rotateRight(out, turns);
  }
  if (degrees > 0 || shift > 0 || scale > 0 || crop < 1) {
    // A crop is an enlargement about a point that is then in the middle: one interpolation instead of two.
    const cut = rng.split('crop');
    const enlarged = 1 / (crop + (1 - crop) * cut.uniform());
    const slack = (enlarged - 1) / 2;
    out = move(out, {
      degrees: between('degrees', degrees),
      x: between('shift-x', shift) * width + slack * width * (2 * cut.uniform() - 1),
      y: between('shift-y', shift) * height + slack * height * (2 * cut.uniform() - 1),
      scale: enlarged * (1 + between('scale', scale)),
    });
  }
  if (brightness > 0 || contrast > 0) {
    out = adjust(out, { brightness: between('brightness', brightness), contrast: 1 + between('contrast', contrast) });
  }
  return noise > 0 ? addNoise(out, noise, rng.split('noise')) : out;
}
