/**
 * Frames of clips, each seen through the window of frames around it, `[L, C, H, W]`: frames before channels, values in [0, 1].
 * A kind of its own, and neither images nor series: kinds are recognised by their number of axes; the map is that of an image,
 * `[H, W]` of the frame that the window stands for, while order, windows, parts and segments are those of series. Which frame
 * that is: `stepsBefore(L)` frames after the first (`data/series/windows.ts`).
 */
import { ShapeError } from '../core/errors.ts';
import type { ClipShape, ImageShape } from '../core/item-shape.ts';
import { stepsBefore } from '../data/pure.ts';
import { defineKind } from './define.ts';
import { checkUnitRange, type ImageInput, image } from './image.ts';

/** A window: its L frames in their order, each as `scoreImage` takes an image, or `L · C · H · W` values in [0, 1]. */
export type ClipWindow = readonly ImageInput[] | { readonly data: Float32Array };

export const clip = defineKind<ClipWindow>({
  name: 'clip',
  axes: 4,
  words: { item: 'frame', items: 'frames', data: 'clips', place: 'pixel', places: 'pixels' },
  input: { name: 'clip', layout: 'NLCHW', range: [0, 1] },
  batch: 256,
  mapShape: ([, , height, width]) => [height, width],

  async read(item, context) {
    const [length, ...frame] = context.shape as ClipShape;
    const size = frame.reduce((n, d) => n * d, 1);
    if ('data' in item) {
      if (item.data.length !== length * size) {
        throw new ShapeError(
          `A window of ${context.shape.join('x')} needs ${length * size} values, got ${item.data.length}.`,
        );
      }
      checkUnitRange(item.data);
      return { values: item.data };
    }
    if (item.length !== length) throw new ShapeError(`A window has ${length} frames, got ${item.length}.`);
    const values = new Float32Array(length * size);
    const shape = frame as unknown as ImageShape;
    const read = await Promise.all(item.map((one) => image.read(one, { ...context, shape })));
    for (const [k, one] of read.entries()) values.set(one.values, k * size);
    return { values, size: read[stepsBefore(length)].size };
  },

  locate: (map, context) => image.locate(map, { ...context, shape: context.shape.slice(1) }),
});
