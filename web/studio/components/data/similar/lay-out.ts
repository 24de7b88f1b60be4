/**
 * Places for items in the plane, so that those that are alike lie together: UMAP (McInnes, Healy, Melville 2018, arXiv 1802.03426). The
 * neighbours are exact, and what is random comes from a seed: the same features give the same map.
 */
import { UMAP } from 'umap-js';
import { type Features, Neighbours } from './neighbours.ts';
import { seeded } from './seeded.ts';

/** Items that stand for what is near, the item itself among them. */
const NEIGHBOURS = 15;
/** Rounds in which places are mended; many items need less, as each is met by more others. */
const rounds = (count: number): number => (count <= 1000 ? 300 : 200);
/** Fewer items have no neighbourhood to speak of. */
export const LEAST = 5;
const SEED = 1;
/** Items whose neighbours are found, and rounds that are made, between two words of progress. */
const STEP = { items: 50, rounds: 5 } as const;

export interface LaidOut {
  /** `x, y` of each item. */
  readonly points: Float32Array;
  /** Of each item the one that is most like it. */
  readonly nearest: Uint32Array;
}

/** Lays items out; `tell` hears which share of the work is done. Throws RangeError for fewer than `LEAST` items. */
export function layOut(features: Features, tell: (share: number) => void = () => {}): LaidOut {
  const count = features.rows.length / features.width;
  if (count < LEAST) throw new RangeError(`At least ${LEAST} items are needed, and there are ${count}.`);
  const near = new Neighbours(features, Math.min(NEIGHBOURS, count));
  for (let from = 0; from < count; from += STEP.items) {
    near.find(from, Math.min(count, from + STEP.items));
    tell((0.5 * Math.min(count, from + STEP.items)) / count);
  }
  const random = seeded(SEED);
  const nEpochs = rounds(count);
  const umap = new UMAP({ nComponents: 2, nNeighbors: Math.min(NEIGHBOURS, count - 1), nEpochs, random });
  umap.setPrecomputedKNN(near.indices, near.distances);
  // The rows themselves are read only where neighbours are not given.
  umap.initializeFit(Array.from({ length: count }, () => []));
  for (let round = 0; round < nEpochs; round++) {
    umap.step();
    if (round % STEP.rounds === 0) tell(0.5 + (0.5 * round) / nEpochs);
  }
  return {
    points: Float32Array.from(umap.getEmbedding().flat()),
    nearest: Uint32Array.from(near.indices, (own) => own[1]),
  };
}
