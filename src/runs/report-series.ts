/** The series of a run's test part with their scores and alarms, for the page of the run and for predictions. */
import { type AlarmChannel, alarmsOf } from '../core/alarms.ts';
import { alarmWith, channelsAt, partsOf, ruleOf } from '../engine/scoring/alarms.ts';
import type { ArtifactInfo } from '../engine/scoring/artifact.ts';
import { scoreWithMaps } from '../engine/scoring/stream.ts';
import type { Task } from '../engine/task/task.ts';
import type { ReportItem, ReportSeries } from '../report/data.ts';
import type { Session } from '../runtime/index.ts';

/** Alarms whose channels are looked at. */
const EXPLAINED = 50;

/** The series that have scores, in their order. */
export async function seriesOfReport(
  { session, task, signal }: { session: Session; task: Task; signal?: AbortSignal },
  items: readonly ReportItem[],
  info: Pick<ArtifactInfo, 'threshold' | 'normalScores' | 'shape' | 'series'>,
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
    const found = alarmsOf(own, info.threshold.value, ruleOf(info));
    const explained = [...found].sort((a, b) => b.peak.score - a.peak.score).slice(0, EXPLAINED);
    const explanations = await channelsOf(explained.map(({ peak }) => first + peak.step));
    made.push({
      id,
      channels,
      values: values.subarray(first * width, (first + steps) * width),
      scores: own,
      train,
      window,
      ...(times && { times }),
      labels: Uint8Array.from({ length: steps }, (_, t) => (source.items[first + t].class === 0 ? 0 : 1)),
      alarms: found.map((span) => alarmWith(span, info, explanations.get(first + span.peak.step) ?? [])),
    });
  }
  return made;

  /** The channels that stand out at some steps, by item. */
  async function channelsOf(steps: readonly number[]): Promise<Map<number, AlarmChannel[]>> {
    const { shape, encoding } = source;
    const size = shape[0] * shape[1];
    const { maps } = await scoreWithMaps(session, source, steps, { signal });
    return new Map(
      steps.map((item, k) => {
        const map = maps.subarray(k * size, (k + 1) * size);
        const actual = values.subarray(item * width, (item + 1) * width);
        return [item, channelsAt({ parts: partsOf(map, width), encoding, actual })] as const;
      }),
    );
  }
}
