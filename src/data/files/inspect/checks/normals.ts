/** A quick look for normal images that are unlike the others: wrong labels, other products, failed exposures. */
import type { Check } from '../check.ts';
import { count } from '../check.ts';

/** Robust z above which a normal image is named; on two real sets without such images the largest were 5.4 and 6.4. */
const SUSPICIOUS = 7;
/** With fewer images the spread says nothing. */
const ENOUGH = 10;

/**
 * Distance of each normal image from the mean small picture, d = ‖t − t̄‖; z = 0.6745 (d − median) / MAD (Iglewicz and
 * Hoaglin, 1993). It sees what is wrong in the large, not small defects.
 */
export const suspiciousNormals: Check = {
  code: 'suspicious-normals',
  find({ images }) {
    const normals = images.filter(({ item, file }) => item.label === 'normal' && file.image);
    if (normals.length < ENOUGH) return [];
    const pictures = normals.map(({ file }) => file.image!.thumbnail);
    const mean = new Float64Array(pictures[0].length);
    for (const picture of pictures) for (const [i, v] of picture.entries()) mean[i] += v / pictures.length;
    const distances = pictures.map((picture) => Math.sqrt(picture.reduce((sum, v, i) => sum + (v - mean[i]) ** 2, 0)));
    const middle = median(distances);
    const spread = median(distances.map((d) => Math.abs(d - middle)));
    // Copies of one image have no spread; then any distance that is not rounding stands out.
    const zs = distances.map((d) => (0.6745 * (d - middle)) / Math.max(spread, 1e-3));
    const suspicious = [...zs.keys()].filter((i) => zs[i] > SUSPICIOUS).sort((a, b) => zs[b] - zs[a]);
    if (suspicious.length === 0) return [];
    return [
      {
        severity: 'warning',
        message: `${count(suspicious.length, 'normal image is', 'normal images are')} far from the mean of the normal images.`,
        advice: 'Check them: the detector learns that an anomaly among the normal images is normal.',
        paths: suspicious.map((i) => normals[i].file.id),
        remarks: suspicious.map((i) => `z ${zs[i].toFixed(1)}`),
      },
    ];
  },
};

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
