import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, describe, expect, it } from 'vitest';
import type { Rows } from '../table/rows.ts';
import { openRows } from './open-rows.ts';
import { openRowBlocks } from './row-blocks.ts';

const root = mkdtempSync(join(tmpdir(), 'oddity-blocks-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let count = 0;
const file = (content: string | Uint8Array, end = 'csv') => {
  const path = join(root, `${count++}.${end}`);
  writeFileSync(path, content);
  return path;
};

/** Everything that rows say. */
const said = (rows: Rows, from = 0) =>
  Array.from({ length: rows.rows - from }, (_, i) => {
    const r = i + from;
    const cells = rows.heads.map((_, c) => {
      const { values, code } = rows.texts(c);
      return [rows.number(r, c), values[code(r)], rows.show(r, c)];
    });
    return { number: rows.numbers[r], where: rows.where(r), cells };
  });

const numbered = Array.from({ length: 23 }, (_, i) => `${i},${i % 3 === 0 ? '' : i / 7},t${i % 4}`);
const texts: Record<string, string> = {
  plain: `a,b,c\n${numbered.join('\n')}\n`,
  'without a last line end': `a,b,c\n${numbered.join('\n')}`,
  'with a byte order mark, CRLF and blank lines': `\ufeffa,b,c\r\n${numbered.join('\r\n\r\n')}\r\n\r\n`,
  'with quotes, line ends and separators in cells': `a;b\n${numbered.map((_, i) => `"x ""${i}""\n;y";${i}`).join('\n')}\n`,
  'with lines above the head': `made by\nnobody\n\na,b,c\n${numbered.join('\n')}\n`,
  'with a column that the head does not name': `a,b\n${numbered.map((row) => `${row}`).join('\n')}\n`,
  'with letters of several bytes': `ä,日,c\n${numbered.map((row) => `${row}ü😀`).join('\n')}\n`,
  'in Windows-1252': 'latin',
};

describe('openRowBlocks', () => {
  for (const [name, text] of Object.entries(texts)) {
    const bytes =
      text === 'latin'
        ? Buffer.from(`a,b\n${numbered.map((_, i) => `${i},h\xf6`).join('\n')}\n`, 'latin1')
        : Buffer.from(text);
    for (const [end, content] of [
      ['csv', bytes],
      ['csv.gz', gzipSync(bytes)],
    ] as const) {
      it(`gives the rows of a ${end} file ${name}, block by block and from any block on`, async () => {
        const path = file(content, end);
        const whole = await openRows(path);
        const blocks = await openRowBlocks(path, { size: 4 });
        expect([blocks.rows, blocks.heads]).toEqual([whole.rows, whole.heads]);
        for (const withBefore of [false, true]) {
          const found = [];
          for await (const { rows, before } of blocks.blocks(0, 6, withBefore)) found.push(...said(rows, before));
          expect(found).toEqual(said(whole));
          const later = [];
          for await (const { rows, before } of blocks.blocks(3, 5, withBefore)) {
            expect(before).toBe(withBefore ? 1 : 0);
            later.push(...said(rows, withBefore ? 0 : before));
          }
          const first = said(whole).slice(12, 20);
          expect(later).toEqual(withBefore ? [...said(whole).slice(11, 16), ...said(whole).slice(15, 20)] : first);
        }
      });
    }
  }

  it('gives the rows of a Parquet file whose groups are of another size', async () => {
    const path = file(
      new Uint8Array(
        parquetWriteBuffer({
          columnData: [
            { name: 'a', data: Array.from({ length: 23 }, (_, i) => i / 3), type: 'DOUBLE' },
            {
              name: 'b',
              data: Array.from({ length: 23 }, (_, i) => (i % 5 === 0 ? null : `t${i % 4}`)),
              type: 'STRING',
            },
          ],
          rowGroupSize: 7,
        }),
      ),
      'parquet',
    );
    const whole = await openRows(path);
    const blocks = await openRowBlocks(path, { size: 4 });
    const found = [];
    for await (const { rows, before } of blocks.blocks(0, 6, true)) found.push(...said(rows, before));
    expect(found).toEqual(said(whole));
  });

  it.each([
    ['rows of another width', 'a,b\n1,2\n1\n\n2,3\n1,2,3\n'],
    ['a quote without end', 'a,b\n1,2\n"1,2\n3,4\n'],
    ['nothing', ''],
    ['numbers for a head', '1.5,2\n3,4\n5,6\n'],
    ['bytes of value 0', 'a,b\n1,\u0000\n'],
  ])('says of %s what is said of the whole file', async (_, text) => {
    const path = file(text);
    const wanted = await openRows(path).catch((error) => [error.code, error.message]);
    expect(wanted).toHaveLength(2);
    expect(await openRowBlocks(path, { size: 2 }).catch((error) => [error.code, error.message])).toEqual(wanted);
  });

  it('refuses a gzip file that is cut off', async () => {
    const path = file(gzipSync(Buffer.from(`a,b\n${'1,2\n'.repeat(5000)}`)).subarray(0, 40), 'csv.gz');
    await expect(openRowBlocks(path, { size: 2 })).rejects.toThrow('cut off or damaged');
  });
});
