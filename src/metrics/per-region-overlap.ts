/** The per-region overlap curve from (0, 0) to the limit, in points near enough for a chart. */
export interface OverlapCurve {
  /** The false-positive rate at which it ends, (0, 1]. */
  readonly limit: number;
  /** Share of the normal pixels that reach a threshold, rising. */
  readonly falsePositiveRate: readonly number[];
  /** Mean share of each region that reaches it, [0, 1]. */
  readonly overlap: readonly number[];
  /** The point of the threshold of maps; its rate may lie beyond the limit. Null without a threshold. */
  readonly at: readonly [falsePositiveRate: number, overlap: number] | null;
}

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
  private readonly points = new CurvePoints();

  /** `limit` is L, `normals` the number of all normal pixels, `regions` that of all regions. */
  constructor(
    private readonly limit: number,
    private readonly normals: number,
    private readonly regions: number,
  ) {
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
      this.points.add((this.falsePositives + width) / this.end, (this.overlap + rise) / this.regions);
    } else if (width === 0 && normals === 0) {
      this.points.add(this.falsePositives / this.end, (this.overlap + weight) / this.regions);
    }
    this.falsePositives += normals;
    this.overlap += weight;
  }

  /** The area as a share of the largest possible one. */
  value(): number {
    return Math.min(1, this.area / (this.end * this.regions)); // the sums of weights round
  }

  /** How far `value` can be off when pixels of equal score have in truth some unknown order. */
  error(): number {
    return this.uncertain / (this.end * this.regions);
  }

  /** Where the scores that were walked so far lie on the curve. */
  here(): readonly [falsePositiveRate: number, overlap: number] {
    return [this.falsePositives / this.normals, Math.min(1, this.overlap / this.regions)];
  }

  /** The curve, with the point of a threshold on it. */
  curve(at: OverlapCurve['at']): OverlapCurve {
    const kept = this.points.all();
    return {
      limit: this.limit,
      falsePositiveRate: kept.map(([x]) => x * this.limit),
      overlap: kept.map(([, y]) => Math.min(1, y)),
      at,
    };
  }
}

/** Between two points that are kept, as a share of an axis. */
const APART = 1 / 128;

type Point = readonly [x: number, y: number];

/** Points of a curve that rises and goes right within [0, 1], thinned out while they come: 4 / APART at most. */
class CurvePoints {
  private readonly kept: Point[] = [[0, 0]];
  /** The last one that was left out. */
  private last: Point | undefined;

  add(x: number, y: number): void {
    const [keptX, keptY] = this.kept.at(-1)!;
    if (x - keptX < APART && y - keptY < APART) {
      this.last = [x, y];
      return;
    }
    // The corner before a long way is kept, too: the way would cut it off.
    if (this.last) this.kept.push(this.last);
    this.kept.push([x, y]);
    this.last = undefined;
  }

  all(): readonly Point[] {
    return this.last ? [...this.kept, this.last] : this.kept;
  }
}
