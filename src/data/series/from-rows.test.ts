/** Tables as series: channels, times, labels, training parts, and rows that are out of order. */
import { describe, expect, test } from 'vitest';
import { libraryWords, write } from '../../core/text.ts';
import { readCells } from '../table/cells.ts';
import { isSeries } from '../table/remarks.ts';
import { readTable, type TableOptions } from '../table/table.ts';
import { textLayout } from '../table/text-layout.ts';
import { seriesFromTable } from './from-rows.ts';
import { regular } from './regular.ts';
import { checkSeries } from './series.ts';

const count = (n: number) => Array.from({ length: n }, (_, i) => i);
const iso = (ms: number) => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
const start = Date.UTC(2024, 4, 1, 6);
const minute = 60_000;
const hour = 60 * minute;
const at = (m: number) => iso(start + m * minute);

function tableOf(lines: readonly string[], options?: TableOptions) {
  const bytes = new TextEncoder().encode(lines.join('\n'));
  return readTable(readCells(bytes, 'a.csv', textLayout(bytes)), options);
}
function ran(lines: readonly string[], options?: TableOptions) {
  const { series, remarks } = seriesFromTable(tableOf(lines, options));
  checkSeries([series], 'a');
  return {
    series,
    values: [...series.values],
    minutes: series.times && [...series.times].map((time) => (time - start) / minute),
    rows: [...series.rows!],
    labels: series.labels && [...series.labels],
    codes: remarks.map(({ code }) => code),
    texts: remarks.map(({ message }) => write(message, libraryWords)),
  };
}
/** Lines of times and values that differ from row to row. */
const lines = (times: readonly string[]) => ['when,temp', ...times.map((time, i) => `${time},${((i * 37) % 11) / 4}`)];
const values = (n: number) => count(n).map((i) => ((i * 37) % 11) / 4);

describe('channels', () => {
  test('are the columns of numbers, in their order', () => {
    const { series, codes } = ran([
      'temp,when,flow',
      ...count(60).map((i) => `${(i % 7) + 0.5},${at(i)},${i % 3 ? i % 5 : ''}`),
    ]);
    expect([series.id, series.channels]).toEqual(['a.csv', ['temp', 'flow']]);
    expect([...series.values.subarray(0, 8)]).toEqual([0.5, Number.NaN, 1.5, 1, 2.5, 2, 3.5, Number.NaN]);
    expect([...series.rows!.subarray(0, 3)]).toEqual([2, 3, 4]);
    expect(codes).toEqual([]);
  });

  test('texts are left out and told', () => {
    const { series, texts } = ran([
      'when,temp,state',
      ...count(60).map((i) => `${at(i)},${i % 7},${i % 2 ? 'on' : 'off'}`),
    ]);
    expect(series.channels).toEqual(['temp']);
    expect(texts).toEqual([
      "a.csv: texts are left out, because the channels of a series are numbers: state. If that is meant, say `columns.state: 'ignore'`.",
    ]);
  });

  test('identifiers are left out and told as in a table, times are not', () => {
    const { texts } = ran(['when,temp,row_id', ...count(60).map((i) => `${at(i)},${i % 7},${(i * 7919) % 1009}`)]);
    expect(texts).toEqual([expect.stringMatching(/^a\.csv: left out: row_id \(by its name/)]);
  });

  test('a file of texts alone is refused', () => {
    const rows = count(60).map((i) => `${at(i)},${i % 2 ? 'on' : 'off'}`);
    expect(() => ran(['when,state', ...rows])).toThrow(
      "a.csv must have a column of numbers to be a series, but has only texts (state). Say what a column holds with `columns['<name>']: 'numeric'`.",
    );
  });
});

describe('times', () => {
  test.each<[string, (i: number) => string | number]>([
    ['texts', (i) => at(i)],
    ['seconds since 1970', (i) => (start + i * minute) / 1000],
    ['milliseconds since 1970', (i) => start + i * minute],
    ['nanoseconds since 1970', (i) => `${start + i * minute}000000`],
    ['day first', (i) => `01.05.2024 ${String(6 + Math.floor(i / 60))}:${String(i % 60).padStart(2, '0')}`],
    ['with a zone', (i) => `${iso(start + (i + 120) * minute).replace(' ', 'T')}+02:00`],
  ])('%s', (_name, time) => {
    const { minutes, codes } = ran(lines(count(60).map((i) => String(time(i)))));
    expect(minutes).toEqual(count(60));
    expect(codes).toEqual([]);
  });

  test('none: steps are counted', () => {
    const { series, rows } = ran(['n,temp', ...count(60).map((i) => `${i},${i % 7}`)]);
    expect([series.times, series.channels, rows.length]).toEqual([undefined, ['temp'], 60]);
  });

  test('of day alone go on over midnight', () => {
    const clock = count(60).map((i) => `${(22 + Math.floor(i / 12)) % 24}:${String(5 * (i % 12)).padStart(2, '0')}`);
    const { series, texts } = ran(lines(clock));
    expect(series.times!.every((time, t) => t === 0 || time - series.times![t - 1] === 5 * minute)).toBe(true);
    expect(texts).toEqual([expect.stringMatching(/read as passing 1 midnight\.$/)]);
  });

  test('two columns: the one that rises, or the one that is named', () => {
    const rows = count(60).map((i) => `${at((i * 7) % 60)},${at(i + 5)},${i % 7}`);
    const { minutes, texts } = ran(['changed,measured,temp', ...rows]);
    expect(minutes).toEqual(count(60).map((i) => i + 5));
    expect(texts[0]).toBe(
      "a.csv: times are taken from measured; changed also holds times. To use another, say `columns.changed: 'time'`.",
    );
    const named = ran(['changed,measured,temp', ...rows], { columns: { changed: 'time' } });
    expect([named.minutes, named.series.channels]).toEqual([count(60), ['temp']]);
    expect(named.codes).toContain('times-out-of-order');
  });

  test.each<[string, number[], string]>([
    ['one', [3], '1 has none: line 5.'],
    ['the first', [0], '1 has none: line 2.'],
    ['the last', [59], '1 has none: line 61.'],
    ['three', [3, 8, 9], '3 have none: line 5, line 10, line 11.'],
    ['many', count(12), 'line 11, ….'],
  ])('missing: %s', (_name, missing, text) => {
    const times = count(60).map((i) => (missing.includes(i) ? '' : at(i)));
    expect(() => ran(lines(times))).toThrow(expect.objectContaining({ code: 'missing-times' }));
    expect(() => ran(lines(times))).toThrow(text);
    expect(() => ran(lines(times))).toThrow("count the rows instead with `columns.when: 'ignore'`.");
    expect(ran(lines(times), { columns: { when: 'ignore' } }).series.times).toBeUndefined();
  });

  test.each(['2024-13-45 06:00', 'yesterday', '2024', '06:0', '1714543200'])('a cell that is none: %s', (bad) => {
    const times = count(60).map((i) => (i === 30 ? bad : at(i)));
    expect(() => ran(lines(times))).toThrow(`must have times in the column when; not times: line 32: "${bad}".`);
  });
});

describe('order', () => {
  test.each<[string, (i: number) => number, number]>([
    ['one row late', (i) => (i === 20 ? 25.5 : i), 0],
    ['two rows exchanged', (i) => (i === 20 ? 21 : i === 21 ? 20 : i), 1],
    ['a block too late', (i) => (i < 10 ? i : i < 20 ? i + 10 : i < 30 ? i - 10 : i), 10],
    ['the last row first', (i) => (i === 0 ? 60 : i), 59],
    ['shuffled', (i) => (i * 7) % 60, 51],
  ])('%s', (_name, time, _back) => {
    const { minutes, values: sorted, codes, rows } = ran(lines(count(60).map((i) => at(time(i)))));
    const order = count(60).sort((a, b) => time(a) - time(b));
    expect(minutes).toEqual(order.map(time));
    expect(sorted).toEqual(order.map((i) => values(60)[i]));
    expect(rows).toEqual(order.map((i) => i + 2));
    expect(codes.filter((code) => code !== 'repeated-times')).toEqual(['times-out-of-order']);
  });

  test('is told with lines', () => {
    const { texts } = ran(lines(count(60).map((i) => at(i === 20 ? 21 : i === 21 ? 20 : i))));
    expect(texts).toEqual([
      'a.csv: 1 row has an earlier time in when than a row before: line 23. Rows are sorted by time.',
    ]);
  });

  test('rows from the newest to the oldest are turned round', () => {
    const { minutes, values: turned, codes } = ran(lines(count(60).map((i) => at(59 - i))));
    expect([minutes, turned, codes]).toEqual([count(60), values(60).reverse(), ['times-reversed']]);
  });
});

describe('equal times', () => {
  test.each<[string, number[]]>([
    ['two rows', [0, 1, 2, 2, 3, 4]],
    ['two rows before a gap', [0, 1, 2, 2, 3, 4, 9]],
    ['three rows', [0, 1, 1, 1, 2, 3]],
    ['at the begin', [0, 0, 1, 2, 3, 4]],
    ['at the end', [0, 1, 2, 3, 4, 4]],
    ['apart from each other', [0, 1, 2, 3, 1, 4]],
  ])('%s', (_name, times) => {
    const {
      minutes,
      values: means,
      labels,
      codes,
      rows,
    } = ran(['when,temp,label', ...times.map((m, i) => `${at(m)},${i},${i === 2 ? 1 : 0}`)]);
    const different = [...new Set(times)].sort((a, b) => a - b);
    const same = (m: number) => times.flatMap((time, i) => (time === m ? [i] : []));
    expect(minutes).toEqual(different);
    expect(means).toEqual(different.map((m) => same(m).reduce((a, b) => a + b) / same(m).length));
    expect(labels).toEqual(different.map((m) => Number(same(m).includes(2))));
    expect(rows).toEqual(different.map((m) => same(m)[0] + 2));
    expect(codes).toContain('repeated-times');
  });

  test('are told with lines; many of them may be several series', () => {
    const [text] = ran(lines([...count(30).map(at), at(29)])).texts;
    expect(text).toBe(
      'a.csv: 1 row repeats a time in when: line 32. Rows with the same time become one step: the mean of their values, anomalous if any of them is.',
    );
    const twice = ran(lines([...count(60).map(at), ...count(60).map(at)]));
    expect(twice.codes).toEqual(['times-out-of-order', 'repeated-times']);
    expect(twice.texts[1]).toMatch(/ line 71, …\..* split it into one file each\.$/);
  });
});

describe('daylight saving', () => {
  /** A clock in Berlin (`month`, `day` of the change) or elsewhere that shows `steps` steps of some minutes. */
  function clock(from: number, stepMinutes: number, steps: number, changes: readonly (readonly [number, number])[]) {
    return count(steps).map((i) => {
      const utc = from + i * stepMinutes * minute;
      const shift = changes.reduce((sum, [when, by]) => sum + (utc >= when ? by : 0), 0);
      return iso(utc + shift * hour);
    });
  }
  const autumn = Date.UTC(2024, 9, 27, 3); // 03:00 in summer time, from which counting begins
  const spring = Date.UTC(2025, 2, 30, 3);

  test.each([1, 5, 15, 30, 60])('an hour that comes twice, in steps of %i minutes', (step) => {
    const from = autumn - 40 * step * minute;
    const { series, codes, texts } = ran(lines(clock(from, step, 80, [[autumn, -1]])));
    expect(series.times!.every((time, t) => time === from + t * step * minute)).toBe(true);
    expect(codes).toEqual(['daylight-saving']);
    expect(texts[0]).toMatch(/the times in when go back after line 41 \(.*\) by one hour/);
  });

  test('and one that is left out in the spring behind it', () => {
    const steps = 200 * 24;
    const { series, codes } = ran(
      lines(
        clock(autumn - 48 * hour, 60, steps, [
          [autumn, -1],
          [spring, 1],
        ]),
      ),
    );
    expect(series.times!.every((time, t) => time === autumn - 48 * hour + t * hour)).toBe(true);
    expect(codes).toEqual(['daylight-saving']);
    expect(regular(series).remarks).toEqual([]);
  });

  test('a spring alone is a gap', () => {
    const { series, codes } = ran(lines(clock(spring - 48 * hour, 60, 100, [[spring, 1]])));
    expect([codes, series.values.length]).toEqual([[], 100]);
    expect(regular(series).remarks.map(({ code }) => code)).toEqual(['missing-steps']);
  });

  test.each<[string, (i: number) => number]>([
    ['by half an hour', (i) => (i < 30 ? i : i - 6)],
    ['by two hours', (i) => (i < 30 ? i : i - 24)],
    ['by an hour at noon', (i) => 72 + (i < 30 ? i : i - 12)],
    ['twice within a day', (i) => (i < 20 ? i : i < 40 ? i - 12 : i - 24)],
    ['by an hour and elsewhere too', (i) => (i === 10 ? 9 : i < 30 ? i : i - 12)],
    ['by an hour on every second step', (i) => (i % 2 ? i - 12 : i)],
  ])('times that go back %s are no such', (_name, time) => {
    const { codes } = ran(lines(count(60).map((i) => at(5 * time(i) - 360))));
    expect(codes).not.toContain('daylight-saving');
    expect(codes).toContain('times-out-of-order');
  });

  test('an hour that comes twice by day needs a day before and behind', () => {
    const { minutes, codes } = ran(lines(count(900).map((i) => at(5 * (i < 450 ? i : i - 12)))));
    expect([minutes, codes]).toEqual([count(900).map((i) => 5 * i), ['daylight-saving']]);
  });

  test.each<[string, (i: number) => number]>([
    ['end', (i) => (i >= 20 && i < 32 ? 31.5 : i)],
    ['begin', (i) => (i >= 20 && i < 32 ? 20 : i)],
    ['middle', (i) => (i >= 20 && i < 32 ? 26 : i)],
    ['begin, at the begin', (i) => (i < 3 ? 0 : i)],
    ['end, at the end', (i) => (i > 56 ? 59 : i)],
  ])('steps that are all written with the same time: their %s', (_name, time) => {
    const { minutes, texts } = ran(lines(count(60).map((i) => at(10 * time(i)))));
    expect(minutes!.every((m, i) => Math.abs(m - 10 * i) <= 10)).toBe(true);
    expect(minutes!.slice(1).every((m, i) => m > minutes![i])).toBe(true);
    expect(texts).toEqual([
      expect.stringMatching(/rows share a time in when .*, from line \d+; they are spread evenly/),
    ]);
  });

  test('an hourly row that is written twice is no such', () => {
    const { codes } = ran(lines(count(60).map((i) => at(60 * (i < 30 ? i : i - 1)))));
    expect(codes).toEqual(['repeated-times']);
  });
});

describe('labels and parts', () => {
  const labelled = (label: (i: number) => unknown) =>
    ran(['when,temp,label', ...count(60).map((i) => `${at(i)},${i % 7},${label(i)}`)]);
  const odd = count(60).map((i) => Number(i >= 50));

  test.each<[string, (i: number) => unknown]>([
    ['numbers', (i) => odd[i]],
    ['fractions', (i) => `${odd[i]}.0`],
    ['words', (i) => (odd[i] ? 'leak' : 'normal')],
    ['kinds', (i) => (odd[i] ? ['leak', 'jam'][i % 2] : 'normal')],
    ['minus one', (i) => (odd[i] ? -1 : 1)],
  ])('%s', (_name, label) => expect(labelled(label).labels).toEqual(odd));

  test('none without a column of them, or where it says nothing of normal', () => {
    expect(ran(lines(count(60).map(at))).labels).toBeUndefined();
    const { labels, codes } = labelled((i) => ['red', 'green'][i % 2]);
    expect([labels, codes]).toEqual([undefined, ['labels-unclear']]);
  });

  const parts = (part: (i: number) => string, time: (i: number) => number = (i) => i) =>
    ran(['when,temp,split', ...count(60).map((i) => `${at(time(i))},${i % 7},${part(i)}`)]);

  test('training is the first part', () => {
    expect(parts((i) => (i < 40 ? 'train' : 'test')).series.train).toBe(40);
    expect(
      parts(
        (i) => (i < 20 ? 'test' : 'train'),
        (i) => 59 - i,
      ).series.train,
    ).toBe(40);
    expect(
      parts(
        (i) => (i < 40 ? 'train' : 'test'),
        (i) => Math.floor(i / 2),
      ).series.train,
    ).toBe(20);
    expect(parts(() => 'train').series.train).toBeUndefined();
    expect(parts(() => 'test').series.train).toBeUndefined();
  });

  test.each<[string, (i: number) => string]>([
    ['last', (i) => (i < 20 ? 'test' : 'train')],
    ['in the middle', (i) => (i < 20 || i > 40 ? 'test' : 'train')],
    ['at both ends', (i) => (i < 20 || i > 40 ? 'train' : 'test')],
    ['every second', (i) => (i % 2 ? 'train' : 'test')],
    ['behind validation', (i) => (i < 10 ? 'train' : i < 20 ? 'validation' : 'train')],
  ])('training that is %s is not used', (_name, part) => {
    const { series, codes } = parts(part);
    expect([series.train, codes]).toEqual([undefined, ['parts-mixed']]);
  });
});

describe('is it a series?', () => {
  const isOne = (times: readonly string[]) => isSeries(tableOf(lines(times)));
  test('even steps, some gaps, a row out of order, an hour twice', () => {
    expect(isOne(count(60).map(at))).toBe(true);
    expect(isOne(count(60).map((i) => at(i < 30 ? i : i + 20)))).toBe(true);
    expect(isOne(count(200).map((i) => at(i === 20 ? 21 : i === 21 ? 20 : i)))).toBe(true);
    expect(isOne(count(300).map((i) => at(5 * (i < 200 ? i : i - 12))))).toBe(true);
  });
  test.each<[string, number, (i: number) => number]>([
    ['few rows', 49, (i) => i],
    ['random times', 200, (i) => (i * 7919) % 10_007],
    ['devices one below the other', 200, (i) => i % 100],
    ['several rows a time', 200, (i) => Math.floor(i / 4)],
    ['uneven steps', 200, (i) => i * i],
  ])('no: %s', (_name, n, time) => expect(isOne(count(n).map((i) => at(time(i))))).toBe(false));
});
