/** Synthetic defects on the batches of a phase that asks for them, drawn from a stream of their own. */
import { InternalError } from '../../core/errors.ts';
import { type ItemShape, isImage } from '../../core/item-shape.ts';
import type { Rng } from '../../core/random.ts';
import { plantDefect, readTextures } from '../../data/index.ts';
import type { TrainingPhase } from '../../models/index.ts';

/** Images with defects on some, `[N, C, H, W]`, and the masks `[N, 1, H, W]`. */
export interface Planted {
  readonly images: Float32Array;
  readonly masks: Float32Array;
}

/**
 * Plants defects on copies of a batch: each image's is a function of the image and of the stream's split by its place.
 * A texture folder is read once, by the first call; DataError `no-images` where it holds none.
 */
export function openPlanter(
  defects: NonNullable<TrainingPhase['defects']>,
  shape: ItemShape,
): (batch: Float32Array, rng: Rng) => Promise<Planted> {
  const { textureFolder, ...options } = defects;
  let textures: Promise<Float32Array[]> | undefined;
  return async (batch, rng) => {
    if (!isImage(shape)) throw new InternalError(`defects are planted on images, got items of ${shape.join('x')}.`);
    if (textureFolder) textures ??= readTextures(textureFolder, shape);
    const all = { ...options, ...(textures && { textures: await textures }) };
    const [channels, height, width] = shape;
    const size = channels * height * width;
    const count = batch.length / size;
    const [images, masks] = [new Float32Array(batch.length), new Float32Array(count * height * width)];
    for (let i = 0; i < count; i++) {
      const image = batch.subarray(i * size, (i + 1) * size);
      const planted = plantDefect({ channels, height, width, image }, all, rng.split(i));
      images.set(planted.image, i * size);
      masks.set(planted.mask, i * height * width);
    }
    return { images, masks };
  };
}
