/**
 * A region of interest: pixels outside are black before a model sees them, in training and in use, so that nothing there
 * can count. `src/engine/region.ts` puts the same into the scoring graph.
 */
import { ConfigError, ShapeError } from '../../core/errors.ts';
import { sha256 } from '../hash.ts';
import type { Source } from '../item.ts';

/** `[H, W]`, 1 = inside. */
export type Region = Uint8Array;

/** Throws ShapeError for a region of another size, ConfigError `empty-region` when nothing is inside. */
export function checkRegion(region: Region, height: number, width: number): void {
  if (region.length !== height * width) {
    throw new ShapeError(`A region of ${height}x${width} needs ${height * width} values, got ${region.length}.`);
  }
  if (!region.some((v) => v > 0)) {
    throw new ConfigError('empty-region', 'A region must have pixels above 0, but has none.');
  }
}

/** Makes the pixels outside black, in place: `planes` is any number of planes `[…, H, W]`. */
export function blacken(planes: Float32Array, region: Region): void {
  for (let i = 0; i < planes.length; i++) if (region[i % region.length] === 0) planes[i] = 0;
}

/**
 * The values at the pixels inside, for measures that count pixels one by one: those outside must not be counted as
 * normal pixels that were found to be normal.
 */
export function inside<T extends Float32Array | Uint8Array>(plane: T, region: Region): T {
  return plane.filter((_, i) => region[i] > 0) as T;
}

/** A source whose images are black outside the region and whose masks mark nothing there. */
export async function regionSource(source: Source, region: Region): Promise<Source> {
  const [, height, width] = source.shape;
  checkRegion(region, height, width);
  const { readMasks, hash } = source;
  return {
    ...source,
    hash: await sha256(`${hash} ${await sha256(region.map((v) => (v > 0 ? 1 : 0)))}`),
    async read(indices, out) {
      await source.read(indices, out);
      blacken(out, region);
    },
    ...(readMasks && {
      async readMasks(indices: ArrayLike<number>, out: Uint8Array) {
        await readMasks.call(source, indices, out);
        for (let i = 0; i < out.length; i++) if (region[i % region.length] === 0) out[i] = 0;
      },
    }),
  };
}
