/** The items that a model is trained on: of a whole data set, tiles of its images, windows taken for rows, frames for images. */
import { isClip, itemSize } from '../../core/item-shape.ts';
import { type Source, type Split, stepsBefore, tileSource } from '../../data/pure.ts';
import type { AnyModel } from '../../models/index.ts';
import { takesFramesForImages, takesWindowsForRows } from './suitable.ts';
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
  /** Normal items that are held out. */
  readonly heldOut: Uint32Array;
}

/**
 * A source as the model is trained on it: for a model of rows, windows of series are rows of their values side by side; for a
 * model of images, windows of clips are the frames that they stand for.
 */
export function asTrainedOn(model: AnyModel, source: Source): Source {
  if (takesFramesForImages(model, source.kind)) return framesOf(source);
  return takesWindowsForRows(model, source.kind)
    ? { ...source, kind: 'table', shape: [itemSize(source.shape)] }
    : source;
}

/** Windows of clips as single images. */
function framesOf(source: Source): Source {
  if (!isClip(source.shape)) return source;
  const [length, ...shape] = source.shape;
  const [size, whole] = [itemSize(shape), itemSize(source.shape)];
  return {
    ...source,
    kind: 'image',
    shape,
    async read(indices, out) {
      if (length === 1) return source.read(indices, out);
      const windows = new Float32Array(indices.length * whole);
      await source.read(indices, windows);
      for (let k = 0; k < indices.length; k++) {
        const at = k * whole + stepsBefore(length) * size;
        out.set(windows.subarray(at, at + size), k * size);
      }
    },
  };
}

/** What a model is trained on: the training items of a task, their tiles, or their values side by side as rows. */
export async function trainingPart(
  model: AnyModel,
  { source, split }: Pick<Task, 'source' | 'split'>,
  tiles?: Tiles,
): Promise<TrainingPart> {
  const { train, labels } = trainingItems(model, split);
  const heldOut = split.validation;
  if (!tiles) return { source: asTrainedOn(model, source), train, labels, heldOut };
  const { height, width, overlap } = tiles;
  const cut = await tileSource(source, { tileHeight: height, tileWidth: width, overlap });
  const pieces = (images: Uint32Array) => Uint32Array.from(Array.from(images).flatMap((image) => cut.tilesOf(image)));
  const cutTrain = pieces(train);
  return { source: cut, train: cutTrain, labels: new Uint8Array(cutTrain.length), heldOut: pieces(heldOut) };
}
