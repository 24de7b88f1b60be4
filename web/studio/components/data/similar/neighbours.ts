/** The items that are most alike, by the distance of their features, compared with every other one. */

/** Features of items, `[count, width]`. */
export interface Features {
  readonly rows: Float32Array;
  readonly width: number;
}

/** Of each item the `most` nearest ones, itself first, and their distances, ascending. Quadratic in items. */
export class Neighbours {
  readonly indices: number[][] = [];
  readonly distances: number[][] = [];

  constructor(
    private readonly features: Features,
    private readonly most: number,
  ) {}

  /** Finds those of items `from` … `to` − 1, which must follow those that were found before. */
  find(from: number, to: number): void {
    for (let i = from; i < to; i++) {
      const near = nearestTo(this.features, i, this.most - 1);
      this.indices.push([i, ...near.map(({ item }) => item)]);
      this.distances.push([0, ...near.map(({ distance }) => distance)]);
    }
  }
}

/** The `most` items nearest to one, without itself, the nearest first; of equal ones the first. */
export function nearestTo({ rows, width }: Features, item: number, most: number): { item: number; distance: number }[] {
  const count = rows.length / width;
  const k = Math.min(most, count - 1);
  const squares = new Float64Array(k).fill(Number.POSITIVE_INFINITY);
  const items = new Uint32Array(k);
  const own = item * width;
  for (let j = 0; j < count && k > 0; j++) {
    if (j === item) continue;
    const other = j * width;
    let square = 0;
    for (let c = 0; c < width; c++) square += (rows[own + c] - rows[other + c]) ** 2;
    if (square >= squares[k - 1]) continue;
    let at = k - 1;
    for (; at > 0 && squares[at - 1] > square; at--) {
      squares[at] = squares[at - 1];
      items[at] = items[at - 1];
    }
    squares[at] = square;
    items[at] = j;
  }
  return Array.from(squares, (square, at) => ({ item: items[at], distance: Math.sqrt(square) }));
}
