/** `predictions.csv` of a run: one line per test item, with its raw score. Scores survive the text to the last bit. */
import { csvField, csvRows, csvValue } from '../core/csv.ts';
import { DataError } from '../core/errors.ts';
import { sha256 } from '../data/hash.ts';
import type { Task } from '../engine/task/task.ts';
import { readIfThere } from './files.ts';
import { readRun, runFiles } from './folder.ts';

const columns = ['id', 'class', 'label', 'score', 'predicted'] as const;

/** The test part of a run: four lists of one length, in the order of the split. */
export interface TestScores {
  readonly ids: readonly string[];
  /** Names of the items' classes. */
  readonly classes: readonly string[];
  /** 1 = anomalous. */
  readonly labels: Uint8Array;
  readonly scores: Float64Array;
}

/** The file's text: what an item is, its score, and what the threshold of the training made of it. */
export function predictionsCsv({ source, split }: Task, scores: Float32Array, threshold: number | null): string {
  const lines = Array.from(split.test, (item, i) => {
    const { id, class: number } = source.items[item];
    const predicted = threshold === null ? '' : scores[i] >= threshold ? 1 : 0;
    return [csvField(id), csvField(source.classes[number]), split.testLabels[i], scores[i], predicted].join();
  });
  return `${columns.join()}\n${lines.join('\n')}\n`;
}

/** Reads the scores of a run's test part. Throws DataError `no-predictions`, or `predictions-corrupt`, with the line where it can be told. */
export async function readPredictions(run: string): Promise<TestScores> {
  const path = runFiles(run).predictions;
  const bytes = await readIfThere(path);
  if (!bytes) {
    throw new DataError(
      'no-predictions',
      `There is no ${path}, which holds the scores of the test part. Name the folder of a finished run.`,
    );
  }
  const { sha256: hashes } = await readRun(run);
  const corrupt = (what: string) => new DataError('predictions-corrupt', `${path} is damaged: ${what}. Train again.`);
  if (hashes && (await sha256(bytes)) !== hashes.predictions) throw corrupt('it is not the file that training wrote');
  const [heads, ...rows] = csvRows(new TextDecoder().decode(bytes)) ?? [];
  const odd = rows.findIndex((row) => row.length !== heads.length);
  if (heads === undefined) throw corrupt('its rows cannot be told apart');
  if (odd >= 0)
    throw corrupt(`its rows cannot be told apart: line ${odd + 2} has ${rows[odd].length} fields of ${heads.length}`);
  const column = (name: (typeof columns)[number]) => {
    const at = heads.indexOf(name);
    return rows.map((row) => row[at] ?? '');
  };
  const [labels, scores] = [column('label'), column('score')];
  for (const [i, score] of scores.entries()) {
    const label = labels[i];
    const isScore = score !== '' && (score === 'NaN' || !Number.isNaN(Number(score)));
    if ((label !== '0' && label !== '1') || !isScore)
      throw corrupt(`line ${i + 2} must have a label of 0 or 1 and a score, found "${label}" and "${score}"`);
  }
  return {
    ids: column('id').map(csvValue),
    classes: column('class').map(csvValue),
    labels: Uint8Array.from(labels, Number),
    scores: Float64Array.from(scores, Number),
  };
}
