/** A table as a source of items: a row is an item, encoded while it is read. */
import { ShapeError } from '../../core/errors.ts';
import { sha256 } from '../hash.ts';
import type { Part, Source, SourceItem } from '../item.ts';
import {
  type ColumnEncoding,
  encodedWidth,
  encoder,
  fitEncoding,
  rawEncoding,
  type TableEncoding,
} from './encoding.ts';
import { rowContents } from './row-contents.ts';
import type { Table } from './table.ts';

/** What `tableSource` needs to know. The table is kept, not copied. */
export interface TableSourceOptions extends Pick<Source, 'name' | 'title' | 'licence' | 'classes' | 'normalClass'> {
  readonly table: Table;
  /** Class of each row. */
  readonly labels: ArrayLike<number>;
  readonly parts?: readonly Part[];
  /** Ids of the rows, such as their lines in a file; else they are counted from 1. */
  readonly ids?: ArrayLike<number | string>;
  /** Every text of the table has an input, also those that no training row has. */
  readonly allTexts?: boolean;
}

/**
 * Wraps a table as a Source. It can be read at once, unscaled; `prepare` learns scaling and texts from the training rows
 * and returns the source that reads by them.
 */
export async function tableSource(options: TableSourceOptions): Promise<Source> {
  const { classes, table, labels, parts, ids, allTexts } = options;
  const items: SourceItem[] = [];
  const contentOf = rowContents(table);
  for (let i = 0; i < table.rows; i++) {
    const [id, part] = [String(ids ? ids[i] : i + 1), parts ? parts[i] : 'train'];
    items.push(contentOf ? { id, class: labels[i], part, content: contentOf(i) } : { id, class: labels[i], part });
  }
  const facts = { columns: table.columns, classes, parts: parts ?? null };
  const content = await Promise.all([table.cells, Uint16Array.from(labels)].map((v) => sha256(bytesOf(v))));
  const hash = await sha256(JSON.stringify([facts, content]));
  return encodedSource(options, items, hash, rawEncoding(table), allTexts);
}

function encodedSource(
  { name, title, licence, classes, normalClass, table }: TableSourceOptions,
  items: readonly SourceItem[],
  hash: string,
  encoding: TableEncoding,
  allTexts?: boolean,
): Source {
  const width = encodedWidth(encoding);
  const write = encoder(encoding, table.columns);
  return {
    name,
    kind: 'table',
    title,
    licence,
    shape: [width],
    classes,
    ...(normalClass !== undefined && { normalClass }),
    items,
    hash,
    encoding,
    async read(indices, out) {
      if (out.length !== indices.length * width) {
        throw new ShapeError(
          `${name}: ${indices.length} rows need ${indices.length * width} values, got ${out.length}.`,
        );
      }
      for (let k = 0; k < indices.length; k++) {
        if (!(indices[k] >= 0 && indices[k] < items.length)) {
          throw new ShapeError(`${name}: item numbers must be in 0 … ${items.length - 1}, got ${indices[k]}.`);
        }
        write(table.cells, indices[k], out, k * width);
      }
    },
    cells: (index) =>
      table.columns.map((column, c) => {
        const value = table.cells[index * table.columns.length + c];
        if (column.kind === 'categorical') return column.values[value];
        return Number.isNaN(value) ? '' : String(value);
      }),
    async prepare(train, { scaling = 'min-max', onEvent }) {
      const { encoding: fitted, remarks } = fitEncoding(table, train, { scaling, allTexts });
      for (const remark of remarks) onEvent({ type: 'warning', ...remark });
      if (table.columns.length === 1) {
        const message = `${name} has one column (${table.columns[0].name}): a row can be odd only by how rare its value is.`;
        onEvent({ type: 'warning', code: 'one-column', message });
      }
      // What only explains does not change what is read.
      const read = { ...fitted, columns: fitted.columns.map(({ usual, shares, ...column }: Explained) => column) };
      const own = await sha256(JSON.stringify([hash, read]));
      return encodedSource(
        { name, title, licence, classes, normalClass, table, labels: [] },
        items,
        own,
        fitted,
        allTexts,
      );
    },
  };
}

type Explained = ColumnEncoding & { readonly usual?: unknown; readonly shares?: unknown };

const bytesOf = (v: Float64Array | Uint16Array) => new Uint8Array(v.buffer as ArrayBuffer, v.byteOffset, v.byteLength);
