/**
 * A made-up image source for tests and first steps: smooth textures are normal, and some have a planted defect whose
 * mask is known. Results on it say that a pipeline works, never how good a model is.
 */
import { ConfigError } from '../core/errors.ts';
import { Rng } from '../core/random.ts';
import type { Source } from './item.ts';
import { type MemoryPart, memorySource } from './memory.ts';

/** Options of `synthetic`; every one has a default. */
export interface SyntheticOptions {
  /** Images of both parts together; three quarters are for training. Default 400. */
  readonly count?: number;
  /** Height and width in pixels, at least 4; default 16. */
  readonly size?: number;
  /** Default 1. */
  readonly channels?: 1 | 3;
  /** 1: textures; 2: and blobs; 3: and scratches. Classes take turns. Default 2. */
  readonly classes?: 1 | 2 | 3;
  /** Default 0. */
  readonly seed?: number;
}

/**
 * Images in [0, 1]: class 0 `texture` is a sum of three slow waves; class 1 `blob` adds a bright or dark spot and class
 * 2 `scratch` a thin line. `readMasks` gives the pixels that were touched. The same options give the same bytes.
 */
export async function synthetic(options: SyntheticOptions = {}): Promise<Source> {
  const { count = 400, size = 16, channels = 1, classes = 2, seed = 0 } = options;
  for (const [name, value, min] of [
    ['count', count, 1],
    ['size', size, 4],
  ] as const) {
    if (!Number.isInteger(value) || value < min) {
      throw new ConfigError('synthetic', `synthetic: ${name} must be an integer of at least ${min}, got ${value}.`);
    }
  }
  const rng = new Rng(seed).split('synthetic');
  const all = Array.from({ length: count }, (_, i) => i);
  // Classes take turns, and of every four rounds the last is for testing.
  const isTest = (i: number) => Math.floor(i / classes) % 4 === 3;
  const parts = (['train', 'test'] as const).map((part): MemoryPart => {
    const chosen = all.filter((i) => isTest(i) === (part === 'test'));
    const labels = Uint8Array.from(chosen, (i) => i % classes);
    const pixels = new Uint8Array(chosen.length * channels * size * size);
    const masks = new Uint8Array(chosen.length * size * size);
    for (const [k, i] of chosen.entries()) {
      const image = pixels.subarray(k * channels * size * size, (k + 1) * channels * size * size);
      const mask = masks.subarray(k * size * size, (k + 1) * size * size);
      paint(rng.split(i), { size, channels, label: labels[k] }, image, mask);
    }
    return { part, labels, pixels, masks };
  });
  return memorySource({
    name: 'synthetic',
    title: 'Synthetic textures (made up)',
    licence: 'none needed: generated',
    shape: [channels, size, size],
    classes: ['texture', 'blob', 'scratch'].slice(0, classes),
    parts,
  });
}

/** Paints one image (bytes, NCHW) and its mask. */
function paint(
  rng: Rng,
  { size, channels, label }: { size: number; channels: number; label: number },
  image: Uint8Array,
  mask: Uint8Array,
): void {
  const between = (low: number, high: number) => low + (high - low) * rng.uniform();
  // Waves of at most 1.5 periods over the image, in any direction.
  const waves = Array.from({ length: 3 }, () => {
    const angle = between(0, 2 * Math.PI);
    const k = (2 * Math.PI * between(0.3, 1.5)) / size;
    return { kx: k * Math.cos(angle), ky: k * Math.sin(angle), phase: between(0, 2 * Math.PI) };
  });
  const tint = Array.from({ length: channels }, () => between(0.8, 1));
  const [centreX, centreY] = [between(0.25, 0.75) * size, between(0.25, 0.75) * size];
  const radius = between(0.1, 0.2) * size;
  const tilt = between(0, Math.PI);
  const strength = (rng.int(2) === 0 ? -1 : 1) * between(0.35, 0.5);

  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      let value = 0.5;
      for (const { kx, ky, phase } of waves) value += 0.08 * Math.sin(kx * x + ky * y + phase);
      const [dx, dy] = [x + 0.5 - centreX, y + 0.5 - centreY];
      const along = dx * Math.cos(tilt) + dy * Math.sin(tilt);
      const across = dy * Math.cos(tilt) - dx * Math.sin(tilt);
      const touched =
        label === 1
          ? Math.hypot(dx, dy) <= radius
          : label === 2 && Math.abs(across) <= 0.6 && Math.abs(along) <= 2 * radius;
      if (touched) value += strength;
      mask[y * size + x] = touched ? 1 : 0;
      for (let c = 0; c < channels; c++) {
        image[(c * size + y) * size + x] = Math.round(255 * Math.min(1, Math.max(0, value * tint[c])));
      }
    }
  }
}
