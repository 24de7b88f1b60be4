/** The numbers of a phase that follow from the data: batches of an epoch and in all. */
import type { TrainingPhase } from '../../models/index.ts';
import type { FitOptions } from './contract.ts';

/** A phase with the numbers that follow from the data. */
export interface Plan {
  readonly phase: TrainingPhase['phase'];
  readonly batchSize: number;
  readonly anomalyShare?: number;
  readonly balanced?: boolean;
  readonly defects?: TrainingPhase['defects'];
  readonly perEpoch: number;
  readonly total: number;
}

export function planOf(
  { phase, epochs, batchSize, mostPerEpoch, anomalyShare, balanced, defects, of }: TrainingPhase,
  { train, labels, onEvent }: Pick<FitOptions, 'train' | 'labels' | 'onEvent'>,
): Plan {
  const size = Math.min(batchSize, train.length);
  if (size < batchSize && of !== 'held-out') {
    onEvent({
      type: 'warning',
      code: 'batch-size',
      message: `The batch size is reduced from ${batchSize} to ${size}: there are only ${train.length} training items.`,
    });
  }
  const normals = train.length - (labels?.reduce((n, y) => n + y, 0) ?? 0);
  const whole = Math.max(1, balanced ? Math.floor(normals / (size >> 1)) : Math.floor(train.length / size));
  const perEpoch = Math.min(whole, mostPerEpoch ?? whole);
  return { phase, batchSize: size, anomalyShare, balanced, defects, perEpoch, total: epochs * perEpoch };
}
