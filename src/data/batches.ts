/** The order of training batches: a pure function of (n, batch size, seed, epoch), so that any step can be replayed. */
import { ConfigError } from '../core/errors.ts';
import type { Rng } from '../core/random.ts';
import { type Tensor, tensor } from '../core/tensor.ts';
import type { Source } from './item.ts';

/** The order in which 0 … n − 1 are visited in an epoch (from 0). `rng` is not advanced. */
export function epochOrder(rng: Rng, n: number, epoch: number): Uint32Array {
  return rng.split('epoch').split(epoch).permutation(n);
}

/** Options of `batchOrder`. */
export interface BatchOrderOptions {
  /** Number of training items. */
  readonly n: number;
  readonly batchSize: number;
  /**
   * What to do when n is not a multiple of the batch size: `drop` leaves the rest of the epoch out; `wrap` fills the
   * last batch from the start of the same epoch's order. Default `drop`; fewer items than one batch always wrap.
   */
  readonly last?: 'drop' | 'wrap';
  /** Its stream `epoch` is used; it is not advanced. */
  readonly rng: Rng;
}

/** Batches by number, counted through all epochs. */
export interface BatchOrder {
  /** Batches in one epoch, at least 1. */
  readonly perEpoch: number;
  /** Positions (0 … n − 1) in batch `step` (from 0), always `batchSize` of them. */
  at(step: number): Uint32Array;
}

/** Makes the order; throws ConfigError `batch-size` unless n and the batch size are whole numbers >= 1. */
export function batchOrder(options: BatchOrderOptions): BatchOrder {
  const { n, batchSize, last = 'drop', rng } = options;
  if (!Number.isInteger(batchSize) || batchSize < 1 || !Number.isInteger(n) || n < 1) {
    throw new ConfigError(
      'batch-size',
      `The number of items and the batch size must be integers of at least 1, got ${n} items and a batch size of ${batchSize}.`,
    );
  }
  const perEpoch = Math.max(1, last === 'drop' ? Math.floor(n / batchSize) : Math.ceil(n / batchSize));
  let epoch = -1;
  let order: Uint32Array = new Uint32Array(0);
  return {
    perEpoch,
    at(step) {
      const wanted = Math.floor(step / perEpoch);
      if (wanted !== epoch) {
        order = epochOrder(rng, n, wanted);
        epoch = wanted;
      }
      const start = (step % perEpoch) * batchSize;
      return Uint32Array.from({ length: batchSize }, (_, i) => order[(start + i) % n]);
    },
  };
}

/**
 * Reads the items `members[positions[0]]`, `members[positions[1]]`, … as a float32 tensor `[N, C, H, W]` in [0, 1];
 * without positions, all members in their order. `members` are item numbers, such as `split.train`. The tensor is the
 * caller's.
 */
export async function gatherBatch(
  source: Source,
  members: ArrayLike<number>,
  positions?: ArrayLike<number>,
): Promise<Tensor> {
  const indices = positions ? Uint32Array.from(positions, (p) => members[p]) : members;
  const shape = [indices.length, ...source.shape];
  const out = new Float32Array(shape.reduce((n, d) => n * d, 1));
  await source.read(indices, out);
  return tensor('float32', shape, out);
}
