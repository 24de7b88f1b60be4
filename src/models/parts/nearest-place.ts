/** Where the oddest place of an image and the row of a bank that is nearest to it lie, as the output `nearest` says it. */
import * as g from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';

/** The grid of features and the image that it covers. */
export interface GridOfImage {
  readonly grid: readonly [height: number, width: number];
  readonly image: readonly [height: number, width: number];
}

/**
 * `[N, 5]` of the places `worst` `[N, 1]` and of the nearest rows `[N, P]` of their bank, whose `origins` `[M, 2]` are the
 * numbers of training images and places in their grids.
 */
export function nearestPlace(worst: Value, nearest: Value, origins: Value, { grid, image }: GridOfImage): Value {
  const [height, width] = grid;
  const origin = g.gather(origins, g.gatherElements(nearest, worst, 1), 0); // [N,1,2]
  const [item, place] = g.split(g.reshape(origin, [worst.shape[0], 2]), [1, 1], 1);
  const [across, down] = [image[1] / width, image[0] / height]; // pixels of a place
  const pixels = (cells: Value) => {
    const row = g.floor(g.div(cells, width));
    const column = g.sub(cells, g.mul(row, width));
    return [g.mul(g.add(row, 0.5), down), g.mul(g.add(column, 0.5), across)];
  };
  return g.concat([...pixels(g.cast(worst, 'float32')), item, ...pixels(place)], 1);
}
