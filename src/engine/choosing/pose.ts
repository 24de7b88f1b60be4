/** Whether the normal images of a choice show one part in several poses, so that it is worth trying to lay them on their median. */
import { OddityError } from '../../core/errors.ts';
import { type ImageShape, itemSize } from '../../core/item-shape.ts';
import { type Laying, learnMedians, MEDIAN_IMAGES, type Medians, smallImages } from '../../models/parts/alignment.ts';
import { fitData } from '../fitting/items.ts';
import type { Assess } from './assess.ts';
import { resized } from './judges.ts';

/** Below them images lie alike: degrees, and share of the shorter side. */
const ALIKE = { degrees: 1, share: 0.01 };

/** How images would be laid; or why not. Throws Cancelled, and what reading images throws. */
export async function poseToTry({
  source,
  items,
  size,
  ...about
}: Pick<Assess, 'source' | 'items' | 'size' | 'runtime' | 'rng' | 'signal'>): Promise<
  { readonly align: { readonly align: Laying; readonly medians: Medians['medians'] } } | { readonly why: string }
> {
  const own = source.shape as ImageShape;
  const image = new Float32Array(itemSize(own));
  const small = {
    ...source,
    shape: [own[0], ...size] as ImageShape,
    async read(indices: ArrayLike<number>, out: Float32Array) {
      for (let i = 0; i < indices.length; i++) {
        await source.read([indices[i]], image);
        resized(image, own, size, out, i);
      }
    },
  };
  // Neighbours in the list may have been taken in one pose.
  const count = Math.min(MEDIAN_IMAGES, items.length);
  const some = Uint32Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)]);
  const data = fitData({ ...about, source: small, train: some });
  const images = await smallImages(data);
  try {
    const turned = await learnMedians('turn', data, images);
    if (turned.moved.degrees >= ALIKE.degrees) return { align: { align: 'turn', medians: turned.medians } };
    const { moved, medians } = await learnMedians('shift', data, images);
    if (moved.share >= ALIKE.share) return { align: { align: 'shift', medians } };
    return { why: 'the normal images lie alike' };
  } catch (error) {
    if (!(error instanceof OddityError) || error.code !== 'no-common-pose') throw error;
    return { why: 'the normal images show no part that can be laid on one place' };
  }
}
