import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { silent } from '../../core/events.ts';
import { Rng } from '../../core/random.ts';
import { findProtocol } from '../protocols/index.ts';
import { findLeaks } from '../split.ts';
import { cellNumber, readCells } from './cells.ts';
import { encodeRows } from './encode-rows.ts';
import { columnTotals, fitEncoding } from './encoding.ts';
import { tableSource } from './source.ts';
import { type ColumnKind, readTable } from './table.ts';
import { textLayout } from './text-layout.ts';

const encode = (text: string) => new TextEncoder().encode(text);
const cells = (text: string) => readCells(encode(text), 'x.csv', textLayout(encode(text)));
const table = (text: string, kinds?: Record<string, ColumnKind>) => readTable(cells(text), { columns: kinds });
const grid = (text: string) => {
  const { heads, rows, texts } = cells(text);
  const columns = heads.map((_, c) => texts(c));
  return Array.from({ length: rows }, (_, r) => columns.map(({ values, code }) => values[code(r)]));
};

describe('cells', () => {
  test('separators, quotes, line ends, a byte order mark and blank lines', () => {
    expect(grid('a,b\n1,2\n3,4')).toEqual([
      ['1', '2'],
      ['3', '4'],
    ]);
    expect(grid('\uFEFFa;b\r\n1,5;"x;""y"""\r\n\r\n2;\r\n')).toEqual([
      ['1,5', 'x;"y"'],
      ['2', ''],
    ]);
    expect(cells('a\tb\n\n1\t2\n').numbers[0]).toBe(3);
    expect(grid('a,b\n"1\n2",3\n4,5\n')[1]).toEqual(['4', '5']);
    expect(cells('a,b\n"1\n2",3\n4,5\n').numbers[1]).toBe(4);
  });

  test('what any writer of CSV quotes comes back', () => {
    const cell = fc.string({ unit: 'grapheme', maxLength: 8 }).filter((s) => !s.includes('\r') && s === s.trim());
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 5 }), (rows) => {
        const quoted = (s: string) => `"${s.replaceAll('"', '""')}"`;
        const text = `a,b\n${rows.map((row) => row.map(quoted).join()).join('\n')}\n`;
        expect(grid(text)).toEqual(rows);
      }),
    );
  });

  test('rows of another width, a quote without end and an empty file are refused', () => {
    expect(() => cells('a,b\n1,2\n1\n1,2,3\n')).toThrow('line 3: 1 fields instead of 2; line 4: 3 fields instead of 2');
    expect(() => cells('a,b\n"1,2\n')).toThrow('is not closed');
    expect(() => cells('')).toThrow('is empty');
  });

  test('numbers are those of JavaScript, to the last bit', () => {
    const number = (text: string) => cellNumber(encode(text), 0, encode(text).length);
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (v) => {
        expect(number(String(v))).toBe(v === 0 ? 0 : v);
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: -1e9, max: 1e9 }), fc.integer({ min: 0, max: 6 }), (v, digits) => {
        const text = (v / 10 ** digits).toFixed(digits);
        expect(number(text)).toBe(Number(text));
      }),
    );
    for (const text of ['', ' ', '?', 'NA', 'nan', 'null']) expect(number(text)).toBeNaN();
    expect([' 5 ', '+.5', '1e3'].map(number)).toEqual([5, 0.5, 1000]);
    for (const text of ['-', 'n.a.', '#DIV/0!', 'Bad', '-Inf', 'infinity', '<NA>']) expect(number(text)).toBeNaN();
    for (const text of ['x', '1x', '0x10', '1 2', '<5', '12%']) expect(number(text)).toBe(undefined);
  });
});

describe('columns', () => {
  test('kinds follow from the cells, unless they are given', () => {
    const text = 'a,b,c,label\n1,x,7,0\n2.5,y,8,1\n,x,7,0\n';
    const read = table(text);
    expect(read.table.columns).toEqual([
      { name: 'a', kind: 'numeric' },
      { name: 'b', kind: 'categorical', values: ['x', 'y'] },
      { name: 'c', kind: 'numeric' },
    ]);
    expect([...read.table.cells]).toEqual([1, 0, 7, 2.5, 1, 8, Number.NaN, 0, 7]);
    expect([read.classes, [...read.labels], read.normalClass]).toEqual([['normal', 'anomalous'], [0, 1, 0], 0]);
    expect(read.explanation).toBe(
      'x.csv: 3 rows; 2 columns of numbers and 1 of text (b 2); labels in label: 2 normal, 1 anomalous.',
    );
    const given = table(text, { c: 'categorical', a: 'ignore' }).table.columns;
    expect(given.map(({ name, kind }) => `${name} ${kind}`)).toEqual(['b categorical', 'c categorical']);
  });

  test('labels: words, kinds of anomalies, names of classes, none', () => {
    const labels = (...values: string[]) =>
      table(`a,y\n${values.map((v, i) => `${i},${v}`).join('\n')}\n`, { y: 'label' });
    expect(labels('ok', 'worn', 'ok', 'bent')).toMatchObject({ classes: ['ok', 'worn', 'bent'], normalClass: 0 });
    expect(labels('cat', 'dog')).toMatchObject({ classes: ['cat', 'dog'] });
    expect(labels('cat', 'dog').normalClass).toBe(undefined);
    expect(table('a\n1\n2\n')).toMatchObject({ classes: ['normal'], normalClass: 0 });
    expect(() => labels('0.25', '0.5')).toThrow('must be 0 for normal and 1 for anomalous, words such as normal');
    expect(() => labels('0', '')).toThrow('line 3: no label');
    expect(table('a,split\n1,train\n2,test\n').parts).toEqual(['train', 'test']);
    expect(table('a,split\n1,left\n2,right\n').parts).toBe(undefined);
  });

  test('what cannot be used is named with its line', () => {
    expect(() => table('a,b\n1,2\n1e300,3\n')).toThrow(
      'finite numbers in the column a; these are wrong: line 3: "1e300"',
    );
    expect(() => table('a,b\n1,x\n2,3\n', { b: 'numeric' })).toThrow('the column b; these are wrong: line 2: "x"');
    expect(() => table('a,b\n,1\n,2\n', { a: 'numeric' })).toThrow('The column a of x.csv is empty');
    expect(() => table('a,b\n1,2\n', { c: 'ignore' })).toThrow('x.csv has no column "c".');
    expect(() => table('a,a\n1,2\n')).toThrow('"a" is there twice');
    expect(() => table('a,label\n')).toThrow('has column names but no rows');
    expect(() => table('label\n0\n')).toThrow('must have a column of values, but all of its columns are labels');
    const ids = Array.from({ length: 1200 }, (_, i) => `id${i},${i}`).join('\n');
    expect(() => table(`id,v\n${ids}\n`, { id: 'categorical' })).toThrow("Leave it out with `columns.id: 'ignore'`");
  });
});

describe('encoding', () => {
  const read = table('a,b,c,d\n1,x,5,0\n3,y,5,\n2,x,5,4\n9,z,6,8\n');
  const fitted = fitEncoding(read.table, [0, 1, 2], { scaling: 'min-max' });

  test('is learnt from the training rows only', () => {
    expect(fitted.encoding.columns).toEqual([
      { name: 'a', kind: 'numeric', offset: 1, scale: 2, fill: 2, usual: [1, 3] },
      { name: 'b', kind: 'categorical', values: ['x', 'y'], shares: [0.6667, 0.3333] },
      { name: 'c', kind: 'numeric', offset: 5, scale: 1, fill: 5, usual: [5, 5] },
      { name: 'd', kind: 'numeric', offset: 0, scale: 4, fill: 4, usual: [0, 4] },
    ]);
    expect(fitted.remarks.map((r) => r.message)).toEqual([
      expect.stringContaining('1 of 4 columns are constant in the training rows (c)'),
      expect.stringContaining('are replaced by the median of the training rows: d 1'),
    ]);
  });

  test('of one column, and of constant ones, is told', async () => {
    const codes: string[] = [];
    const one = await tableSource({ name: 't', title: 't', licence: '-', ...table('a\n1\n1\n') });
    await one.prepare!([0, 1], {
      onEvent: (event) => event.type === 'warning' && codes.push(`${event.code}: ${event.message}`),
    });
    expect(codes).toEqual([
      expect.stringMatching(/^constant-columns: 1 of 1 columns are constant/),
      'one-column: t has one column (a): a row can be odd only by how rare its value is.',
    ]);
  });

  test('scales, clips, fills gaps, and knows a text that it did not see as none', async () => {
    const raw = await tableSource({ name: 't', title: 't', licence: '-', ...read });
    const source = await raw.prepare!([0, 1, 2], { onEvent: silent });
    const rows = new Float32Array(4 * 5);
    await source.read([0, 1, 2, 3], rows);
    expect([...rows.subarray(0, 5)]).toEqual([0, 1, 0, 0, 0]);
    expect([...rows.subarray(5, 10)]).toEqual([1, 0, 1, 0, 1]);
    expect([...rows.subarray(15)]).toEqual([2, 0, 0, 1, 2]);
    expect(source.hash).not.toBe(raw.hash);
    expect(source.encoding).toEqual(fitted.encoding);
    expect(raw.shape).toEqual([6]);
    await expect(source.read([4], new Float32Array(5))).rejects.toThrow('0 … 3, got 4');
    const standard = await raw.prepare!([0, 1, 2], { scaling: 'standard', onEvent: silent });
    await standard.read([0, 1, 2], rows.subarray(0, 15));
    expect(rows[0] + rows[5] + rows[10]).toBeCloseTo(0, 6);
  });

  test('rounding makes no spread of a constant column', () => {
    const constant = table(`a,b\n${Array.from({ length: 11 }, (_, i) => `${i},0.1`).join('\n')}\n`);
    const [, b] = fitEncoding(constant.table, [...Array(11).keys()], { scaling: 'standard' }).encoding.columns;
    expect(b).toMatchObject({ offset: 0.1, scale: 1 });
  });

  test('raw rows get the same inputs, whatever the order of columns', async () => {
    const found = encodeRows(cells('z,d,b,a,c\n!,4,y,3,5\n!,,w,1,5\n!,1,x,?,<5\n'), fitted.encoding);
    expect([...found.inputs.subarray(0, 5)]).toEqual([1, 0, 1, 0, 1]);
    expect([...found.inputs.subarray(5, 10)]).toEqual([0, 0, 0, 0, 1]);
    expect(found.missing).toBe(2);
    expect([...found.unseen]).toEqual([['b', ['w']]]);
    expect([...found.broken]).toEqual([[2, 'the column c must hold a finite number, found "<5"']]);
    expect(() => encodeRows(cells('a,b\n1,x\n'), fitted.encoding)).toThrow('lacks c, d');
  });

  test('a map as one value a column', () => {
    expect(columnTotals(fitted.encoding, Float32Array.of(1, 2, 3, 4, 5))).toEqual([
      { name: 'a', value: 1 },
      { name: 'b', value: 5 },
      { name: 'c', value: 4 },
      { name: 'd', value: 5 },
    ]);
  });
});

describe('protocols of tables', () => {
  const rows = Array.from({ length: 1000 }, (_, i) => `${i},${i % 5 < 3 ? 'attack' : 'normal'}`).join('\n');
  const source = async () => {
    const { normalClass: _, ...read } = table(`a,kind\n${rows}\n`, { a: 'numeric', kind: 'label' });
    return tableSource({ name: 't', title: 't', licence: '-', ...read });
  };

  test('kdd: halves, the class normal is the anomaly, at most 20 % of the test', async () => {
    const t = await source();
    const split = findProtocol('kdd').split(t, { class: 'normal', validationFraction: 0, rng: new Rng(1) });
    const normal = t.classes.indexOf('normal');
    expect([...split.train].some((i) => t.items[i].class === normal)).toBe(false);
    const anomalies = split.testLabels.reduce((n, y) => n + y, 0);
    const inliers = split.test.length - anomalies;
    expect(anomalies).toBe(Math.floor(0.25 * inliers));
    expect(split.train.length + inliers).toBe(600);
    expect([...split.testLabels].every((y, k) => (y === 1) === (t.items[split.test[k]].class === normal))).toBe(true);
    expect(split.share).toBe(0.2);
  });

  test('half keeps all anomalies and states no share', async () => {
    const split = findProtocol('half').split(await source(), { class: 'normal', rng: new Rng(1) });
    expect(split.test.length).toBe(500);
    expect(split.share).toBe(undefined);
    expect(split.description).toMatch(/^Halves: "normal" of t is the anomaly\. Half of the items/);
  });
});

test('test rows with all the values of rows that trained are leaks', async () => {
  const rows = Array.from({ length: 30 }, (_, i) => `${i},${i % 2 ? 'on' : 'off'}`);
  const text = `speed,state\n${[...rows, '4,off', '4,on', '99,on'].join('\n')}\n`;
  const source = await tableSource({
    ...{ name: 'pumps', title: 'Pumps', licence: 'none', classes: ['ok', 'broken'], normalClass: 0 },
    table: table(text).table,
    labels: [...rows.map(() => 0), 0, 1, 1],
    parts: [...rows.map(() => 'train' as const), 'test', 'test', 'test'],
  });
  const split = findProtocol('folder').split(source, { class: 'ok', rng: new Rng(1) });
  expect(split.leakFree).toBe(false);
  expect(findLeaks(source, split)).toEqual([{ test: 30, seen: 4 }]);
});
