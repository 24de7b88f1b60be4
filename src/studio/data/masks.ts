/** Masks: those that a data set brought, and those that were drawn, which lie in the project by the hashes of their bytes. Node only. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeImage } from '../../data/files/decode-image.ts';
import { decodePath } from '../../data/index.ts';
import { encodePng, fitMask, readHeader, sha256 } from '../../data/pure.ts';
import { writeAtomic } from '../../runs/files.ts';
import { Problem } from '../../server/problem.ts';
import type { ItemFacts } from '../answers-data.ts';
import { type Project, projectFiles } from '../project.ts';
import { edit } from './edits.ts';
import { fullPath, storedPath } from './places.ts';

type About = Pick<ItemFacts, 'id' | 'path' | 'label' | 'width' | 'height'>;

/** Bytes of a mask. */
export const MOST_OF_MASK = 32 * 2 ** 20;

async function sizeOf(project: Project, { path, height, width }: About): Promise<{ height: number; width: number }> {
  return height !== null && width !== null ? { height, width } : decodePath(fullPath(project, path), {});
}

/** The mask of an item as a grey PNG of 0 and 255; undefined where it has none. Throws as the decoder does. */
export async function maskOf(project: Project, item: About): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const row = project.database.prepare('SELECT mask FROM items WHERE id = ?').get(item.id) as { mask: string | null };
  if (row.mask === null) return undefined;
  const imageSize = await sizeOf(project, item);
  const mask = await decodePath(fullPath(project, row.mask), { isMask: true, imageSize });
  const marks = fitMask(mask, mask.height, mask.width);
  return new Uint8Array(encodePng({ ...mask, channels: 1, data: marks.map((mark) => 255 * mark) }));
}

/**
 * Gives an image a mask, a PNG of its size whose pixels above 0 are anomalous; the item is anomalous from then on. Throws Problem 400
 * for other bytes and another size.
 */
export async function setMask(project: Project, item: About, bytes: Uint8Array): Promise<void> {
  if (readHeader(bytes)?.format !== 'png') throw new Problem(400, 'mask', 'A mask must be a PNG file.');
  const { height, width } = await sizeOf(project, item);
  const mask = await decodeImage(bytes, 'The mask', undefined, 'black');
  if (mask.height !== height || mask.width !== width) {
    throw new Problem(
      400,
      'mask-size',
      `A mask must have the size of its image: ${width} x ${height} pixels, but this one has ${mask.width} x ${mask.height}.`,
    );
  }
  const marks = fitMask(mask, height, width);
  if (!marks.includes(1)) throw new Problem(400, 'empty-mask', 'The mask marks nothing. Draw on the image first.');
  // Written anew, so that nothing but pixels is kept of what a page sent.
  const png = encodePng({ height, width, channels: 1, data: marks.map((mark) => 255 * mark) });
  const folder = projectFiles(project.folder).masks;
  const path = join(folder, `${(await sha256(png)).slice(0, 32)}.png`);
  await mkdir(folder, { recursive: true });
  await writeAtomic(path, png);
  edit(project, [item.id], { set: { mask: storedPath(project, path), label: 'anomalous' } });
}

/** Takes the mask of an item away; its file stays, so that this can be undone. */
export function removeMask(project: Project, items: readonly number[]): void {
  edit(project, items, { set: { mask: null } });
}
