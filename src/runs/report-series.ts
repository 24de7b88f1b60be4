/** The series of a run's test part with their scores and alarms, for the page of the run and for predictions. */
import { alarmsOf } from '../engine/judging/alarms.ts';
import { scoreWithMaps } from '../engine/scoring/stream.ts';
import type { Task } from '../engine/task/task.ts';
import { kindOf } from '../kinds/index.ts';
import type { ReportItem, ReportSeries } from '../report/data.ts';
import type { Session } from '../runtime/index.ts';

/** Alarms whose channels are looked at. */
const EXPLAINED = 50;

/** The series that have scores, in their order. */
export async function seriesOfReport(
  { session, task, signal }: { session: Session; task: Task; signal?: AbortSignal },
  items: readonly ReportItem[],
  threshold: number | null,
): Promise<ReportSeries[]> {
  const { source, split } = task;
  const { series: facts, channels: of } = source;
  if (!facts || !of) return [];
  const { spans, window } = facts;
  const { names: channels, values } = of;
  const width = channels.length;
  const scores = new Float32Array(source.items.length).fill(Number.NaN);
  for (const [i, item] of split.test.entries()) scores[item] = items[i].score;
  const made: ReportSeries[] = [];
  for (const { id, first, steps, train, times } of spans) {
    const own = scores.subarray(first, first + steps);
    if (own.every(Number.isNaN)) continue;
    const found = threshold === null ? [] : alarmsOf(own, threshold, window);
    const explained = [...found].sort((a, b) => b.peak - a.peak).slice(0, EXPLAINED);
    const columns = await channelsOf(explained.map(({ at }) => first + at));
    made.push({
      id,
      channels,
      values: values.subarray(first * width, (first + steps) * width),
      scores: own,
      train,
      window,
      ...(times && { times }),
      labels: Uint8Array.from({ length: steps }, (_, t) => (source.items[first + t].class === 0 ? 0 : 1)),
      alarms: found.map((alarm) => ({ ...alarm, columns: columns.get(first + alarm.at) ?? [] })),
    });
  }
  return made;

  /** The channels that stand out at some steps, by item. */
  async function channelsOf(steps: readonly number[]) {
    const { shape, encoding } = source;
    const size = shape[0] * shape[1];
    const { maps } = await scoreWithMaps(session, source, steps, { signal });
    return new Map(
      steps.map((item, k) => {
        const map = maps.subarray(k * size, (k + 1) * size);
        const cells = source.cells?.(item);
        const { columns = [] } = kindOf(shape).locate(map, { shape, mapThreshold: null, encoding, cells });
        return [item, columns.filter(({ share }) => share > 0.01)] as const;
      }),
    );
  }
}
