/** Inspection of files of rows: what each column holds and what training makes of it. Node only. */
import { OddityError } from '../../../core/errors.ts';
import { libraryWords, type Said, write } from '../../../core/text.ts';
import { type ColumnFacts, columnFacts, readTable } from '../../table/table.ts';
import { openTable, type TableChoice, tableOptions } from '../datasets/rows.ts';
import { describeSeries, isTakenAsSeries } from '../datasets/series-files.ts';

/** What a file of rows holds. */
export interface RowsInspection {
  /** What its rows are: those of a table, or the steps of a series. */
  readonly kind: 'table' | 'series';
  readonly path: string;
  readonly rows: number;
  /** One sentence: what was understood. */
  readonly explanation: string;
  /** In the order of the file. */
  readonly columns: readonly ColumnFacts[];
  /** The gravest first; `text` is the sentence as data where it refers to options. */
  readonly findings: readonly RowsFinding[];
  readonly errors: number;
  readonly warnings: number;
}

export interface RowsFinding {
  readonly severity: 'error' | 'warning';
  readonly code: string;
  readonly message: string;
  readonly text: Said;
}

/**
 * Looks at a file of rows, or at the files of rows in a folder, as training would read them; what would stop training is a
 * finding of severity `error`. Throws as `openTable`.
 */
export async function inspectRows(path: string, options: TableChoice = {}): Promise<RowsInspection> {
  const raw = await openTable(path);
  const finding = (severity: RowsFinding['severity'], code: string, text: Said): RowsFinding => ({
    severity,
    code,
    message: write(text, libraryWords),
    text,
  });
  try {
    const read = readTable(raw, tableOptions(options));
    const { table, facts, explanation, remarks } = read;
    const series = isTakenAsSeries(read, options) ? await describeSeries(path, read, options) : undefined;
    const told = series ? [...remarks.filter(({ code }) => code === 'looks-like-series'), ...series.remarks] : remarks;
    const findings = told.map(({ code, message }) => finding('warning', code, message));
    return {
      kind: series ? 'series' : 'table',
      path,
      rows: table.rows,
      explanation: [explanation, ...(series?.lines ?? [])].join('\n'),
      columns: facts,
      findings,
      errors: 0,
      warnings: findings.length,
    };
  } catch (error) {
    if (!(error instanceof OddityError)) throw error;
    const columns = columnFacts(raw, tableOptions(options));
    const findings = [finding('error', error.code, error.text)];
    const explanation = `${raw.file}: ${raw.rows} rows, ${raw.heads.length} columns; training would stop.`;
    return { kind: 'table', path, rows: raw.rows, explanation, columns, findings, errors: 1, warnings: 0 };
  }
}
