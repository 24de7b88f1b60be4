/** The rows of a run's test part that stand out most, with the columns that made them so, for the page of the run. */
import { scoreWithMaps } from '../engine/scoring/stream.ts';
import type { Task } from '../engine/task/task.ts';
import { table } from '../kinds/index.ts';
import type { ReportItem, ReportRow } from '../report/data.ts';
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
  const { maps } = await scoreWithMaps(
    session,
    source,
    top.map((i) => split.test[i]),
    { signal },
  );
  return top.map((item, k) => {
    const map = maps.subarray(k * width, (k + 1) * width);
    const cells = source.cells?.(split.test[item]);
    const { columns = [] } = table.locate(map, { shape, mapThreshold: null, encoding, cells });
    return { item, columns: columns.filter(({ share }) => share > 0) };
  });
}
