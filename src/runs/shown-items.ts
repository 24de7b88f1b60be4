/** Test items whose pictures are shown somewhere: each is scored once, with everything that pictures need. */
import { scoreWithMaps } from '../engine/scoring/stream.ts';
import type { Task } from '../engine/task/task.ts';
import type { Session } from '../runtime/index.ts';

/** What pictures of one item are made of; of windows of clips the frame that they stand for. */
export interface ShownItem {
  readonly image: Float32Array;
  readonly map: Float32Array;
  readonly reconstruction?: Float32Array;
  /** Five numbers, as `Scoring.nearest` has them. */
  readonly nearest?: Float32Array;
}

export class ShownItems {
  private readonly known = new Map<number, ShownItem>();

  constructor(
    private readonly session: Session,
    private readonly task: Task,
    private readonly signal?: AbortSignal,
  ) {}

  /** Those at positions of the test part, in this order. Throws as scoring does, Cancelled. */
  async at(positions: readonly number[]): Promise<ShownItem[]> {
    const { session, task, signal, known } = this;
    const { source, split } = task;
    const missing = [...new Set(positions)].filter((position) => !known.has(position));
    if (missing.length > 0) {
      const items = missing.map((position) => split.test[position]);
      const { images, maps, reconstructions, nearest } = await scoreWithMaps(session, source, items, { signal });
      const own = (all: Float32Array, k: number) =>
        all.subarray((k * all.length) / items.length, ((k + 1) * all.length) / items.length);
      for (const [k, position] of missing.entries()) {
        known.set(position, {
          image: own(images, k),
          map: own(maps, k),
          ...(reconstructions && { reconstruction: own(reconstructions, k) }),
          ...(nearest && { nearest: own(nearest, k) }),
        });
      }
    }
    return positions.map((position) => known.get(position)!);
  }
}
