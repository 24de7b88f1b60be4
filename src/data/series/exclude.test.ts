import { describe, expect, it } from 'vitest';
import { excludedSteps, readIntervals, unmatched } from './exclude.ts';

const texts = (from: string, to: string) => ({ from, to, place: 'here' });
const minutes = (count: number) => Float64Array.from({ length: count }, (_, t) => 60_000 * t);

describe('stated intervals', () => {
  it('are read as times of series are, day and month in the order that fits all', () => {
    expect(readIntervals([texts('1970-01-01T00:05', '1970-01-02')])).toEqual([{ from: 300_000, to: 86_400_000 }]);
    const [first, second] = readIntervals([texts('02/01/2014', '03/01/2014'), texts('20/01/2014', '21/01/2014')]);
    expect(new Date(first.from).toISOString()).toBe('2014-01-02T00:00:00.000Z');
    expect(new Date(second.to).toISOString()).toBe('2014-01-21T00:00:00.000Z');
    expect(() => readIntervals([texts('soon', 'later')])).toThrow('here: an interval must be two times');
    expect(() => readIntervals([texts('2014-01-02', '2014-01-01')])).toThrow('must end after it begins');
  });

  it('leave out their steps and those whose windows touch them, on either side of the training part', () => {
    const span = { id: 'a', steps: 20, times: minutes(20) };
    const list = (marks: Uint8Array) => Array.from(marks.keys()).filter((t) => marks[t] === 1);
    const intervals = [{ from: 8 * 60_000, to: 10 * 60_000 }];
    expect(list(excludedSteps(span, 3, intervals))).toEqual([7, 8, 9, 10]);
    expect(list(excludedSteps({ ...span, border: 10 }, 3, intervals))).toEqual([7, 8, 9]);
    expect(() => excludedSteps({ id: 'a', steps: 20 }, 3, intervals)).toThrow('a has no times');
  });

  it('that hold no step are told, with where the steps lie', () => {
    const span = { times: minutes(20) };
    expect(unmatched([{ from: 0, to: 1 }], [span])).toBeUndefined();
    expect(unmatched([{ from: 9e9, to: 9.1e9 }], [span])).toMatch(
      /1 of 1 intervals to leave out hold no step \(1970-04-15 .*\): the steps run from 1970-01-01 00:00:00 to 1970-01-01 00:19:00/,
    );
  });
});
