/**
 * The area under the per-region overlap curve, gathered in one walk down the scores. Each anomalous pixel weighs
 * 1 / |its region|, so that the sum of the weights above a threshold is (number of regions) · PRO(threshold).
 */
export class OverlapArea {
  /** ∫ PRO d(FPR) so far, in units of regions · normal pixels. */
  private area = 0;
  private uncertain = 0;
  private falsePositives = 0;
  private overlap = 0;
  /** The number of normal pixels at which FPR = L. */
  private readonly end: number;

  /** `limit` is L, `normals` the number of all normal pixels. */
  constructor(limit: number, normals: number) {
    this.end = limit * normals;
  }

  /** The next lower score: the normal pixels that have it, and the weight of the anomalous pixels that have it. */
  step(normals: number, weight: number): void {
    // The curve runs straight over pixels of equal score, and is cut off where FPR = L.
    const width = Math.min(normals, this.end - this.falsePositives);
    if (width > 0) {
      const rise = (weight * width) / normals;
      this.area += width * (this.overlap + rise / 2);
      this.uncertain += width * (weight - rise / 2);
    }
    this.falsePositives += normals;
    this.overlap += weight;
  }

  /** The area as a share of the largest possible one. */
  value(regions: number): number {
    return Math.min(1, this.area / (this.end * regions)); // the sums of weights round
  }

  /** How far `value` can be off when pixels of equal score have in truth some unknown order. */
  error(regions: number): number {
    return this.uncertain / (this.end * regions);
  }
}
