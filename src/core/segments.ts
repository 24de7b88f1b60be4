/** Segments of a series: runs of steps with a label, or an alarm, that is not 0. */

/** Steps begin … end − 1, counted from 0. */
export interface Segment {
  readonly begin: number;
  /** The first step behind it. */
  readonly end: number;
}

/** The runs of steps that are not 0, in their order. `steps` is `[T]`. O(T). */
export function segmentsOf(steps: ArrayLike<number>): Segment[] {
  const segments: Segment[] = [];
  let begin = -1;
  for (let t = 0; t <= steps.length; t++) {
    const isInside = t < steps.length && steps[t] !== 0;
    if (isInside && begin < 0) begin = t;
    if (!isInside && begin >= 0) {
      segments.push({ begin, end: t });
      begin = -1;
    }
  }
  return segments;
}
