/**
 * Files of rows in blocks of equal size, so that a file may be larger than memory: CSV and TSV in UTF-8 (gzipped too) by lines,
 * Parquet by groups of rows. What stands in other formats or encodings is held whole. Node only.
 */
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { Cancelled, OddityError } from '../../core/errors.ts';
import { type Listener, silent } from '../../core/events.ts';
import { ByteBudget } from '../formats/budget.ts';
import { openParquet } from '../formats/parquet.ts';
import { readCells } from '../table/cells.ts';
import { columnRows } from '../table/columns.ts';
import { joinRows } from '../table/join-rows.ts';
import { type RowIndex, RowScanner } from '../table/row-scanner.ts';
import { type Rows, sliceRows } from '../table/rows.ts';
import { textLayout } from '../table/text-layout.ts';
import { checkHead } from '../table/with-head.ts';
import { openForward, pieces } from './forward-bytes.ts';
import { openRows, rowsFormat } from './open-rows.ts';
import { readInput, requireFile, unreadable } from './read-input.ts';

/** Some rows of a file. */
export interface BlockOfRows {
  readonly rows: Rows;
  /** 1 where the first row is the last one of the block before, given for what it says of the next; else 0. */
  readonly before: 0 | 1;
}

/** A file of rows that is read a block at a time. */
export interface RowBlocks {
  /** As `Rows.heads`. */
  readonly heads: readonly string[];
  readonly rows: number;
  /** sha256 of the file. */
  readonly hash: string;
  /** Blocks from number `from` to before `to`, counted from 0; with `before` each has the row before it too. */
  blocks(from: number, to: number, before: boolean): AsyncGenerator<BlockOfRows>;
}

export interface RowBlockOptions {
  /** Rows of a block. */
  readonly size: number;
  readonly onEvent?: Listener;
  readonly signal?: AbortSignal;
}

/** Bytes from which the form of a text follows: as many as `textLayout` looks at, and one more. */
const SAMPLE = 2 ** 18 + 1;
/** Milliseconds between two events. */
const TELL_MS = 500;

/**
 * Opens a file of rows: looks at all of it once, for what is wrong with it and where its rows are.
 * @throws as `openRows`, and Cancelled.
 */
export async function openRowBlocks(path: string, options: RowBlockOptions): Promise<RowBlocks> {
  await requireFile(path);
  const format = rowsFormat(path);
  const isGzip = /\.gz$/i.test(path);
  try {
    if (format === 'parquet' && !isGzip) return await parquetBlocks(path, options);
    const text = format === 'csv' || format === 'tsv' ? await textBlocks(path, options) : undefined;
    return text ?? (await wholeBlocks(path, options));
  } catch (error) {
    if (error instanceof OddityError) throw error;
    throw 'syscall' in (error as object) ? unreadable(path, 'no-data', error as NodeJS.ErrnoException) : error;
  }
}

/** All rows are held. */
async function wholeBlocks(path: string, { size }: RowBlockOptions): Promise<RowBlocks> {
  const rows = await openRows(path);
  const hash = createHash('sha256')
    .update(await readInput(path, 'no-data'))
    .digest('hex');
  return {
    heads: rows.heads,
    rows: rows.rows,
    hash,
    blocks: blocksOf([{ from: 0, to: rows.rows, open: async () => rows }], size),
  };
}

/** Rows of a Parquet file; one group of rows is held, and parts of two where a block reaches over their border. */
async function parquetBlocks(path: string, options: RowBlockOptions): Promise<RowBlocks> {
  const hash = await hashOf(path, options);
  const within = async <T>(work: (file: FileHandle, length: number) => Promise<T>): Promise<T> => {
    const file = await open(path);
    try {
      return await work(file, (await file.stat()).size);
    } finally {
      await file.close();
    }
  };
  const opened = (file: FileHandle, byteLength: number) =>
    openParquet(
      {
        byteLength,
        async slice(from, to = byteLength) {
          const bytes = new Uint8Array(Math.max(0, Math.min(to, byteLength) - from));
          await file.read(bytes, 0, bytes.length, from);
          return bytes.buffer;
        },
      },
      path,
    );
  const { names, rows, groups } = await within(opened);
  const parts = groups.map(({ from, to }, group) => ({
    from,
    to,
    open: () =>
      within(async (file, length) => {
        const columns = await (await opened(file, length)).readGroup(group, new ByteBudget(path, length));
        return columnRows(path, columns, to - from, { first: from + 1 });
      }),
  }));
  return { heads: names, rows, hash, blocks: blocksOf(parts, options.size) };
}

/** Blocks of equal size from parts of any. */
function blocksOf(
  parts: readonly { from: number; to: number; open(): Promise<Rows> }[],
  size: number,
): RowBlocks['blocks'] {
  const total = parts.at(-1)?.to ?? 0;
  return async function* (from, to, before) {
    const held = new Map<number, Rows>();
    for (let block = from; block < to; block++) {
      const first = Math.max(0, block * size - Number(before));
      const end = Math.min(total, (block + 1) * size);
      const slices: Rows[] = [];
      for (const [n, part] of parts.entries()) {
        if (part.to <= first) held.delete(n);
        if (part.to <= first || part.from >= end) continue;
        const rows = held.get(n) ?? (await part.open());
        held.set(n, rows);
        slices.push(sliceRows(rows, Math.max(0, first - part.from), Math.min(part.to, end) - part.from));
      }
      const rows = joinRows(slices, slices[0].file);
      const where = (row: number) => `row ${rows.numbers[row]}`;
      yield { rows: slices.length === 1 ? rows : { ...rows, where }, before: first < block * size ? 1 : 0 };
    }
  };
}

/** Rows of a CSV or TSV file; undefined where its text is not UTF-8 with line feeds. */
async function textBlocks(path: string, options: RowBlockOptions): Promise<RowBlocks | undefined> {
  const isGzip = await beginsAsGzip(path);
  const sample = await sampleOf(path, isGzip);
  // Zeros are UTF-16 or no text at all.
  if (sample.subarray(0, 2 ** 16).includes(0)) return undefined;
  const { separator, skip, unnamed } = textLayout(sample);
  const scanner = new RowScanner(path, { separator, skip, unnamed: unnamed ? 1 : 0, size: options.size });
  const packed = createHash('sha256');
  const tell = reader((await stat(path)).size, options);
  const text = new TextCheck();
  const onPacked = (bytes: Uint8Array) => {
    packed.update(bytes);
    tell(bytes.length);
  };
  for await (const piece of pieces(path, isGzip, onPacked)) {
    if (!text.takes(piece)) return undefined;
    scanner.scan(piece);
  }
  if (!text.isWhole()) return undefined;
  const index = scanner.finish();
  const cells = { separator, ...(unnamed && { unnamed }) };
  const { heads } = checkHead(
    readCells(index ? await partOf(path, isGzip, index.head) : new Uint8Array(0), path, cells),
  );
  const { rows } = index!;
  return {
    heads,
    rows,
    hash: packed.digest('hex'),
    blocks: (from, to, before) => cutBlocks(path, { isGzip, index: index!, heads, separator }, { from, to, before }),
  };
}

async function* cutBlocks(
  path: string,
  {
    isGzip,
    index,
    heads,
    separator,
  }: { isGzip: boolean; index: RowIndex; heads: readonly string[]; separator: string },
  { from, to, before }: { from: number; to: number; before: boolean },
): AsyncGenerator<BlockOfRows> {
  const bytes = await openForward(path, isGzip);
  try {
    for (let block = from; block < to; block++) {
      const own = { start: index.starts[block], line: index.lines[block] };
      const withBefore = before && block > 0;
      const { start, line } = withBefore ? index.before[block] : own;
      const part = await bytes.read(start, index.starts[block + 1]);
      yield { rows: readCells(part, path, { heads, separator, line }), before: withBefore ? 1 : 0 };
    }
  } finally {
    await bytes.close();
  }
}

/** Whether bytes that come in pieces are UTF-8 text whose lines end with line feeds. */
class TextCheck {
  private cut = new Uint8Array(0);
  private hasLineFeed = false;
  private hasReturn = false;

  takes(piece: Uint8Array): boolean {
    this.hasLineFeed ||= piece.includes(10);
    this.hasReturn ||= piece.includes(13);
    const all = this.cut.length > 0 ? Buffer.concat([this.cut, piece]) : piece;
    const end = lastWhole(all);
    this.cut = Uint8Array.from(all.subarray(end));
    return isUtf8(all.subarray(0, end));
  }

  isWhole(): boolean {
    return this.cut.length === 0 && (this.hasLineFeed || !this.hasReturn);
  }
}

/** Where a letter begins that may go on in the next piece; else the end. */
function lastWhole(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back];
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

async function beginsAsGzip(path: string): Promise<boolean> {
  const bytes = await openForward(path, false);
  try {
    const [first, second] = await bytes.read(0, 2);
    return first === 0x1f && second === 0x8b;
  } finally {
    await bytes.close();
  }
}

const sampleOf = (path: string, isGzip: boolean) => partOf(path, isGzip, [0, SAMPLE]);

async function partOf(path: string, isGzip: boolean, [from, to]: readonly [number, number]): Promise<Uint8Array> {
  const bytes = await openForward(path, isGzip);
  try {
    return await bytes.read(from, to);
  } finally {
    await bytes.close();
  }
}

async function hashOf(path: string, options: RowBlockOptions): Promise<string> {
  const hash = createHash('sha256');
  const tell = reader((await stat(path)).size, options);
  for await (const piece of pieces(path, false)) {
    hash.update(piece);
    tell(piece.length);
  }
  return hash.digest('hex');
}

/** Says how much of a file was looked at, twice a second, and throws Cancelled once the signal aborts. */
function reader(total: number, { onEvent = silent, signal }: RowBlockOptions): (bytes: number) => void {
  let done = 0;
  let last = performance.now();
  return (bytes) => {
    done += bytes;
    if (signal?.aborted) throw new Cancelled();
    const now = performance.now();
    if (now - last < TELL_MS) return;
    last = now;
    onEvent({ type: 'progress', task: 'read', done, total, unit: 'bytes' });
  };
}
