/**
 * Apache Parquet: the columns of a flat file of numbers, truth values and texts, by hyparquet, which is loaded when a file is
 * read. Lists, maps and structures are refused by name; sizes that a damaged file claims are checked before they are allocated.
 */
import type { ColumnMetaData } from 'hyparquet';
import type { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js';
import { DataError } from '../../core/errors.ts';
import { reasonIn } from '../../core/foreign.ts';
import type { StoredColumn } from '../table/columns.ts';
import { ByteBudget } from './budget.ts';

/**
 * Reads all columns. `file` names it in messages; `budget` is that of the file.
 * @throws DataError `bad-magic`, `parquet-unsupported` with the column, `parquet-corrupt`, `too-large`.
 */
export async function readParquet(
  bytes: Uint8Array,
  file: string,
  budget = new ByteBudget(file, bytes.length),
): Promise<{ columns: Map<string, StoredColumn>; rows: number }> {
  const mark = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 12 || mark(0) !== 'PAR1' || mark(bytes.length - 4) !== 'PAR1') {
    throw new DataError(
      'bad-magic',
      `${file} must begin and end with PAR1. It is not a whole Parquet file: fetch it again.`,
    );
  }
  const { parquetMetadata, parquetScan, parquetSchema } = await import('hyparquet');
  const { compressors } = await import('hyparquet-compressors');
  // A view of its own: hyparquet takes slices of the buffer.
  const buffer = bytes.slice().buffer as ArrayBuffer;
  const content = { byteLength: buffer.byteLength, slice: (from: number, to?: number) => buffer.slice(from, to) };
  try {
    const metadata = parquetMetadata(buffer);
    const rows = Number(metadata.num_rows);
    const fields = parquetSchema(metadata).children;
    const nested = fields.find(
      ({ children, element }) => children.length > 0 || element.repetition_type === 'REPEATED',
    );
    if (nested) {
      throw new DataError(
        'parquet-unsupported',
        `${file} must hold one value for each row and column, but its column ${nested.element.name} holds lists or structures. ` +
          'Save it without that column.',
      );
    }
    const names = fields.map(({ element }) => element.name);
    const chunks = metadata.row_groups.flatMap((group) => group.columns.map((column) => column.meta_data));
    if (!(rows >= 0)) throw new Error(`it declares ${rows} rows`);
    budget.hold(Float64Array.BYTES_PER_ELEMENT * rows * names.length);
    const { deserializeTCompactProtocol } = await import('hyparquet/src/thrift.js');
    for (const chunk of chunks) if (chunk) checkPages(chunk, bytes, deserializeTCompactProtocol, budget);
    const scan = await parquetScan({ file: content, metadata, compressors, geoparquet: false });
    const columns = new Map<string, StoredColumn>();
    for (const name of names) {
      const column = new ColumnMaker(rows);
      for (const range of scan.ranges) {
        const values = await scan.readColumn({ ...range, column: name });
        if (values.length !== range.rowEnd - range.rowStart) throw new Error(`${name} is too short`);
        for (let i = 0; i < values.length; i++) column.set(range.rowStart + i, values[i]);
      }
      columns.set(name, column.finish());
    }
    return { columns, rows };
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(
      'parquet-corrupt',
      `${file} must be a whole Parquet file, but cannot be read${reasonIn(error)}. Fetch it again.`,
    );
  }
}

/**
 * Walks the pages of a column and checks the sizes that their heads claim: hyparquet believes them, and does not end where a
 * damaged one has none.
 */
function checkPages(
  chunk: ColumnMetaData,
  { buffer, byteOffset, length }: Uint8Array,
  readHead: typeof deserializeTCompactProtocol,
  budget: ByteBudget,
): void {
  const from = Number(chunk.dictionary_page_offset || chunk.data_page_offset);
  const end = from + Number(chunk.total_compressed_size);
  if (!(from > 0 && from < end && end <= length)) throw new Error('a column lies outside the file');
  const reader = { view: new DataView(buffer, byteOffset + from, end - from), offset: 0 };
  while (reader.offset < end - from) {
    // PageHeader of parquet.thrift: 1 type, 2 unpacked and 3 packed size.
    const { field_1: type, field_2: unpacked, field_3: packed } = readHead(reader);
    const isPage = Number.isInteger(type) && unpacked >= 0 && packed >= 0;
    if (!isPage || reader.offset + packed > end - from) throw new Error('a page has impossible sizes');
    budget.unpack(unpacked);
    reader.offset += packed;
  }
}

/** Takes the values of a column: numbers as long as all are, texts from the first that is none. */
class ColumnMaker {
  private readonly numbers: Float64Array;
  private texts?: { codes: Uint32Array; values: string[]; known: Map<string, number> };
  constructor(private readonly rows: number) {
    this.numbers = new Float64Array(rows).fill(Number.NaN);
  }

  set(row: number, value: unknown): void {
    const isMissing = value === null || value === undefined;
    const isNumber = typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean';
    if (!this.texts && (isMissing || isNumber)) {
      this.numbers[row] = isMissing ? Number.NaN : Number(value);
      return;
    }
    this.texts ??= this.asTexts(row);
    this.texts.codes[row] = this.code(isMissing ? '' : value instanceof Date ? value.toISOString() : String(value));
  }

  finish(): StoredColumn {
    return this.texts ?? this.numbers;
  }

  private code(text: string): number {
    const { known, values } = this.texts!;
    const code = known.get(text) ?? values.push(text) - 1;
    known.set(text, code);
    return code;
  }

  private asTexts(before: number) {
    this.texts = { codes: new Uint32Array(this.rows), values: [], known: new Map() };
    for (let r = 0; r < before; r++) {
      this.texts.codes[r] = this.code(Number.isNaN(this.numbers[r]) ? '' : String(this.numbers[r]));
    }
    return this.texts;
  }
}
