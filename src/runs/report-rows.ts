/** The rows of a run's test part that stand out most, with the columns that made them so, for the page of the run. */
import type { ColumnEncoding, TableEncoding } from '../data/index.ts';
import { scoreWithMaps } from '../engine/scoring/stream.ts';
import type { Task } from '../engine/task/task.ts';
import { table } from '../kinds/index.ts';
import type { ReportColumn, ReportItem, ReportRow } from '../report/data.ts';
import { raw } from '../report/numbers.ts';
import type { Session } from '../runtime/index.ts';

/** Rows that a page lists. */
const ROWS = 20;

/** The rows with the highest scores, scored once more for their maps. */
export async function anomalousRows(
  { session, task, signal }: { session: Session; task: Task; signal?: AbortSignal },
  items: readonly ReportItem[],
): Promise<ReportRow[]> {
  const { source, split } = task;
  const { encoding, shape } = source;
  const top = [...items.keys()].sort((a, b) => items[b].score - items[a].score || a - b).slice(0, ROWS);
  if (!encoding || top.length === 0) return [];
  const width = shape[0];
  const { images: inputs, maps } = await scoreWithMaps(
    session,
    source,
    top.map((i) => split.test[i]),
    { signal },
  );
  return top.map((item, k) => {
    const map = maps.subarray(k * width, (k + 1) * width);
    const total = map.reduce((sum, v) => sum + v, 0);
    const { columns = [] } = table.locate(map, { shape, mapThreshold: null, encoding });
    return {
      item,
      columns: columns
        .filter(({ value }) => value > 0)
        .map(
          ({ name, value }): ReportColumn => ({
            name,
            ...cellOf(name, inputs.subarray(k * width, (k + 1) * width), encoding),
            share: value / total,
          }),
        ),
    };
  });
}

/** What a row has in a column, from its inputs, and what training rows have there. */
function cellOf(name: string, inputs: Float32Array, encoding: TableEncoding): Pick<ReportColumn, 'cell' | 'usual'> {
  let at = 0;
  for (const column of encoding.columns) {
    const end = at + (column.kind === 'numeric' ? 1 : column.values.length);
    if (column.name === name) return readCell(column, inputs.subarray(at, end), encoding);
    at = end;
  }
  return {};
}

function readCell(
  column: ColumnEncoding,
  inputs: Float32Array,
  { scaling, clip }: TableEncoding,
): Pick<ReportColumn, 'cell' | 'usual'> {
  if (column.kind === 'categorical') {
    const place = inputs.indexOf(1);
    return { cell: place < 0 ? 'not seen in training' : column.values[place] };
  }
  const { offset, scale } = column;
  const [input] = inputs;
  // A value that was held inside the range is known to lie at its end or beyond.
  const beyond = clip && input <= clip[0] ? '≤ ' : clip && input >= clip[1] ? '≥ ' : '';
  const cell = `${beyond}${raw(offset + input * scale)}`;
  if (scaling === 'min-max') return { cell, usual: `${raw(offset)}–${raw(offset + scale)}` };
  return scaling === 'standard' ? { cell, usual: `${raw(offset - 2 * scale)}–${raw(offset + 2 * scale)}` } : { cell };
}
