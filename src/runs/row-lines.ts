/**
 * Rows of a CSV file that grows, scored as `predict` scores them: the head is read once, each line below it is a row as soon as it is
 * whole, and how far was read is kept in a file, so that whoever is stopped goes on behind that. A line that is no row is told and
 * skipped. UTF-8 only; left out: cells with line ends inside. Node only.
 */
import * as z from 'zod';
import { DataError } from '../core/errors.ts';
import { type Listener, silent, warning } from '../core/events.ts';
import { parseStored } from '../core/stored.ts';
import { type Said, say } from '../core/text.ts';
import { type Rows, sourceColumn, type TableEncoding } from '../data/pure.ts';
import { readCells } from '../data/table/cells.ts';
import { textLayout } from '../data/table/text-layout.ts';
import { checkHead } from '../data/table/with-head.ts';
import type { Detector } from '../engine/scoring/detector.ts';
import { type RowFacts, rowRemarks } from '../engine/scoring/rows.ts';
import { readJsonIfThere, writeJson } from './files.ts';
import { type StoredError, stored } from './folder.ts';
import type { Prediction } from './predict.ts';
import { scoreRows } from './score-rows.ts';
import { cellsOf, checkNoHead, otherHead } from './stream-columns.ts';
import {
  atStart,
  behind,
  checkContinued,
  type Line,
  type Position,
  readLines,
  storedPosition,
} from './stream-input.ts';

/** A row of a file that grows. */
export type LineRow = (
  | (Omit<Prediction, 'path' | 'line' | 'regions'> & { readonly error?: undefined })
  /** Why it has no score. */
  | { readonly error: StoredError }
) & {
  /** Among the rows of the file, counted from 0; those that could not be read count. */
  readonly at: number;
  /** In the file, counted from 1. */
  readonly line: number;
  /** As `ReadRows.numbers`; of a row that could not be read absent. */
  readonly values?: Readonly<Record<string, number>>;
};

/** What is scored, and how. */
export interface RowLinesOptions {
  /** Of tables; it stays open. */
  readonly detector: Detector;
  /** CSV with a head. */
  readonly file: string;
  /** JSON file that keeps the head and how far was read; written when `onRows` is done. */
  readonly state: string;
  /** Waits for the file to grow, until the signal aborts. */
  readonly follow?: boolean;
  /** Gets rows in their order; the next ones are scored when it is done with them. */
  onRows(rows: readonly LineRow[]): Promise<void>;
  /** What to do about a file that begins anew, as a sentence. */
  readonly remedy?: Said;
  readonly onEvent?: Listener;
  readonly signal?: AbortSignal;
}

/** Rows that are scored and kept at once, so that nobody waits long for the first of many, nor for the end. */
const ROWS = 256;

const storedHead = z.object({
  /** The line as it stands. */
  text: z.string(),
  columns: z.array(z.string()).min(1),
  separator: z.string().length(1),
});
type RowHead = z.infer<typeof storedHead>;

const storedState = z.object({
  head: storedHead,
  position: storedPosition,
  /** Rows before the position. */
  rows: z.int().min(0),
  /** The last of them, where the next one must know it. */
  before: z.string().nullable(),
});
type State = z.infer<typeof storedState>;

/**
 * Scores rows until the file ends, or the signal aborts. After a kill rows behind the last state come again. DataError `no-head`,
 * `missing-columns`, `stream-head` for a head that changes, `stream-file`, `stream-file-anew`, `damaged-state`, and as `readLines`.
 */
export async function scoreRowLines(options: RowLinesOptions): Promise<void> {
  const { detector, file, follow, remedy, signal, onEvent = silent } = options;
  let state = await readState(options.state);
  if (state) await checkContinued(file, state.position, remedy);
  let waiting: readonly Line[] = [];
  const told = new Set<string>();
  const from = state?.position ?? atStart;
  for await (const lines of readLines({ file, follow, from, keepsRest: true, remedy, signal })) {
    let rest = [...waiting, ...lines];
    waiting = [];
    if (!state) {
      const found = headOf(rest, file);
      // What the head is, the line below it shows.
      if (!found) {
        waiting = rest;
        continue;
      }
      for (const note of found.notes) onEvent({ type: 'log', level: 'info', message: `${file}: ${note}` });
      state = { head: found.head, position: behind(rest[found.lines - 1]), rows: 0, before: null };
      rest = rest.slice(found.lines);
    }
    for (let i = 0; i < rest.length && !signal?.aborted; i += ROWS) {
      const block: Block = await scoreBlock(rest.slice(i, i + ROWS), state, { detector, file });
      for (const { code, message } of rowRemarks(block.facts)) {
        if (told.has(code)) continue; // it would come with every row
        told.add(code);
        const text = `${file}: ${message}`;
        onEvent(code === 'unknown-columns' ? { type: 'log', level: 'info', message: text } : warning(code, text));
      }
      await options.onRows(block.rows);
      const before: string | null = needsBefore(detector.info.table) ? (block.last ?? state.before) : null;
      state = {
        ...{ head: state.head, before },
        position: block.position ?? state.position,
        rows: state.rows + block.rows.length,
      };
      await writeJson(options.state, state);
      if (block.fault) throw block.fault;
    }
    if (signal?.aborted) return;
  }
}

/** The head from the first lines, and how many lines it takes; undefined while no line stands below it. */
function headOf(lines: readonly Line[], file: string) {
  if (lines.filter(({ text }) => text.trim() !== '').length < 2) return undefined;
  const layout = textLayout(bytesOf(lines.map(({ text }) => text)));
  const { skip, separator, notes } = layout;
  if (skip + 1 >= lines.length) return undefined;
  const above = bytesOf(lines.slice(0, skip + 1).map(({ text }) => text));
  const { heads } = checkHead(readCells(above, file, layout));
  const columns = heads.map((name, i) => (name === '' ? `column ${i + 1}` : name));
  const head: RowHead = { text: lines[skip].text, columns, separator };
  return { head, lines: skip + 1, notes };
}

const bytesOf = (texts: readonly string[]) => new TextEncoder().encode(texts.join('\n'));

/** True where what a row means depends on the row before it. */
const needsBefore = (encoding: TableEncoding | undefined) =>
  encoding?.columns.some((column) => column.kind === 'numeric' && column.time?.part === 'gap');

interface Block {
  readonly rows: readonly LineRow[];
  readonly facts: RowFacts;
  /** Behind the last line that was used. */
  readonly position?: Position;
  /** The last of the rows. */
  readonly last?: string;
  /** Another head, which stands behind them. */
  readonly fault?: DataError;
}

/** Scores lines that follow one another. */
async function scoreBlock(
  lines: readonly Line[],
  { head, rows: first, before }: State,
  { detector, file }: { readonly detector: Detector; readonly file: string },
): Promise<Block> {
  const isBefore = before === null ? 0 : 1;
  const texts = [...(before === null ? [] : [before]), ...lines.map(({ text }) => (text === head.text ? '' : text))];
  const { raw, faults } = readTexts(texts, { head, file, line: lines[0].number - isBefore });
  const pending = scoreRows(detector, file, raw, { from: isBefore });
  const { predictions, failed } = await pending.finish();
  const placeOf = new Map(Array.from(raw.numbers, (line, r) => [line, r]));
  const scored = new Map(predictions.map(({ path: _, line, regions: __, ...found }) => [line!, found]));
  const unscored = new Map(failed.map(({ path, ...error }) => [path, error]));
  const rows: LineRow[] = [];
  let used: Line | undefined;
  let last: string | undefined;
  let fault: DataError | undefined;
  for (const line of lines) {
    const r = placeOf.get(line.number);
    const about = { at: first + rows.length, line: line.number };
    const error = faults.get(line.number) ?? unscored.get(`${file}:${line.number}`);
    if (error) fault = changedHead(line, { head, file, encoding: detector.info.table! });
    if (fault) break;
    used = line;
    if (r !== undefined) last = line.text;
    const found = scored.get(line.number);
    if (error) rows.push({ ...about, error });
    else if (found && r !== undefined) rows.push({ ...about, ...found, values: pending.numbers(r) });
  }
  return { rows, facts: pending.facts, ...(used && { position: behind(used) }), last, fault };
}

interface Place {
  readonly head: RowHead;
  readonly file: string;
  /** Number of the first line. */
  readonly line: number;
}

/** The lines that are rows, and by its number why a line is none. */
function readTexts(
  texts: readonly string[],
  { head: { columns, separator }, file, line }: Place,
): { raw: Rows; faults: ReadonlyMap<number, StoredError> } {
  const faults = new Map<number, StoredError>();
  const kept = [...texts];
  const read = (some: readonly string[], from: number) =>
    readCells(bytesOf(some), file, { heads: columns, separator, line: from });
  const check = (i: number) => {
    try {
      if (kept[i].includes('\ufffd')) throw new DataError('csv', `${file} (line ${line + i}): the text must be UTF-8.`);
      read([kept[i]], line + i);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      faults.set(line + i, stored(error));
      kept[i] = '';
    }
  };
  // A quote that is not closed would take in the lines behind it.
  for (const [i, text] of texts.entries()) if (/["\ufffd]/.test(text)) check(i);
  try {
    return { raw: read(kept, line), faults };
  } catch {
    for (const i of texts.keys()) check(i);
    return { raw: read(kept, line), faults };
  }
}

/** The error of a line that names columns, of which others stand below it from now on; undefined for any other line. */
function changedHead(
  { text, number }: Line,
  { head, file, encoding }: { readonly head: RowHead; readonly file: string; readonly encoding: TableEncoding },
): DataError | undefined {
  const { columns, separator } = head;
  const place = `${file}:${number}`;
  const asStream = { format: 'csv', delimiter: separator, columns } as const;
  const numeric = encoding.columns.flatMap((column) =>
    column.kind === 'numeric' ? [columns.indexOf(sourceColumn(column))] : [],
  );
  try {
    const cells = text.split(separator).map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
    if (cells.join('\n') === columns.join('\n')) return undefined;
    const known = cells.filter((cell) => columns.includes(cell));
    if (known.length > columns.length / 2) return otherHead(place, columns, cells);
    const read = cellsOf(text, asStream, place);
    if (read) checkNoHead(read, asStream, { channels: [...new Set(numeric)], time: -1, forms: [] }, place);
  } catch (error) {
    if (error instanceof DataError && error.code === 'stream-head') return error;
    if (!(error instanceof DataError)) throw error; // another number of cells is told as that of a row
  }
  return undefined;
}

/** What was kept of a file. */
async function readState(path: string): Promise<State | undefined> {
  const found = await readJsonIfThere(path, 'damaged-state');
  return (
    found &&
    parseStored(
      storedState,
      found,
      (what) =>
        new DataError(
          'damaged-state',
          say`${path} must say how far a file was read, but ${what}. Delete it to begin anew.`,
        ),
    )
  );
}
