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

/** Bytes that are read where they are asked for: a file in memory or on a disk. */
export interface RangeSource {
  readonly byteLength: number;
  slice(from: number, to?: number): ArrayBuffer | Promise<ArrayBuffer>;
}

/** An open file, of which one group of rows is read at a time. */
export interface ParquetFile {
  /** Names of the columns. */
  readonly names: readonly string[];
  readonly rows: number;
  /** In their order: the first row of each group, from 0, and the row behind its last. */
  readonly groups: readonly { readonly from: number; readonly to: number }[];
  /** Columns of a group. Throws as `openParquet`; `budget` is for the group. */
  readGroup(group: number, budget: ByteBudget): Promise<Map<string, StoredColumn>>;
}

/**
 * Reads all columns. `file` names it in messages; `budget` is that of the file.
 * @throws DataError `bad-magic`, `parquet-unsupported` with the column, `parquet-corrupt`, `too-large`.
 */
export async function readParquet(
  bytes: Uint8Array,
  file: string,
  budget = new ByteBudget(file, bytes.length),
): Promise<{ columns: Map<string, StoredColumn>; rows: number }> {
  // A view of its own: hyparquet takes slices of the buffer.
  const buffer = bytes.slice().buffer as ArrayBuffer;
  const opened = await openParquet(
    { byteLength: buffer.byteLength, slice: (from, to) => buffer.slice(from, to) },
    file,
  );
  return { columns: await opened.readAll(budget), rows: opened.rows };
}

/** Opens a file. Throws as `readParquet`. */
export async function openParquet(
  source: RangeSource,
  file: string,
): Promise<ParquetFile & { readAll(budget: ByteBudget): Promise<Map<string, StoredColumn>> }> {
  const { byteLength } = source;
  const mark = async (at: number) => String.fromCharCode(...new Uint8Array(await source.slice(at, at + 4)));
  if (byteLength < 12 || (await mark(0)) !== 'PAR1' || (await mark(byteLength - 4)) !== 'PAR1') {
    throw new DataError(
      'bad-magic',
      `${file} must begin and end with PAR1. It is not a whole Parquet file: fetch it again.`,
    );
  }
  const { parquetMetadataAsync, parquetScan, parquetSchema } = await import('hyparquet');
  const { compressors } = await import('hyparquet-compressors');
  const { deserializeTCompactProtocol } = await import('hyparquet/src/thrift.js');
  const whole = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof DataError) throw error;
      throw new DataError(
        'parquet-corrupt',
        `${file} must be a whole Parquet file, but cannot be read${reasonIn(error)}. Fetch it again.`,
      );
    }
  };
  return whole(async () => {
    const metadata = await parquetMetadataAsync(source);
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
    if (!(rows >= 0)) throw new Error(`it declares ${rows} rows`);
    const groups: { from: number; to: number }[] = [];
    for (const { num_rows } of metadata.row_groups) {
      const from = groups.at(-1)?.to ?? 0;
      groups.push({ from, to: from + Number(num_rows) });
    }
    const scanOf = async (numbers: readonly number[], budget: ByteBudget) => {
      for (const number of numbers)
        for (const { meta_data: chunk } of metadata.row_groups[number].columns)
          if (chunk) await checkPages(chunk, source, deserializeTCompactProtocol, budget);
      return parquetScan({ file: source, metadata, compressors, geoparquet: false });
    };
    const columnsOf = async (numbers: readonly number[], start: number, end: number, budget: ByteBudget) => {
      budget.hold(Float64Array.BYTES_PER_ELEMENT * (end - start) * names.length);
      const scan = await scanOf(numbers, budget);
      const columns = new Map<string, StoredColumn>();
      for (const name of names) {
        const column = new ColumnMaker(end - start);
        for (const { rowStart, rowEnd } of scan.ranges) {
          if (rowStart >= end || rowEnd <= start) continue;
          const values = await scan.readColumn({ rowStart, rowEnd, column: name });
          if (values.length !== rowEnd - rowStart) throw new Error(`${name} is too short`);
          for (let i = 0; i < values.length; i++) column.set(rowStart - start + i, values[i]);
        }
        columns.set(name, column.finish());
      }
      return columns;
    };
    return {
      names: names.map((name) => name.trim()),
      rows,
      groups,
      readGroup: (group: number, own: ByteBudget) =>
        whole(() => columnsOf([group], groups[group].from, groups[group].to, own)),
      readAll: (own: ByteBudget) => whole(() => columnsOf([...groups.keys()], 0, rows, own)),
    };
  });
}

/**
 * Walks the pages of a column and checks the sizes that their heads claim: hyparquet believes them, and does not end where a
 * damaged one has none.
 */
async function checkPages(
  chunk: ColumnMetaData,
  source: RangeSource,
  readHead: typeof deserializeTCompactProtocol,
  budget: ByteBudget,
): Promise<void> {
  const from = Number(chunk.dictionary_page_offset || chunk.data_page_offset);
  const end = from + Number(chunk.total_compressed_size);
  if (!(from > 0 && from < end && end <= source.byteLength)) throw new Error('a column lies outside the file');
  const reader = { view: new DataView(await source.slice(from, end)), offset: 0 };
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
