/**
 * Watches a CSV file to which rows are appended: each is scored once, and those that are anomalous, to be reviewed or not to be read are
 * results. How far was read is kept, and what is read again after a kill is known by its line. Node only.
 */
import { basename, join } from 'node:path';
import type { Listener } from '../core/events.ts';
import { option, say } from '../core/text.ts';
import type { Detector } from '../engine/scoring/detector.ts';
import { type LineRow, scoreRowLines } from '../runs/row-lines.ts';
import type { StreamedStep } from '../runs/stream.ts';
import type { WatchRecord } from './journal.ts';
import type { Results } from './results.ts';

/** How rows are watched. */
export interface RowsWatch {
  /** CSV with a head. */
  readonly file: string;
  readonly out: string;
  /** A result for every row. */
  readonly all?: boolean;
  /** End where the file ends. */
  readonly once?: boolean;
  readonly onStep?: (step: StreamedStep) => void;
  readonly onEvent?: Listener;
}

/** Scores rows until `signal` aborts, or with `once` to the end of the file. Throws as `scoreRowLines`. */
export async function watchRows(
  detector: Detector,
  results: Results,
  { file, out, all, once, onStep, onEvent }: RowsWatch,
  signal: AbortSignal,
): Promise<void> {
  const path = basename(file);
  const known = new Set(results.held().map(({ id }) => id));
  const threshold = detector.threshold;
  results.deliver(signal); // what a run before this one did not deliver
  await scoreRowLines({
    ...{ detector, file, onEvent, signal },
    state: join(out, 'rows.json'),
    follow: !once,
    remedy: say`Watch it with another ${option('out')}.`,
    async onRows(rows) {
      results.check();
      const fresh = rows.filter(({ line }) => !known.has(idOf(path, line)));
      const told = fresh.filter((row) => all || row.error || row.isAnomalous || row.decision === 'review');
      await results.add(told.map((row) => recordOf(path, row)));
      results.passed(fresh.length - told.length);
      results.deliver(signal);
      if (onStep) for (const row of rows) onStep(stepOf(row, threshold));
    },
  });
}

const idOf = (path: string, line: number) => `${path}:${line}`;

function recordOf(path: string, row: LineRow): WatchRecord {
  const { line } = row;
  const about = { id: idOf(path, line), path, line, stamp: String(line), time: new Date().toISOString() };
  if (row.error) return { ...about, error: row.error };
  const { score, threshold, isAnomalous, decision, pValue, columns } = row;
  return { ...about, score, threshold, isAnomalous, decision, pValue, ...(columns && { columns }) };
}

/** A row as a step of a log, of which none lasts into the next. */
function stepOf(row: LineRow, threshold: number | null): StreamedStep {
  const { at, line, values } = row;
  const about = { at, line, threshold, alarm: null, ...(values && { values }) };
  if (row.error) return { ...about, score: null, decision: null, skipped: true, channels: [] };
  const { score, decision, columns = [] } = row;
  return { ...about, score, decision, channels: columns.map(({ name, share }) => ({ name, share })) };
}
