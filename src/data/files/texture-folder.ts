/** A folder of foreign images, as material for synthetic defects. Node only. */

import { writeUnit } from '../resize.ts';
import { openDecoder } from './decoder.ts';
import { findImages } from './image-paths.ts';
import { pagePaths } from './page-path.ts';

/** Images that are kept; of a larger folder every so many. */
const MOST = 256;

/**
 * At most 256 images of a folder and below it, each `[C, H, W]` in [0, 1] at the wanted shape.
 * @throws DataError `no-images` for a folder without images, and those of decoding.
 */
export async function readTextures(folder: string, shape: readonly [number, number, number]): Promise<Float32Array[]> {
  const paths = (await findImages([folder])).flatMap(pagePaths);
  const step = Math.max(1, paths.length / MOST);
  const chosen = Array.from({ length: Math.min(MOST, paths.length) }, (_, i) => paths[Math.floor(i * step)]);
  const decoder = openDecoder();
  try {
    const decoded = await Promise.all(chosen.map((path) => decoder.decode({ path, as: 'image', shape })));
    return decoded.map(({ data }) => {
      const image = new Float32Array(shape[0] * shape[1] * shape[2]);
      writeUnit(data, image, 0);
      return image;
    });
  } finally {
    await decoder.close();
  }
}
