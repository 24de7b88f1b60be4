/** What the page and Node both do: fit a model to 20 pictures made here, and score a normal one and a defective one. */
import type { Detector, RawImage } from '../../dist/browser/index.js';
import { Rng } from '../../dist/core/random.js';

const side = 32;

/** A slope with noise, as grey bytes; a defective one has a dark square. */
export function picture(seed: number, isDefective = false): RawImage {
  const noise = new Rng(seed).normals(side * side);
  const data = Uint8Array.from(noise, (n, p) => {
    const [x, y] = [p % side, Math.floor(p / side)];
    const isInside = isDefective && x >= 8 && x < 14 && y >= 18 && y < 24;
    return Math.max(0, Math.min(255, Math.round(90 + 3 * x + y + 3 * n - (isInside ? 60 : 0))));
  });
  return { data, width: side, height: side };
}

export const normals = Array.from({ length: 20 }, (_, i) => picture(i));
export const [normal, defective] = [picture(100), picture(100, true)];

export type ModelUnderTest = 'pca' | 'knn' | 'dfm';

/** What both fit with. */
export const options = { validationFraction: 0.2, size: [side, side], threads: 1 } as const;

/** Score, map and decision of both pictures, as plain numbers. */
export async function scoreBoth(detector: Detector) {
  const results = [];
  for (const image of [normal, defective]) {
    const { score, map, decision, threshold, regions } = await detector.scoreImage(image);
    results.push({ score, map: Array.from(map), decision, threshold, regions });
  }
  return results;
}
export type BothScores = Awaited<ReturnType<typeof scoreBoth>>;
