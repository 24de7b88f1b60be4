/** Predictions as CSV files: a line for each image, row, step or frame, and for each region of an image. */
import { csv, csvField } from '../core/csv.ts';
import { reasonText } from '../data/index.ts';
import type { Prediction } from './predict.ts';

/** The file of an image; file and line of a row. */
export const placeOf = ({ path, line }: Prediction) => (line === undefined ? path : `${path}:${line}`);

/** The columns that make most of a row's score, in words. */
export const columnsText = (columns: NonNullable<Prediction['columns']>) =>
  columns
    .filter(({ share }, i) => i === 0 || share >= 0.05)
    .map(reasonText)
    .join('; ');

/** Numbers as they are; empty where there is none. */
const cell = (value: number | string | null | undefined) =>
  value === null || value === undefined ? '' : String(value);

const flag = (isAnomalous: boolean | null) => (isAnomalous === null ? '' : isAnomalous ? '1' : '0');

/** Predictions of one kind, with a head. */
export function predictionsCsv(predictions: readonly Prediction[]): string {
  if (predictions.some((p) => p.frame !== undefined)) return framesCsv(predictions);
  if (predictions.some((p) => p.line !== undefined && !p.columns)) return stepsCsv(predictions);
  return predictionsHead(predictions.some((p) => p.columns)) + predictionsLines(predictions);
}

/** The head of predictions of rows, or of images. */
export const predictionsHead = (ofRows: boolean) =>
  `path,score,threshold,isAnomalous,decision,pValue,${ofRows ? 'columns' : 'regions,regionArea'}\n`;

/** A line for each image or row, without a head. */
export function predictionsLines(predictions: readonly Prediction[]): string {
  const lines = predictions.map((p) => {
    const { score, threshold, isAnomalous, decision, pValue, columns, regions } = p;
    // Numbers and decisions never need quotes.
    const about = columns
      ? csvField(columnsText(columns))
      : `${regions.length},${regions.reduce((sum, r) => sum + r.area, 0)}`;
    return `${csvField(placeOf(p))},${score},${cell(threshold)},${flag(isAnomalous)},${cell(decision)},${cell(pValue)},${about}\n`;
  });
  return lines.join('');
}

/** One line per step of a series; with what is expected of each channel, where the detector expects something. */
function stepsCsv(predictions: readonly Prediction[]): string {
  const known = predictions.find((p) => p.expected);
  const kinds = known?.lower ? (['expected', 'lower', 'upper'] as const) : known ? (['expected'] as const) : [];
  const names = Object.keys(known?.expected ?? {});
  const rows = predictions.map((p) => [
    placeOf(p),
    cell(p.time),
    cell(p.score),
    cell(p.threshold),
    flag(p.isAnomalous),
    cell(p.decision),
    ...names.flatMap((name) => kinds.map((kind) => cell(p[kind]?.[name]))),
  ]);
  const about = names.flatMap((name) => kinds.map((kind) => `${name} ${kind}`));
  return csv(['path', 'time', 'score', 'threshold', 'isAnomalous', 'decision', ...about], rows);
}

/** One line per frame of a clip. */
function framesCsv(predictions: readonly Prediction[]): string {
  const rows = predictions.map((p) => [
    p.path,
    cell(p.frame),
    cell(p.seconds),
    cell(p.score),
    cell(p.threshold),
    flag(p.isAnomalous),
    cell(p.decision),
  ]);
  return csv(['path', 'frame', 'seconds', 'score', 'threshold', 'isAnomalous', 'decision'], rows);
}

/** One line per region, in pixels of the image. */
export const regionsCsv = (predictions: readonly Prediction[]): string => regionsHead + regionsLines(predictions);

export const regionsHead = 'path,region,x,y,width,height,area,peak\n';

/** The same without a head. */
export const regionsLines = (predictions: readonly Prediction[]): string =>
  predictions
    .flatMap(({ path, regions }) =>
      regions.map((r, i) => `${csvField(path)},${[i + 1, r.x, r.y, r.width, r.height, r.area, r.peak].join()}\n`),
    )
    .join('');
