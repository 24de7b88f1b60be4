/** Rows of a file with what a detector says of each. */
import { DataError } from '../core/errors.ts';
import { columnReasons, encodedWidth, type Rows } from '../data/index.ts';
import { type Detector, judged } from '../engine/scoring/detector.ts';
import { type RowFacts, readRows } from '../engine/scoring/rows.ts';
import type { StoredError } from './folder.ts';
import type { Prediction } from './predict.ts';

/** What came of some items: those with a score in their order, and the others. */
export interface ScoredItems {
  readonly predictions: readonly Prediction[];
  readonly failed: readonly (StoredError & { readonly path: string })[];
}

/** Rows whose scores are on their way. */
export interface PendingRows {
  readonly facts: RowFacts;
  /** As `ReadRows.numbers`. */
  numbers(row: number): Readonly<Record<string, number>>;
  /** Throws as `Detector.score`. */
  finish(): Promise<ScoredItems>;
}

/** Rows have no regions. */
const none: Prediction['regions'] = [];

/** Columns that are named as the ones that stand out. */
const COLUMNS = 3;

/**
 * Begins to score rows of a file, encoded as in training, from a position on; the caller may read on meanwhile.
 * @throws DataError `artefact-corrupt` for a detector without columns, `missing-columns`, `csv`.
 */
export function scoreRows(
  detector: Detector,
  path: string,
  rows: Rows,
  { from = 0, signal }: { readonly from?: number; readonly signal?: AbortSignal } = {},
): PendingRows {
  const { info } = detector;
  const { table } = info;
  if (!table)
    throw new DataError('artefact-corrupt', `${path}: the detector lacks the names of its columns. Train again.`);
  const width = encodedWidth(table);
  const { inputs, fault, cell, numbers, facts } = readRows(rows, table, from);
  const scoring = detector.score(inputs.subarray(from * width), rows.rows - from, { signal });
  scoring.catch(() => {}); // heard in `finish`
  return {
    facts,
    numbers,
    async finish() {
      const { scores, maps } = await scoring;
      const predictions: Prediction[] = [];
      const failed: ScoredItems['failed'][number][] = [];
      for (let r = from; r < rows.rows; r++) {
        const line = rows.numbers[r];
        const score = scores[r - from];
        const problem = fault(r);
        if (problem !== undefined || Number.isNaN(score)) {
          const place = `${path} (${rows.where(r)})`;
          const what = problem === undefined ? noScore(place) : { code: 'csv-rows', message: `${place}: ${problem}.` };
          failed.push({ path: `${path}:${line}`, ...what });
          continue;
        }
        const map = maps.subarray((r - from) * width, (r - from + 1) * width);
        const columns = columnReasons(table, map, COLUMNS, (column) => cell(r, column));
        const { threshold, isAnomalous, decision, pValue } = judged(info, score);
        predictions.push({ path, line, score, threshold, isAnomalous, decision, pValue, columns, regions: none });
      }
      return { predictions, failed };
    },
  };
}

/** Of a row whose score is no number. */
export const noScore = (place: string) => ({
  code: 'no-score',
  message: `${place}: the score is not a number (NaN), because its values are far outside the range of the model. Check them.`,
});
