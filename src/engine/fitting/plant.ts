/** Synthetic defects on the batches of a phase that asks for them, drawn from a stream of their own. */
import { ConfigError, InternalError } from '../../core/errors.ts';
import { type ImageShape, type ItemShape, isImage } from '../../core/item-shape.ts';
import type { Rng } from '../../core/random.ts';
import { option, say } from '../../core/text.ts';
import { plantDefect } from '../../data/pure.ts';
import type { TrainingPhase } from '../../models/index.ts';

/** Reads the images of a folder, each `[C, H, W]` in [0, 1] at the shape: `readTextures` of data where there is a disk. */
export type TextureReader = (folder: string, shape: ImageShape) => Promise<readonly Float32Array[]>;

/** Images with defects on some, `[N, C, H, W]`, and the masks `[N, 1, H, W]`. */
export interface Planted {
  readonly images: Float32Array;
  readonly masks: Float32Array;
}

/**
 * Plants defects on copies of a batch: each image's is a function of the image and of the stream's split by its place.
 * A texture folder is read once, by the first call.
 * @throws ConfigError `no-disk` for a texture folder where there is no `readTextures`, and what that throws.
 */
export function openPlanter(
  defects: NonNullable<TrainingPhase['defects']>,
  shape: ItemShape,
  readTextures: TextureReader = withoutDisk,
): (batch: Float32Array, rng: Rng) => Promise<Planted> {
  const { textureFolder, ...options } = defects;
  let textures: ReturnType<TextureReader> | undefined;
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

async function withoutDisk(folder: string): Promise<never> {
  throw new ConfigError(
    'no-disk',
    say`A folder of textures can be read only where there is a disk, got ${folder}. Leave the option
      ${option('config.textures')} out.`,
  );
}
