/** The files of a benchmark: a row for each training, and a page beside them. Node only. */
import { dirname } from 'node:path';
import { csv } from '../core/csv.ts';
import type { RunReport } from '../engine/judging/report-types.ts';
import { makeFolder, writeAtomic } from '../runs/files.ts';
import { oddityVersion } from '../runs/versions.ts';
import type { Bench } from './bench.ts';
import type { PlannedTable } from './jobs.ts';
import { benchPage } from './page.ts';
import { csvRow, type RowOrigin, summarize, type TableSummary } from './summary.ts';

/** A benchmark that was written. */
export interface WrittenBench {
  readonly out: string;
  readonly page: string;
  readonly tables: readonly TableSummary[];
  readonly rows: readonly ReturnType<typeof csvRow>[];
}

/** Writes the rows to `out`, a CSV file, and the page beside it. `found` is in the order of the jobs of all tables. */
export async function writeBench(
  bench: Bench,
  planned: readonly PlannedTable[],
  found: readonly { readonly report: RunReport; readonly origin: RowOrigin }[],
  out: string,
): Promise<WrittenBench> {
  let at = 0;
  const tables = planned.map(({ table, labels, leftOut }) => {
    const own = labels.map((label) => ({ label, report: found[at++].report }));
    return summarize(table, own, leftOut);
  });
  const rows = found.map(({ report, origin }) => csvRow(report, oddityVersion(), origin));
  const page = `${out.replace(/\.csv$/i, '')}.html`;
  await makeFolder(dirname(out));
  const cells = rows.map((row) => Object.values(row).map(String));
  await writeAtomic(out, csv(Object.keys(rows[0]), cells));
  const cpu = [...new Set(found.map(({ origin }) => origin.cpu))].join(', ');
  await writeAtomic(page, benchPage(bench, tables, { ...found[0].origin, cpu, version: oddityVersion() }));
  return { out, page, tables, rows };
}
