/** Refuses training items that say nothing: a single one, or many that are all the same, such as black images. */
import { DataError } from '../../core/errors.ts';
import { sizeOf } from '../../core/shape.ts';
import type { AnyModel } from '../../models/index.ts';
import type { TrainingPart } from './training-part.ts';

/** Items that are read at a time. */
const BLOCK = 16;

/**
 * Throws DataError `no-variance` for a model that trains by gradient, or sees through a backbone, on items that are all
 * equal. It reads no more than the first few where two of them differ.
 */
export async function checkDiffering(model: AnyModel, { source, train }: Pick<TrainingPart, 'source' | 'train'>) {
  if (model.learns !== 'gradient' && !model.backbone) return;
  const size = sizeOf(source.shape);
  let first: Float32Array | undefined;
  for (let at = 0; at < train.length; at += BLOCK) {
    const items = train.subarray(at, at + BLOCK);
    const values = new Float32Array(items.length * size);
    await source.read(items, values);
    first ??= values.slice(0, size);
    for (let i = 0; i < values.length; i++) if (values[i] !== first[i % size]) return;
  }
  const found = train.length === 1 ? 'only one' : `${train.length} equal ones`;
  throw new DataError(
    'no-variance',
    `${model.name}: training items must differ from each other, found ${found}. Add items, or use mean-image.`,
  );
}
