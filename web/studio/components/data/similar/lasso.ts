/** Which points a hand has drawn around, and which one it has pointed at. Points are `x, y` one after another, in the units of the lasso. */

/** Whether a point lies in a closed line, by the even-odd rule: what is crossed twice is outside. */
export function isInside(x: number, y: number, line: ArrayLike<number>): boolean {
  let inside = false;
  const corners = line.length / 2;
  for (let i = 0, j = corners - 1; i < corners; j = i++) {
    const [ax, ay, bx, by] = [line[2 * i], line[2 * i + 1], line[2 * j], line[2 * j + 1]];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

/** Places in the list of those points that lie in a closed line, ascending. */
export function pointsInside(points: ArrayLike<number>, line: ArrayLike<number>): number[] {
  const found: number[] = [];
  for (let i = 0; i < points.length / 2; i++) if (isInside(points[2 * i], points[2 * i + 1], line)) found.push(i);
  return found;
}

/** Place of the point that is nearest, of those that `isAsked`; undefined where none is within `most`. */
export function nearestPoint(
  points: ArrayLike<number>,
  [x, y]: readonly [number, number],
  most: number,
  isAsked: (place: number) => boolean = () => true,
): number | undefined {
  let found: number | undefined;
  let least = most * most;
  for (let i = 0; i < points.length / 2; i++) {
    const square = (points[2 * i] - x) ** 2 + (points[2 * i + 1] - y) ** 2;
    if (square > least || !isAsked(i)) continue;
    least = square;
    found = i;
  }
  return found;
}

/** Places in [0, 1] × [0, 1], with the same scale along both axes and in the middle. */
export function fitted(points: ArrayLike<number>): Float32Array {
  const [low, high] = [
    [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
  ];
  for (let i = 0; i < points.length; i++) {
    low[i % 2] = Math.min(low[i % 2], points[i]);
    high[i % 2] = Math.max(high[i % 2], points[i]);
  }
  const side = Math.max(high[0] - low[0], high[1] - low[1]) || 1;
  return Float32Array.from(points, (value, i) => 0.5 + (value - (low[i % 2] + high[i % 2]) / 2) / side);
}
