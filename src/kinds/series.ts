/** Windows of a series `[L, D]`, steps before channels: the place that detectors of series will fill. */
import { ShapeError } from '../core/errors.ts';
import { defineKind } from './define.ts';

/** A window: `L · D` values, step after step. */
export interface SeriesWindow {
  readonly data: Float32Array;
}

export const series = defineKind<SeriesWindow>({
  name: 'series',
  axes: 2,
  words: { item: 'window', items: 'windows', data: 'series', place: 'step', places: 'steps' },
  input: { name: 'window', layout: 'NLD', range: null },
  batch: 256,
  mapShape: (shape) => shape,
  async read({ data }, { shape }) {
    const size = shape.reduce((n, d) => n * d, 1);
    if (data.length !== size)
      throw new ShapeError(`A window of ${shape.join('x')} needs ${size} values, got ${data.length}.`);
    return { values: data };
  },
  locate: () => ({}),
});
