/**
 * Items out of the body of a request, by what it says it is: bytes of an image, a form of files, rows as JSON or CSV. Nothing in a
 * body is ever taken as a path or an address.
 */
import { DataError, type OddityError } from '../../core/errors.ts';
import { objectRows, type RowObject, type Rows, rowsOf } from '../../data/index.ts';
import type { ArtifactInfo } from '../../engine/scoring/artifact.ts';
import type { Detector } from '../../engine/scoring/detector.ts';
import { type RowRemark, readRows, rowRemarks } from '../../engine/scoring/rows.ts';
import { findKind, type ReadItem } from '../../kinds/index.ts';
import { Problem } from '../problem.ts';
import { jsonOf } from '../request-body.ts';

/** An item that was read, or why it could not be. */
export interface Read {
  /** The name of its file, or its number from 1. */
  readonly id: string;
  readonly item?: ReadItem;
  readonly fault?: Pick<OddityError, 'code' | 'message'>;
}

/** What a body is: its type, and its bytes. */
export interface Body {
  readonly type: string;
  readonly bytes: Uint8Array;
  /** Files of a form. */
  readonly files?: readonly File[];
  readonly mostItems: number;
}

const wrongType = (kind: string, type: string, wanted: string) =>
  new Problem(
    415,
    'wrong-type',
    `A detector of ${findKind(kind).words.items} takes ${wanted}, got ${type || 'a body that does not say its type'}. Send it as one of these.`,
  );

const tooMany = (count: number, most: number) =>
  new Problem(413, 'too-many-items', `A request may have ${most} items, got ${count}. Send fewer at once.`);

/** The images of a body. Those that cannot be read are among them with the reason. Throws Problem 413, 415. */
export async function imagesOf(detector: Detector, { type, bytes, files, mostItems }: Body): Promise<Read[]> {
  if (!files) {
    if (!/^(image\/|application\/octet-stream)/.test(type)) {
      throw wrongType('image', type, 'the bytes of an image (image/png …), or several files as multipart/form-data');
    }
    return [await readOne(detector, '1', bytes)];
  }
  if (files.length > mostItems) throw tooMany(files.length, mostItems);
  if (files.length === 0) throw new Problem(400, 'no-items', 'The form must have a file at least, and has none.');
  return Promise.all(
    files.map(async (file, i) =>
      readOne(detector, file.name || String(i + 1), new Uint8Array(await file.arrayBuffer())),
    ),
  );
}

async function readOne(detector: Detector, id: string, bytes: Uint8Array): Promise<Read> {
  try {
    return { id, item: await detector.read(bytes) };
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return { id, fault: { code: error.code, message: error.message } };
  }
}

/** The raw rows of a body: JSON, or CSV with a head; steps of a series are limited by the bytes of a body alone. Throws Problem 413, 415, DataError. */
export async function rowsOfBody(kind: string, { type, bytes, files, mostItems }: Body): Promise<Rows> {
  const file = files?.[0];
  const rows = file
    ? await rowsOf(new Uint8Array(await file.arrayBuffer()), rowsFileName(file))
    : await unfiled(kind, type, bytes);
  if (kind !== 'series' && rows.rows > mostItems) throw tooMany(rows.rows, mostItems);
  if (rows.rows === 0) throw new Problem(400, 'no-items', 'The body must have a row at least, and has none.');
  return rows;
}

/** A file of a form says by its name what it is; without an end it is taken as CSV. */
const rowsFileName = ({ name }: File) => (/\.[a-z]+(\.gz)?$/i.test(name) ? name : `${name || 'rows'}.csv`);

async function unfiled(kind: string, type: string, bytes: Uint8Array): Promise<Rows> {
  if (/^text\/csv/.test(type)) return rowsOf(bytes, 'body.csv');
  if (/^application\/vnd\.apache\.parquet/.test(type)) return rowsOf(bytes, 'body.parquet');
  if (!/^application\/json/.test(type)) {
    throw wrongType(kind, type, 'rows as application/json or text/csv, or a file of rows as multipart/form-data');
  }
  return objectRows(objectsOf(bytes), 'the body');
}

/** A row, a list of rows, or either as `rows`. */
function objectsOf(bytes: Uint8Array): RowObject[] {
  const json = jsonOf(bytes);
  if (json === undefined) throw new Problem(400, 'not-json', 'The body must be JSON in UTF-8, but is not.');
  const inside = typeof json === 'object' && json !== null && 'rows' in json ? json.rows : json;
  return (Array.isArray(inside) ? inside : [inside]) as RowObject[];
}

/** Rows as items of a detector of tables, and what is to be said of them. Throws DataError `no-columns`, `missing-columns`. */
export function itemsOfRows(rows: Rows, { table }: ArtifactInfo): { items: Read[]; warnings: readonly RowRemark[] } {
  const { item, fault, facts } = readRows(rows, table);
  const items = Array.from({ length: rows.rows }, (_, r): Read => {
    const id = String(r + 1);
    const problem = fault(r);
    if (problem === undefined) return { id, item: item(r) };
    return { id, fault: { code: 'row-value', message: `${rows.where(r)}: ${problem}.` } };
  });
  return { items, warnings: rowRemarks(facts) };
}
