import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  centredScores,
  lastStepScores,
  meanOfMaps,
  meanOfWindows,
  type WindowLayout,
  windowStarts,
  windowsOf,
} from './windows.ts';

/** Layouts of short series. */
const layouts = fc
  .tuple(
    fc.integer({ min: 1, max: 40 }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.double({ min: 0, max: 1, noNaN: true }),
  )
  .map(([steps, a, b]): WindowLayout => {
    const length = 1 + Math.floor(a * (steps - 1));
    return { steps, length, stride: 1 + Math.floor(b * (length - 1)) };
  });

const ramp = (n: number) => Float64Array.from({ length: n }, (_, i) => i + 1);
const list = (values: Float64Array) => Array.from(values);

describe('windows of a series', () => {
  it('cover every step, begin at the stride, and the last ends with the series', () => {
    fc.assert(
      fc.property(layouts, (layout) => {
        const starts = windowStarts(layout);
        expect(starts[0]).toBe(0);
        expect(starts.at(-1)! + layout.length).toBe(layout.steps);
        for (let i = 1; i < starts.length; i++) {
          expect(starts[i] - starts[i - 1]).toBeGreaterThan(0);
          expect(starts[i] - starts[i - 1]).toBeLessThanOrEqual(layout.stride);
        }
      }),
    );
  });

  it('hold the values of their steps, and their mean over coverings is the series', () => {
    fc.assert(
      fc.property(layouts, fc.integer({ min: 1, max: 3 }), (layout, channels) => {
        const values = ramp(layout.steps * channels);
        const windows = windowsOf(values, { ...layout, channels });
        expect(windows.length).toBe(windowStarts(layout).length * layout.length * channels);
        const back = meanOfMaps(windows, layout, channels);
        for (let k = 0; k < values.length; k++) expect(back[k]).toBeCloseTo(values[k], 9);
      }),
    );
  });

  it('give constant scores back, and keep within their range', () => {
    fc.assert(
      fc.property(layouts, (layout) => {
        const count = windowStarts(layout).length;
        for (const way of [meanOfWindows, centredScores, lastStepScores]) {
          const same = way(new Float64Array(count).fill(7), layout);
          expect(same.length).toBe(layout.steps);
          for (const score of same) expect(score).toBeCloseTo(7, 9);
          for (const score of way(ramp(count), layout)) {
            expect(score).toBeGreaterThanOrEqual(1);
            expect(score).toBeLessThanOrEqual(count);
          }
        }
      }),
    );
  });

  it('use no later step with the score at the last', () => {
    fc.assert(
      fc.property(layouts, (layout) => {
        const starts = windowStarts(layout);
        const ends = Float64Array.from(starts, (start) => start + layout.length - 1);
        const scores = lastStepScores(ends, layout);
        for (let t = layout.length - 1; t < layout.steps; t++) expect(scores[t]).toBeLessThanOrEqual(t);
      }),
    );
  });

  it('stand at their middle: ⌈(L − 1)/2⌉ repeats before and ⌊(L − 1)/2⌋ after', () => {
    expect(list(centredScores(ramp(3), { steps: 6, length: 4, stride: 1 }))).toEqual([1, 1, 1, 2, 3, 3]);
    expect(list(centredScores(ramp(3), { steps: 7, length: 5, stride: 1 }))).toEqual([1, 1, 1, 2, 3, 3, 3]);
    expect(list(centredScores(ramp(2), { steps: 6, length: 3, stride: 3 }))).toEqual([1, 1, 1, 2, 2, 2]);
    expect(list(lastStepScores(ramp(3), { steps: 5, length: 3, stride: 1 }))).toEqual([1, 1, 1, 2, 3]);
    expect(list(meanOfWindows(ramp(3), { steps: 5, length: 3, stride: 1 }))).toEqual([1, 1.5, 2, 2.5, 3]);
  });

  it('need a series of at least one window, of finite values', () => {
    expect(() => windowsOf(ramp(3), { length: 4 })).toThrow(/needs at least 4 steps; the series has 3/);
    const gap = Float64Array.of(1, 2, 3, 4, 5, Number.NaN);
    expect(() => windowsOf(gap, { length: 2, channels: 2 })).toThrow(/step 2, channel 1 is NaN/);
  });
});
