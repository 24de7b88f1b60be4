/** The items that a model is trained on: of a whole data set, or tiles of its images. */
import { type Source, type Split, tileSource } from '../../data/pure.ts';
import type { AnyModel } from '../../models/index.ts';
import type { Task } from './task.ts';
import type { Tiles } from './view-options.ts';

/** What a model learns from: supervised models from all training items, the others from the normal ones. */
export function trainingItems(model: AnyModel, split: Split): { train: Uint32Array; labels: Uint8Array } {
  const { train, trainLabels } = split;
  if (model.learning === 'supervised') return { train, labels: trainLabels };
  const normal = train.filter((_, i) => trainLabels[i] === 0);
  return { train: normal, labels: new Uint8Array(normal.length) };
}

/** Where a model's training items lie. */
export interface TrainingPart {
  readonly source: Source;
  readonly train: Uint32Array;
  /** 1 = anomalous, in the order of `train`. */
  readonly labels: Uint8Array;
}

/** What a model is trained on: the training items of a task, or their tiles. */
export async function trainingPart(
  model: AnyModel,
  { source, split }: Pick<Task, 'source' | 'split'>,
  tiles?: Tiles,
): Promise<TrainingPart> {
  const { train, labels } = trainingItems(model, split);
  if (!tiles) return { source, train, labels };
  const { height, width, overlap } = tiles;
  const cut = await tileSource(source, { tileHeight: height, tileWidth: width, overlap });
  const pieces = Uint32Array.from(Array.from(train).flatMap((image) => cut.tilesOf(image)));
  return { source: cut, train: pieces, labels: new Uint8Array(pieces.length) };
}
