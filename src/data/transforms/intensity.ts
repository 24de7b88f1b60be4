/** Changes of values that leave every pixel, and so the mask, in its place. Results are clipped to [0, 1]. */
import type { Rng } from '../../core/random.ts';
import { checkSample, type Sample } from './sample.ts';

/** v ↦ (v − mean) · contrast + mean + brightness, where mean is that of the image: the two do not mix. */
export function adjust(
  sample: Sample,
  { brightness = 0, contrast = 1 }: { brightness?: number; contrast?: number },
): Sample {
  checkSample(sample);
  const mean = sample.image.reduce((sum, v) => sum + v, 0) / Math.max(1, sample.image.length);
  return { ...sample, image: sample.image.map((v) => clipped((v - mean) * contrast + mean + brightness)) };
}

/** Adds normal noise of standard deviation `std`, drawn for every value. */
export function addNoise(sample: Sample, std: number, rng: Rng): Sample {
  checkSample(sample);
  const noise = rng.normals(sample.image.length, 0, std);
  return { ...sample, image: sample.image.map((v, i) => clipped(v + noise[i])) };
}

const clipped = (v: number) => Math.min(1, Math.max(0, v));
