/** The same small table in every format, and what each refuses. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { zipSync } from 'fflate';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, describe, expect, test } from 'vitest';
import { OddityError } from '../../core/errors.ts';
import { float32, tensor } from '../../core/tensor.ts';
import { readMat } from '../formats/mat.ts';
import { writeNpy } from '../formats/npy.ts';
import { readParquet } from '../formats/parquet.ts';
import { readTable } from '../table/table.ts';
import { openRows, rowsFormat } from './open-rows.ts';

const root = mkdtempSync(join(tmpdir(), 'oddity-rows-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const file = (name: string, content: string | Uint8Array) => {
  writeFileSync(join(root, name), content);
  return join(root, name);
};
const withCode = (code: string) => expect.objectContaining({ code });

/** A MATLAB level 5 file of real matrices: a head of 128 bytes, then an element for each. */
function mat(matrices: Record<string, { shape: [number, number]; columns: number[] }>): Uint8Array {
  const parts: Buffer[] = [Buffer.alloc(124, ' '), Buffer.from([0, 1, 0x49, 0x4d])];
  const element = (type: number, data: Buffer) => {
    const head = Buffer.alloc(8);
    head.writeUInt32LE(type, 0);
    head.writeUInt32LE(data.length, 4);
    return Buffer.concat([head, data, Buffer.alloc((8 - (data.length % 8)) % 8)]);
  };
  for (const [name, { shape, columns }] of Object.entries(matrices)) {
    const flags = element(6, Buffer.from([6, 0, 0, 0, 0, 0, 0, 0]));
    const sizes = element(5, Buffer.from(Int32Array.from(shape).buffer));
    const values = element(9, Buffer.from(Float64Array.from(columns).buffer));
    parts.push(element(14, Buffer.concat([flags, sizes, element(1, Buffer.from(name)), values])));
  }
  return Buffer.concat(parts);
}

const parquet = (codec: 'SNAPPY' | 'UNCOMPRESSED' = 'SNAPPY') =>
  new Uint8Array(
    parquetWriteBuffer({
      codec,
      columnData: [
        { name: 'size', data: [1.5, 2, null], type: 'DOUBLE', nullable: true },
        { name: 'way', data: ['up, high', 'down', 'down'], type: 'STRING' },
        { name: 'label', data: [0, 1, 0], type: 'INT32' },
      ],
    }),
  );

const arff = `% a comment
@RELATION 'small one'
@attribute size REAL
@attribute "way" {'up, high', down}
@attribute label {0,1}

@data
1.5, 'up, high', 0
% another
2,down,1
?,down,0
`;

describe('the same table', () => {
  const expected = {
    columns: [
      { name: 'size', kind: 'numeric' },
      { name: 'way', kind: 'categorical', values: ['up, high', 'down'] },
    ],
    cells: [1.5, 0, 2, 1, Number.NaN, 1],
    labels: [0, 1, 0],
  };
  test.each([
    ['a.csv', 'size,way,label\n1.5,"up, high",0\n2,down,1\n,down,0\n', [2, 3, 4]],
    ['a.tsv', 'size\tway\tlabel\n1.5\tup, high\t0\n2\tdown\t1\n?\tdown\t0\n', [2, 3, 4]],
    ['a.data', 'size;way;label\n1.5;up, high;0\n2;down;1\n?;down;0\n', [2, 3, 4]],
    ['a.arff', arff, [8, 10, 11]],
    ['a.parquet', parquet(), [1, 2, 3]],
    ['b.parquet', parquet('UNCOMPRESSED'), [1, 2, 3]],
  ])('%s, plain and gzipped', async (name, content, numbers) => {
    for (const path of [file(name, content), file(`${name}.gz`, gzipSync(content))]) {
      const rows = await openRows(path);
      const { table, labels, normalClass } = readTable(rows);
      expect({ columns: table.columns, cells: [...table.cells], labels: [...labels] }).toEqual(expected);
      expect([[...rows.numbers], normalClass]).toEqual([numbers, 0]);
    }
  });

  test('columns are mapped with the same words in every format', async () => {
    for (const [name, content] of [
      ['m.csv', 'size,way,label\n1.5,u,0\n2,d,1\n'],
      ['m.arff', '@attribute size real\n@attribute way {u,d}\n@attribute label {0,1}\n@data\n1.5,u,0\n2,d,1\n'],
    ]) {
      const { table, classes } = readTable(await openRows(file(name, content)), {
        columns: { way: 'label', size: 'categorical', label: 'ignore' },
      });
      expect([table.columns, classes]).toEqual([
        [{ name: 'size', kind: 'categorical', values: ['1.5', '2'] }],
        ['u', 'd'],
      ]);
    }
    const rows = await openRows(file('mapped.parquet', parquet()));
    const given = readTable(rows, { columns: { label: 'categorical', way: 'label', size: 'ignore' } });
    expect(given.table.columns).toEqual([{ name: 'label', kind: 'categorical', values: ['0', '1'] }]);
    expect(given.classes).toEqual(['up, high', 'down']);
  });
});

describe('arrays X and y', () => {
  const X = tensor('float64', [3, 2], Float64Array.of(1, 2, 3, Number.NaN, 5, 6));
  const y = tensor('uint8', [3], Uint8Array.of(0, 1, 0));
  const npz = zipSync({ 'X.npy': writeNpy(X), 'y.npy': writeNpy(y) });
  test.each([
    ['a.npz', npz],
    [
      'a.mat',
      mat({ X: { shape: [3, 2], columns: [1, 3, 5, 2, Number.NaN, 6] }, y: { shape: [3, 1], columns: [0, 1, 0] } }),
    ],
  ])('%s: columns x1 and x2, labels from y, another label when it is named', async (name, content) => {
    for (const path of [file(name, content), file(`${name}.gz`, gzipSync(content))]) {
      const rows = await openRows(path);
      const read = readTable(rows);
      expect(read.table.columns.map((c) => c.name)).toEqual(['x1', 'x2']);
      expect([...read.table.cells]).toEqual([1, 2, 3, Number.NaN, 5, 6]);
      expect([[...read.labels], read.classes]).toEqual([
        [0, 1, 0],
        ['normal', 'anomalous'],
      ]);
      const given = readTable(rows, { columns: { x1: 'label' } });
      expect([given.table.columns.map((c) => c.name), given.classes]).toEqual([
        ['x2', 'y'],
        ['1', '3', '5'],
      ]);
    }
  });

  test('an .npy alone, infinities with row and column, and arrays of other names', async () => {
    expect(readTable(await openRows(file('b.npy', writeNpy(X)))).normalClass).toBe(0);
    const infinite = float32([1, Number.POSITIVE_INFINITY], [2, 1]);
    const rows = await openRows(file('c.npy', writeNpy(infinite)));
    expect(() => readTable(rows)).toThrow('finite numbers in the column x1; these are wrong: row 2: "Infinity"');
    const other = zipSync({ 'data.npy': writeNpy(X) });
    await expect(openRows(file('d.npz', other))).rejects.toThrow('must hold X [rows, columns] and may hold y');
    const short = zipSync({ 'X.npy': writeNpy(X), 'y.npy': writeNpy(tensor('uint8', [2], Uint8Array.of(0, 1))) });
    await expect(openRows(file('e.npz', short))).rejects.toThrow('found X [3,2], y [2]');
    const gap = zipSync({ 'X.npy': writeNpy(X), 'y.npy': writeNpy(float32([0, Number.NaN, 1], [3])) });
    const unlabelled = await openRows(file('f.npz', gap));
    expect(() => readTable(unlabelled)).toThrow(
      'a label in each row of the column y; these are wrong: row 2: no label',
    );
  });

  test('sizes that a damaged file claims are not believed', async () => {
    const lie = mat({ X: { shape: [2 ** 30, 64], columns: [1, 2] } });
    expect(() => readMat(lie, 'x.mat')).toThrow('x.mat must be a whole MATLAB file, but is cut off or damaged');
    const bomb = zipSync({ 'X.npy': new Uint8Array(2000) });
    // The claimed size of the entry, in the central directory: 24 bytes behind its mark.
    const at = Buffer.from(bomb).indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
    new DataView(bomb.buffer, bomb.byteOffset).setUint32(at + 24, 0xf0000000, true);
    await expect(openRows(file('bomb.npz', bomb))).rejects.toEqual(withCode('too-large'));
  });
});

describe('text without a head', () => {
  const about = async (text: string) => {
    const rows = await openRows(file('t.data', text));
    return [rows.about, rows.rows, [...rows.numbers]];
  };
  test('a first line with a number or a ? is data, one of words above numbers is a head', async () => {
    const none = 'no line names the columns: they are x1 … x3';
    expect(await about('1,2,a\n3,?,b\n')).toEqual([none, 2, [1, 2]]);
    expect(await about('?,b,c\n1,2,3\n')).toEqual([none, 2, [1, 2]]);
    expect(await about('a,b,c\nd,e,f\n')).toEqual([none, 2, [1, 2]]);
    expect(await about('a,b,c\n1,e,f\n')).toEqual(['its first line names the columns', 1, [2]]);
    expect(await about('\na b c\n 1  2\t3\n')).toEqual(['its first line names the columns', 1, [3]]);
  });

  test('white space of any width separates, at the ends of a line it does not', async () => {
    const { table } = readTable(await openRows(file('w.txt', '  1   2  x \r\n\n3\t?  y\r\n')));
    expect(table.columns.map((c) => c.kind)).toEqual(['numeric', 'numeric', 'categorical']);
    expect([...table.cells]).toEqual([1, 2, 0, 3, Number.NaN, 1]);
    await expect(openRows(file('w.dat', '1 2 3\n4 5\n'))).rejects.toThrow('line 2: 2 fields instead of 3');
    await expect(openRows(file('empty.txt', ' \n'))).rejects.toThrow('must have rows, but it is empty');
  });

  test('a CSV file whose first line is of numbers lacks its head', async () => {
    await expect(openRows(file('n.csv', '0.5,1.25\n3,4\n'))).rejects.toEqual(withCode('no-head'));
    await expect(openRows(file('n.csv', '0.5,1.25\n3,4\n'))).rejects.toThrow('rename the file to .data');
    expect((await openRows(file('p.csv', '0,1,2\n3,4,5\n'))).heads).toEqual(['0', '1', '2']);
  });
});

describe('ARFF', () => {
  test.each([
    ['@attribute a real\n1\n', 'line 2 must be @relation, @attribute'],
    ['@attribute a real\n', 'with @attribute lines and a @data line; one of them is missing'],
    ['@attribute a relational\n@data\n', 'line 1 has the type "relational"'],
    ['@attribute a real\n@data\n{0 1}\n', 'line 3 is a sparse row'],
    ["@attribute a string\n@data\n'x\n", 'line 3 has a quote without end'],
    ['@attribute a {x,y}\n@data\nx\nz\n', 'line 4: "z" is none of a'],
    ['@attribute a real\n@attribute b real\n@data\n1,2\n3\n', 'line 5: 1 fields instead of 2'],
    ['@attribute a real\n@data\nx\n', 'the column a; these are wrong: line 3: "x"'],
  ])('%j: %s', async (text, message) => {
    const read = async () => readTable(await openRows(file('bad.arff', text)));
    await expect(read()).rejects.toThrow(message);
  });

  test('quotes, backslashes and names with spaces', async () => {
    const text = `@attribute 'a b' real\n@attribute c string\n@data\n1,"it's \\"so\\""\n2,'it\\'s'\n`;
    const { table } = readTable(await openRows(file('q.arff', text)));
    expect(table.columns).toEqual([
      { name: 'a b', kind: 'numeric' },
      { name: 'c', kind: 'categorical', values: [`it's "so"`, "it's"] },
    ]);
  });
});

describe('damaged binary files', () => {
  const nested = () =>
    new Uint8Array(
      parquetWriteBuffer({
        schema: [
          { name: 'root', num_children: 1 },
          { name: 'list', repetition_type: 'OPTIONAL', converted_type: 'LIST', num_children: 1 },
          { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
          { name: 'element', repetition_type: 'OPTIONAL', type: 'INT32' },
        ],
        columnData: [{ name: 'list', data: [[1], [2]] }],
      }),
    );
  test('Parquet: what is no such file, and columns of lists', async () => {
    await expect(readParquet(new Uint8Array(40), 'x.parquet')).rejects.toEqual(withCode('bad-magic'));
    await expect(readParquet(nested(), 'x.parquet')).rejects.toThrow('its column list holds lists or structures');
  });

  test('every changed byte and every cut is an error with a sentence or a table', async () => {
    const whole = { 'x.parquet': parquet(), 'x.mat': mat({ X: { shape: [2, 2], columns: [1, 2, 3, 4] } }) };
    for (const [name, content] of Object.entries(whole)) {
      const change = fc.record({ at: fc.nat(content.length - 1), to: fc.nat(255), cut: fc.boolean() });
      await fc.assert(
        fc.asyncProperty(change, async ({ at, to, cut }) => {
          const bytes = cut ? content.slice(0, at) : content.slice();
          if (!cut) bytes[at] = to;
          const found = await openRows(file(name, bytes))
            .then(readTable)
            .catch((error: unknown) => error);
          if (found instanceof Error) expect(found).toBeInstanceOf(OddityError);
        }),
        { numRuns: 400 },
      );
    }
  });
});

test('other names are none of rows', async () => {
  expect(['a.csv', 'a.CSV.gz', 'a.Parquet', 'a.png', 'csv', 'a.gz'].map(rowsFormat)).toEqual([
    'csv',
    'csv',
    'parquet',
    undefined,
    undefined,
    undefined,
  ]);
  await expect(openRows('rows.xlsx')).rejects.toThrow('named .csv, .tsv, .data, .dat, .txt, .arff, .parquet');
  await expect(openRows(join(root, 'none.csv'))).rejects.toEqual(withCode('no-data'));
});
