/** Missing values, gaps and uneven steps: filled, refused, brought on a grid, and told. */
import { describe, expect, test } from 'vitest';
import { Rng } from '../../core/random.ts';
import { libraryWords, write } from '../../core/text.ts';
import { LONGEST, type RegularOptions, regular } from './regular.ts';
import { checkSeries, type Series } from './series.ts';

const minute = 60_000;
const start = Date.UTC(2024, 4, 1, 6);

/** One channel `x`, a step a minute unless `at` says which. */
function seriesOf(values: readonly number[], at?: readonly number[], more: Partial<Series> = {}): Series {
  return {
    id: 'a.csv',
    channels: ['x'],
    values: Float64Array.from(values),
    times: Float64Array.from(values, (_, t) => start + minute * (at ? at[t] : t)),
    rows: Uint32Array.from(values, (_, t) => t + 2),
    ...more,
  };
}
function ran(series: Series, options?: RegularOptions) {
  const { series: out, remarks } = regular(series, options);
  checkSeries([out], 'out');
  return {
    values: [...out.values],
    minutes: out.times && [...out.times].map((time) => (time - start) / minute),
    labels: out.labels && [...out.labels],
    rows: out.rows && [...out.rows],
    train: out.train,
    codes: remarks.map(({ code }) => code),
    texts: remarks.map(({ message }) => write(message, libraryWords)),
  };
}
const _ = Number.NaN;
const count = (n: number) => Array.from({ length: n }, (_, i) => i);

test('a series that is complete and even stays as it is', () => {
  const series = seriesOf([1, 2, 3, 4, 5], undefined, { labels: Uint8Array.of(0, 0, 1, 0, 0), train: 2 });
  expect(regular(series)).toEqual({ series, remarks: [] });
  const { times: _times, ...counted } = series;
  expect(regular(counted)).toEqual({ series: counted, remarks: [] });
  expect(regular(seriesOf([1])).remarks).toEqual([]);
});

describe('missing values', () => {
  test.each<[string, number[], number[], number[]]>([
    ['inside', [1, _, 3, 4], [1, 2, 3, 4], [1, 1, 3, 4]],
    ['several', [0, _, _, 3, 4, 5, 6], [0, 1, 2, 3, 4, 5, 6], [0, 0, 0, 3, 4, 5, 6]],
    ['first', [_, _, 3, 4, 5], [3, 3, 3, 4, 5], [3, 3, 3, 4, 5]],
    ['last', [1, 2, 3, _], [1, 2, 3, 3], [1, 2, 3, 3]],
    ['infinite', [1, Number.POSITIVE_INFINITY, 3], [1, 2, 3], [1, 1, 3]],
    ['none', [1, 2, 3], [1, 2, 3], [1, 2, 3]],
  ])('%s', (_name, values, line, held) => {
    expect(ran(seriesOf(values)).values).toEqual(line);
    expect(ran(seriesOf(values), { gaps: 'hold' }).values).toEqual(held);
  });

  test('a line in time, not in steps', () => {
    const times = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9.75];
    const series = seriesOf([0, 0, 0, 0, 0, 0, 0, 0, 0, _, 7], times);
    expect(ran(series).values[9]).toBeCloseTo(4, 12);
  });

  test('told with counts and lines, refused with both', () => {
    const series: Series = {
      ...{ id: 'pump.csv', channels: ['temp', 'flow'], values: Float64Array.of(1, _, _, 2, _, 3, 4, 4, 5, 5) },
      rows: Uint32Array.of(2, 3, 4, 5, 6),
    };
    expect(ran(series).texts).toEqual([
      "pump.csv: 3 values of 10 are missing (temp 2, flow 1), at line 2, line 3, line 4; filled by linear interpolation. Alternatives: `gaps: 'hold'` or `gaps: 'refuse'`.",
    ]);
    expect(() => regular(series, { gaps: 'refuse' })).toThrow(
      "pump.csv: every step needs a value in every channel; 3 values of 10 are missing (temp 2, flow 1), at line 2, line 3, line 4. Correct them, or fill them with `gaps: 'interpolate'` or `gaps: 'hold'`.",
    );
    const many = seriesOf(count(40).map((t) => (t % 2 ? t : _)));
    expect(ran(many).texts[0]).toContain(', line 20 (2024-05-01 06:18:00), …;');
  });

  test.each([1, 2, 5, 100])('a channel without any value in %i steps', (steps) => {
    const series: Series = {
      ...{ id: 'a.csv', channels: ['x', 'dead'], values: Float64Array.from(count(2 * steps), (i) => (i % 2 ? _ : i)) },
    };
    for (const gaps of ['interpolate', 'hold', 'refuse'] as const) {
      expect(() => regular(series, { gaps })).toThrow(
        expect.objectContaining({ code: 'empty-channel', message: expect.stringContaining('dead has none') }),
      );
    }
  });

  test('more than half of a channel missing is told', () => {
    expect(ran(seriesOf([1, _, _, _, 5])).codes).toEqual(['missing-values', 'mostly-missing']);
    expect(ran(seriesOf([1, _, _, 4])).codes).toEqual(['missing-values']);
  });
});

describe('gaps', () => {
  const times = [0, 1, 2, 3, 7, 8, 9, 10, 12, 13, 14];
  const values = times.map((t) => 10 * t);
  const series = seriesOf(values, times, { labels: Uint8Array.from(times, (t) => (t >= 12 ? 1 : 0)), train: 6 });

  test('are filled with steps', () => {
    const out = ran(series);
    expect(out.minutes).toEqual(count(15));
    expect(out.values).toEqual(count(15).map((t) => 10 * t));
    expect(out.labels).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1]);
    expect(out.rows).toEqual([2, 3, 4, 5, 0, 0, 0, 6, 7, 8, 9, 0, 10, 11, 12]);
    expect(out.train).toBe(9);
    expect(out.texts).toEqual([
      "a.csv: 4 steps of 1 minute are missing in 2 gaps (longest: 3 steps, 3 minutes, after line 5 (2024-05-01 06:03:00)); filled by linear interpolation. Alternatives: `gaps: 'hold'` or `gaps: 'refuse'`.",
    ]);
    expect(ran(series, { gaps: 'hold' }).values.slice(3, 8)).toEqual([30, 30, 30, 30, 70]);
  });

  test('at the end of the training part belong to what follows', () => {
    expect(ran({ ...series, train: 4 }).train).toBe(4);
    expect(ran({ ...series, train: 5 }).train).toBe(8);
    expect(ran({ ...series, train: 11 }).train).toBe(15);
    expect(ran({ ...series, train: 0 }).train).toBe(0);
  });

  test('are refused', () => {
    expect(() => regular(series, { gaps: 'refuse' })).toThrow(
      "a.csv: a step is needed every 1 minute; 4 steps are missing: 3 after line 5 (2024-05-01 06:03:00), 1 after line 9 (2024-05-01 06:10:00). Add them, or fill them with `gaps: 'interpolate'` or `gaps: 'hold'`.",
    );
  });

  test.each<[string, number, number[], number]>([
    ['longer than the series', 30, [31], 0],
    ['as long as the series', 30, [29], 29],
    ['longer than any that is filled', 3 * LONGEST, [LONGEST + 2], 0],
    ['as long as is filled', 3 * LONGEST, [LONGEST], LONGEST],
    ['two that together are longer than the series', 30, [20, 20], 20],
    ['a short one and one that is too long', 30, [5, 100], 5],
  ])('%s', (_name, steps, missing, filled) => {
    let time = 0;
    const at = count(steps).map((t) => {
      time += 1 + (t % 10 === 5 ? (missing[(t - 5) / 10] ?? 0) : 0);
      return time;
    });
    const { values, rows, codes, texts } = ran(seriesOf(at, at));
    expect(values.length).toBe(steps + filled);
    expect(rows!.filter((row) => row === 0).length).toBe(filled);
    expect(codes.includes('missing-steps')).toBe(filled > 0);
    const isLeft = missing.reduce((a, b) => a + b) > filled;
    expect(codes.includes('long-gaps')).toBe(isLeft);
    if (isLeft) expect(texts.at(-1)).toMatch(/too long to be filled: 1 gap \(/);
  });

  test('months are steps', () => {
    const months = count(30).map((m) => (Date.UTC(2022, m) - start) / minute);
    expect(ran(seriesOf(months, months)).codes).toEqual([]);
    expect(ran(seriesOf(months.slice(1), [months[0], ...months.slice(2)])).codes).toEqual(['missing-steps']);
  });
});

describe('irregular steps', () => {
  const rng = new Rng(7);
  let time = 0;
  const at = count(200).map(() => {
    time += 0.2 + 2 * rng.uniform();
    return time;
  });

  test('are told and taken as they come', () => {
    const { values, minutes, codes, texts } = ran(seriesOf(at, at));
    expect(codes).toEqual(['irregular-steps']);
    expect([values, minutes!.length]).toEqual([at, 200]);
    expect(texts[0]).toMatch(/^a\.csv: irregular steps: \d+ of 199 intervals differ from .*use `step: '<length>'`\.$/);
  });

  test('a step brings them on a grid', () => {
    const { minutes, values, codes, rows } = ran(seriesOf(at, at), { step: 2 * minute });
    expect(codes[0]).toBe('resampled');
    const steps = minutes!.map((m) => m - minutes![0]);
    expect(steps.every((m, i) => Math.abs(m - 2 * i) < 1e-6)).toBe(true);
    expect(rows!.filter((row) => row > 0).every((row, i, all) => i === 0 || row > all[i - 1])).toBe(true);
    // The value of each step is its time, so that means stay within the step, less what comes early.
    expect(values.every((v, i) => i === 0 || v > values[i - 1])).toBe(true);
  });
});

describe('a step', () => {
  const labels = Uint8Array.of(0, 0, 0, 0, 0, 1, 0, 0, 0, 0);
  const series = seriesOf(count(10), undefined, { labels, train: 5 });

  test('longer than the usual one: means, labels of any, training of all', () => {
    expect(ran(series, { step: 2 * minute })).toEqual({
      ...{ values: [0.5, 2.5, 4.5, 6.5, 8.5], minutes: [0, 2, 4, 6, 8], labels: [0, 0, 1, 0, 0] },
      ...{ rows: [2, 4, 6, 8, 10], train: 2, codes: ['resampled'] },
      texts: [
        'a.csv: resampled from steps of 1 minute (median) to 2 minutes: 10 steps became 5, each the mean of its values.',
      ],
    });
  });

  test('shorter than the usual one: steps between by the policy', () => {
    const { values, minutes, codes } = ran(series, { step: minute / 2 });
    expect(values).toEqual(count(19).map((t) => t / 2));
    expect(minutes).toEqual(count(19).map((t) => t / 2));
    expect(codes).toEqual(['resampled', 'missing-steps']);
    expect(() => regular(series, { step: minute / 2, gaps: 'refuse' })).toThrow(/9 steps are missing/);
  });

  test('equal to the usual one evens steps that come early or late', () => {
    const at = [0, 1.2, 1.9, 2.7, 4.3, 5.1, 5.8];
    expect(ran(seriesOf(at, at), { step: minute }).minutes).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  test('a mean leaves missing values out', () => {
    const holes = seriesOf([1, _, _, _, 5, 6]);
    expect(ran(holes, { step: 2 * minute }).values).toEqual([1, 3.25, 5.5]);
  });

  test.each<[string, number, RegExp]>([
    ['zero', 0, /`step` must be a length of time in milliseconds, above 0, got 0\./],
    ['negative', -5, /above 0/],
    ['not a number', Number.NaN, /above 0/],
    ['infinite', Number.POSITIVE_INFINITY, /above 0/],
    ['longer than the series', 60 * minute, /must be from 600 milliseconds to 9 minutes .* got 1 hour/],
    ['far too short', 1, /must be from 600 milliseconds to 9 minutes .* got 1 millisecond/],
  ])('%s is refused', (_name, step, message) => {
    expect(() => regular(series, { step })).toThrow(expect.objectContaining({ code: 'step' }));
    expect(() => regular(series, { step })).toThrow(message);
  });

  test('needs times', () => {
    const { times: _times, ...counted } = series;
    expect(() => regular(counted, { step: minute })).toThrow(
      '`step` needs times, but a.csv has no column of times: its steps are counted. Leave `step` out.',
    );
  });

  test('an unknown policy is refused', () => {
    expect(() => regular(series, { gaps: 'drop' as 'hold' })).toThrow(
      '`gaps` must be interpolate, hold or refuse, got "drop".',
    );
  });
});
