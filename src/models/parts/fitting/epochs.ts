/** How long to train by default: what a network needs is steps, and how many passes those are follows from the data. */

/** Passes over `count` items that make about `steps` batches, at least 1. */
export function epochsFor(steps: number, batchSize: number, count: number): number {
  return Math.max(1, Math.round((steps * batchSize) / count));
}
