/** How tables are understood that people bring: kinds of columns, numbers, times, labels, encodings, layouts. */
import { describe, expect, test } from 'vitest';
import { Rng } from '../../core/random.ts';
import { libraryWords, write } from '../../core/text.ts';
import { readCells } from './cells.ts';
import { encodeRows } from './encode-rows.ts';
import { fitEncoding } from './encoding.ts';
import { formOf, readForm } from './number-forms.ts';
import { plainText } from './plain-text.ts';
import { readTable, type TableOptions } from './table.ts';
import { textLayout } from './text-layout.ts';
import { readTime, timeFormOf } from './times.ts';

const encode = (text: string) => new TextEncoder().encode(text);
function rowsOf(content: string | Uint8Array) {
  const { bytes } = plainText(typeof content === 'string' ? encode(content) : content, 'x.csv');
  return readCells(bytes, 'x.csv', textLayout(bytes));
}
const read = (content: string | Uint8Array, options?: TableOptions) => readTable(rowsOf(content), options);
const messages = (content: string, options?: TableOptions) =>
  read(content, options).remarks.map(({ message }) => write(message, libraryWords));
/** A table of 200 rows; each column from its row's number and a random number in [0, 1). */
function table(columns: Record<string, (i: number, u: number) => unknown>, rows = 200, separator = ','): string {
  const rng = new Rng(5);
  const lines = Array.from({ length: rows }, (_, i) =>
    Object.values(columns).map((cell) => String(cell(i, rng.uniform()))),
  );
  return [Object.keys(columns), ...lines].map((cells) => cells.join(separator)).join('\n');
}
const number = (_: number, u: number) => (20 + 5 * u).toFixed(2);
const kinds = (content: string, options?: TableOptions) =>
  Object.fromEntries(read(content, options).facts.map(({ name, kind, content: holds }) => [name, `${kind}: ${holds}`]));

describe('columns that no model should learn', () => {
  const iso = (i: number) => new Date(Date.UTC(2024, 0, 1, 6 * i)).toISOString().slice(0, 16).replace('T', ' ');
  test.each<[string, (i: number, u: number) => unknown]>([
    ['2024-05-01 06:00', iso],
    ['2024-05-01', (i) => iso(4 * i).slice(0, 10)],
    ['ISO with zone', (i) => `${iso(i).replace(' ', 'T')}:00+02:00`],
    ['31.12.2023', (i) => `${1 + (i % 28)}.${1 + (i % 12)}.2023`],
    ['12/31/2023 11:05 PM', (i) => `${1 + (i % 12)}/${1 + (i % 28)}/2023 ${1 + (i % 12)}:05 ${i % 2 ? 'AM' : 'PM'}`],
    ['05 Mar 2021', (i) => `${1 + (i % 28)} ${['Jan', 'Feb', 'Mar'][i % 3]} 2021`],
    ['23:59:58', (i) => `${i % 24}:${10 + (i % 50)}:07`],
    ['seconds since 1970', (i) => 1_700_000_000 + 60 * i],
    ['milliseconds since 1970', (i) => 1_700_000_000_000 + 60_000 * i],
    ['20240131', (i) => `2024${String(1 + (i % 12)).padStart(2, '0')}${String(1 + (i % 28)).padStart(2, '0')}`],
  ])('times: %s', (_, time) => {
    expect(kinds(table({ when: time, temp: number }))).toEqual({ when: 'ignore: times', temp: 'numeric: numbers' });
  });

  test.each<[string, string, (i: number, u: number) => unknown]>([
    ['counter', 'n', (i) => i],
    ['counter', 'step', (i) => (0.5 * i).toFixed(1)],
    ['counter', 'seq', (i) => 7 * i + (i % 3)],
    ['identifiers', 'user_id', (_, u) => Math.floor(1e6 * u)],
    ['identifiers', 'orderNo', (_, u) => Math.floor(1e6 * u)],
    ['identifiers', 'code', (i, u) => 100_000 + 1000 * ((i * 37) % 200) + Math.floor(900 * u)],
    ['identifiers', 'name', (i) => `item-${(i * 77) % 200}`],
    ['identifiers', 'uuid', (i, u) => `${u.toString(16).slice(2)}-${i}`],
    ['free text', 'note', (i, u) => `the pump was at ${i} when checked ${u.toFixed(3)}`],
    ['empty', 'blank', () => ''],
  ])('%s: %s', (content, name, cell) => {
    const found = read(table({ [name]: cell, temp: number }));
    expect(found.table.columns.map((c) => c.name)).toEqual(['temp']);
    expect(found.facts[0]).toMatchObject({ name, kind: 'ignore', content });
    expect(write(found.remarks[0].message, libraryWords)).toContain(`left out: ${name} (`);
  });

  test.each<[string, (i: number, u: number) => unknown]>([
    ['whole numbers that repeat', (_, u) => Math.floor(500 * u)],
    ['unsorted numbers', (_, u) => 1000 * u],
    ['few texts', (i) => ['left', 'right', 'top'][i % 3]],
    ['a number that never changes', () => 5],
    ['years', (_, u) => 1990 + Math.floor(30 * u)],
    ['large sums', (_, u) => Math.floor(9000 * u ** 4)],
  ])('what is none of these stays: %s', (_, cell) => {
    expect(read(table({ v: cell, temp: number })).table.columns.map((c) => c.name)).toEqual(['v', 'temp']);
  });

  test('a column can be kept, and all left out is told', () => {
    expect(read(table({ n: (i) => i }), { columns: { n: 'numeric' } }).table.columns).toHaveLength(1);
    expect(() => read(table({ n: (i) => i, id: (i) => `a${i}` }))).toThrow(
      'all of its columns are labels, parts or left out: n (it counts the rows in equal steps), id (nearly every row has a text',
    );
  });

  test('a time becomes hour, weekday and gap, in files and in later rows', () => {
    const text = table({ when: iso, temp: number }, 40);
    const found = read(text, { columns: { when: 'time' } });
    expect(found.table.columns.map((c) => c.name)).toEqual(['when (hour)', 'when (weekday)', 'when (gap)', 'temp']);
    expect([...found.table.cells.subarray(0, 3)]).toEqual([0, 0, Number.NaN]); // 1 January 2024 was a Monday
    expect([...found.table.cells.subarray(4, 7)]).toEqual([6, 0, 21600]);
    const { encoding } = fitEncoding(found.table, [...Array(40).keys()], { scaling: 'none' });
    const later = encodeRows(rowsOf('when,temp\n2024-05-04 18:00,20\n2024-05-05 00:00,21\nsoon,22\n'), encoding);
    expect([...later.inputs.subarray(0, 8)]).toEqual([18, 5, 21600, 20, 0, 6, 21600, 21]);
    expect(later.broken.get(2)).toBe('the column when must hold a time as in training, found "soon"');
  });

  test('rows at regular times are said to look like a series', () => {
    expect(messages(table({ when: iso, temp: number })).at(-1)).toContain(
      'looks like a time series: when goes on in steps of 6 hours',
    );
    expect(messages(table({ when: (i) => iso((i * 37) % 200), temp: number })).join()).not.toContain('series');
  });
});

describe('numbers as people write them', () => {
  const withCell = (cell: string, rows = 200) =>
    table({ temp: (i, u) => (i === 17 ? cell : number(i, u)), hum: number }, rows);
  test.each([
    '',
    'NA',
    'N/A',
    'NULL',
    'nan',
    'None',
    '-',
    '--',
    '?',
    '#N/A',
    '#DIV/0!',
    'n.a.',
    'Bad',
    'inf',
    '-Infinity',
  ])('"%s" is missing', (cell) => {
    const { table: found } = read(withCell(cell));
    expect(found.columns[0]).toEqual({ name: 'temp', kind: 'numeric' });
    expect(found.cells[2 * 17]).toBeNaN();
    expect(found.cells.filter(Number.isNaN)).toHaveLength(1);
  });

  test.each(['<5', '12%', 'ca. 20', '20.1 C', '1O', '>99', '3 4'])(
    '"%s" is named with its line and what reads it',
    (cell) => {
      expect(() => read(withCell(cell))).toThrow(
        `finite numbers in the column temp; these are wrong: line 19: "${cell}". Correct them, take them for missing with \`missing: '${cell}'\``,
      );
      expect(read(withCell(cell), { missing: [cell] }).table.cells[34]).toBeNaN();
      expect(read(withCell(cell), { columns: { temp: 'categorical' } }).table.columns[0].kind).toBe('categorical');
    },
  );

  test('a word for bad values makes no texts of a column of numbers, however often it comes', () => {
    expect(() => read(table({ temp: (i, u) => (i % 3 === 0 ? 'offline' : number(i, u)) }))).toThrow(
      'line 2: "offline"',
    );
  });

  test.each<[string, string, number]>([
    ['decimal-comma', '20,1', 20.1],
    ['decimal-comma', '1.234,5', 1234.5],
    ['decimal-comma', '-0,25', -0.25],
    ['thousands', '1,234.5', 1234.5],
    ['thousands', "1'234", 1234],
    ['percent', '12.5 %', 12.5],
    ['money', '$1,234.50', 1234.5],
    ['money', '99 EUR', 99],
  ])('%s: %s', (form, text, value) => {
    expect(formOf([text])).toBe(form);
    expect(readForm(text, form as 'money')).toBeCloseTo(value, 10);
  });

  test('1,234 alone is read by the separator of its file, or as asked', () => {
    expect(formOf(['1,234'])).toBe('thousands');
    expect(formOf(['1,234'], ',')).toBe('decimal-comma');
    expect(formOf(['1,234', '1,2'])).toBe('decimal-comma');
    const comma = (_: number, u: number) => (20 + 5 * u).toFixed(3).replace('.', ',');
    const found = read(table({ temp: comma, hum: comma }, 200, ';'));
    expect(found.table.columns[0]).toMatchObject({ kind: 'numeric', form: 'decimal-comma' });
    expect(Math.max(...found.table.cells)).toBeLessThan(25);
    const { encoding } = fitEncoding(found.table, [...Array(200).keys()], { scaling: 'none' });
    expect([...encodeRows(rowsOf('temp;hum\n900,5;1\n'), encoding).inputs]).toEqual([900.5, 1]);
  });

  test.each<[number, string]>([
    [-999, 'temp is -999 in 1 row (else'],
    [-200, 'temp is -200 in 1 row (else'],
    [9999, 'temp is 9999 in 1 row (else'],
    [65535, 'temp is 65535 in 1 row (else'],
    [-1, ''],
  ])('%d among them is pointed out', (value, message) => {
    const told = messages(withCell(String(value))).join();
    if (message) expect(told).toContain(message);
    else expect(told).toBe('');
    expect(read(withCell(String(value)), { missing: [String(value)] }).table.cells[34]).toBeNaN();
  });
});

describe('labels', () => {
  const labelled = (name: string, normal: unknown, odd: unknown, every = 20) =>
    table({ temp: number, [name]: (i) => (i % every === 3 ? odd : normal) });
  test.each<[string, unknown, unknown]>([
    ['Class', 0, 1],
    ['is_fraud', 'False', 'True'],
    ['attack', 'no', 'yes'],
    ['Machine failure', 0, 1],
    ['fault', '0.0', '1.0'],
    ['y', 1, -1],
    ['gt', 0, 1],
    ['status', 'healthy', 'broken'],
    ['Normal/Attack', 'Normal', 'Attack'],
    ['outlier', 'inlier', 'outlier'],
    ['class', 'benign', 'malicious'],
    ['verdict', 'pass', 'fail'],
    ['Class', 'genuine', 'fraud'],
    ['good', 1, 0],
    ['label', 'normal.', 'smurf.'],
  ])('%s of %s and %s', (name, normal, odd) => {
    const found = read(labelled(name, normal, odd));
    expect(found.table.columns.map((c) => c.name)).toEqual(['temp']);
    expect(found.normalClass).toBe(0);
    expect(found.labels.reduce((n, y) => n + Number(y > 0), 0)).toBe(10);
    expect(found.labels[3]).toBe(1);
  });

  test.each<[string, (i: number, u: number) => unknown]>([
    ['y', (_, u) => u.toFixed(4)],
    ['status', (i) => ['idle', 'run', 'stop'][i % 3]],
    ['class', (_, u) => (1000 * u).toFixed(1)],
    ['type', (i) => ['A', 'B'][i % 2]],
    ['state', (i) => i % 2],
  ])('%s of other values is a column like any other', (name, cell) => {
    expect(read(table({ temp: number, [name]: cell })).table.columns.map((c) => c.name)).toEqual(['temp', name]);
  });

  test('what looks like labels and is not clear is asked about', () => {
    const text = labelled('Class', 'A', 'B', 40);
    expect(() => read(text)).toThrow(
      "The column Class of x.csv looks like labels: A (195), B (5); 5 of 200 are B. Say that it holds them with `columns.Class: 'label'`",
    );
    expect(read(text, { columns: { Class: 'label' }, normal: ['A'] })).toMatchObject({
      classes: ['A', 'B'],
      normalClass: 0,
    });
    expect(read(text, { columns: { Class: 'ignore' } }).table.columns).toHaveLength(1);
    expect(() => read(text, { columns: { Class: 'label' }, normal: ['C'] })).toThrow(
      'must have the normal value C; they are A, B',
    );
  });

  test('columns that are made from the labels are left out, and others that give them away are warned of', () => {
    const text = table({
      temp: number,
      difficulty: (_, u) => Math.floor(20 * u),
      changepoint: (i) => Number(i % 50 === 0),
      leak: (i, u) => (i % 20 === 3 ? 9 + u : u),
      label: (i) => Number(i % 20 === 3),
    });
    const found = read(text);
    expect(found.table.columns.map((c) => c.name)).toEqual(['temp', 'leak']);
    expect(messages(text).join()).toContain('leak alone tells the anomalous rows from the normal ones');
  });

  test.each(['is_sick', 'hasLeak', 'x'])('a last column of 0 and rare 1 may be labels: %s', (name) => {
    expect(messages(labelled(name, 0, 1)).join()).toContain(`${name} holds 0 and 1, and 10 of 200 rows have 1.`);
    expect(messages(labelled(name, 0, 1, 2)).join()).toBe('');
  });

  test('mostly anomalous rows are pointed out', () => {
    expect(messages(table({ temp: number, label: (i) => Number(i % 5 !== 0) })).join()).toContain(
      'most rows are anomalous by label (160 of 200)',
    );
  });
});

describe('files as people have them', () => {
  const rows = table({ temp: number, hum: number }, 60);
  const cells = (content: string | Uint8Array) => [...read(content).table.cells];
  const wanted = cells(rows);
  const utf16 = (text: string, isBig: boolean, mark: boolean) => {
    const units = [...(mark ? '\uFEFF' : ''), ...text].map((c) => c.charCodeAt(0));
    return Uint8Array.from(units.flatMap((u) => (isBig ? [u >> 8, u & 255] : [u & 255, u >> 8])));
  };
  test.each<[string, string | Uint8Array]>([
    ['semicolons', rows.replaceAll(',', ';')],
    ['tabs', rows.replaceAll(',', '\t')],
    ['bars', rows.replaceAll(',', '|')],
    ['a byte order mark', `\uFEFF${rows}`],
    ['UTF-16 with a mark', utf16(rows, false, true)],
    ['UTF-16, big end first', utf16(rows, true, true)],
    ['UTF-16 without a mark', utf16(rows, false, false)],
    ['CR line ends', rows.replaceAll('\n', '\r')],
    ['CRLF line ends', rows.replaceAll('\n', '\r\n')],
    ['sep=', `sep=;\n${rows.replaceAll(',', ';')}`],
    ['a preamble', `Logger 12\nSerial,4711\n\n${rows}`],
    ['a line of units', rows.replace('\n', '\n[degC],[%]\n')],
    [
      'an index without a name',
      rows
        .split('\n')
        .map((line, i) => (i === 0 ? `,${line}` : `${i - 1},${line}`))
        .join('\n'),
    ],
    [
      'row names as R writes them',
      rows
        .split('\n')
        .map((line, i) => (i === 0 ? line : `"${i}",${line}`))
        .join('\n'),
    ],
    [
      'empty columns at the end',
      rows
        .split('\n')
        .map((line) => `${line},,`)
        .join('\n'),
    ],
    [
      'a separator at the end of rows',
      rows
        .split('\n')
        .map((line, i) => (i === 0 ? line : `${line},`))
        .join('\n'),
    ],
  ])('%s', (_, content) => expect(cells(content)).toEqual(wanted));

  test('Latin-1, and text that is none', () => {
    const bytes = Uint8Array.from([...'temp_in_°C,hum\n1,2\n3,4\n'].map((c) => c.charCodeAt(0)));
    expect(read(bytes).table.columns[0].name).toBe('temp_in_°C');
    expect(() => read(Uint8Array.of(97, 44, 98, 10, 0, 1, 2, 10))).toThrow(
      'must be a text file, but has bytes of value 0',
    );
  });

  test('a head too short with broken rows is refused with lines', () => {
    expect(() => read(`${rows}\n1,2,3\n`)).toThrow('line 62: 3 fields instead of 2');
  });
});

test('times to milliseconds', () => {
  const at = (text: string) => readTime(text, timeFormOf([text])!);
  expect(at('2024-05-01T06:00:00.250Z')).toBe(Date.UTC(2024, 4, 1, 6, 0, 0, 250));
  expect(at('2024-05-01 06:00+02:00')).toBe(Date.UTC(2024, 4, 1, 4));
  expect(at('Mon, 05 Mar 2021 10:00:00 GMT')).toBe(Date.UTC(2021, 2, 5, 10));
  expect(at('3/4/2021 12:30 AM')).toBe(Date.UTC(2021, 3, 3, 0, 30));
  expect(readTime('13/32/2021', 'day first')).toBeNaN();
  expect(timeFormOf(['1/2/2021', '1/22/2021'])).toBe('month first');
  expect(timeFormOf(['soon'])).toBe(undefined);
});
