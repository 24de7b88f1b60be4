/** Steps of series, each seen through the window around it, `[L, D]`: steps before channels. */
import { ShapeError } from '../core/errors.ts';
import { columnReasons } from '../data/pure.ts';
import { defineKind } from './define.ts';

/** A window: `L · D` values, step after step, as the encoding of the detector has them. */
export interface SeriesWindow {
  readonly data: Float32Array;
}

/** Channels that are named as the ones that stand out. */
const CHANNELS = 3;

export const series = defineKind<SeriesWindow>({
  name: 'series',
  axes: 2,
  words: { item: 'step', items: 'steps', data: 'series', place: 'channel', places: 'channels' },
  input: { name: 'window', layout: 'NLD', range: null },
  batch: 1024,
  mapShape: (shape) => shape,

  async read({ data }, { shape }) {
    const size = shape.reduce((n, d) => n * d, 1);
    if (data.length !== size)
      throw new ShapeError(`A window of ${shape.join('x')} needs ${size} values, got ${data.length}.`);
    return { values: data };
  },

  locate(map, { shape, encoding, cells }) {
    if (!encoding) return {};
    const [steps, channels] = shape;
    const sums = new Float32Array(channels);
    for (let i = 0; i < steps * channels; i++) sums[i % channels] += map[i];
    return { columns: columnReasons(encoding, sums, CHANNELS, cells && ((channel) => cells[channel])) };
  },
});
