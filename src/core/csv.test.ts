import { expect, test } from 'vitest';
import { csv, csvRows, csvValue } from './csv.ts';

test('what was written is read again: commas, quotes, line ends, formulas, blanks', () => {
  const rows = [
    ['a', 'b'],
    ['1,5', 'say "no"'],
    ['two\nlines', ' kept '],
    ['=1+1', ''],
  ];
  const read = csvRows(csv(rows[0], rows.slice(1)));
  expect(read?.map((row) => row.map(csvValue))).toEqual(rows);
});

test('line ends of Windows, blank lines and a last line without an end', () => {
  expect(csvRows('a,b\r\n\r\n1,"2"\r\n3,')).toEqual([
    ['a', 'b'],
    ['1', '2'],
    ['3', ''],
  ]);
  expect(csvRows('')).toEqual([]);
});

test.each(['a,"b', 'a,"b"c'])('a broken quote is no row: %s', (text) => {
  expect(csvRows(text)).toBe(undefined);
});
