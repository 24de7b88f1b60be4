/** The series or clips of a run's test part with their scores and alarms, for the page of the run. */
import { type AlarmChannel, alarmsOf } from '../core/alarms.ts';
import { alarmWith, channelsAt, partsOf, ruleOf } from '../engine/scoring/alarms.ts';
import type { ArtifactInfo } from '../engine/scoring/artifact.ts';
import { bandAround, keepExpected } from '../engine/scoring/expected.ts';
import { scoreItems, scoreWithMaps } from '../engine/scoring/stream.ts';
import type { Task } from '../engine/task/task.ts';
import type { ReportBand, ReportFrame, ReportItem, ReportSeries } from '../report/data.ts';
import { MOST } from '../report/series-section.ts';
import type { Session } from '../runtime/index.ts';

/** Alarms whose channels are looked at. */
const EXPLAINED = 50;

/** Clips of which frames are drawn, those with the highest scores; frames of each, and how far they lie apart as a share. */
const STRIP = { clips: 4, frames: 5, apart: 1 / 40 };

/** The series that have scores, in their order. */
export async function seriesOfReport(
  { session, task, signal }: { session: Session; task: Task; signal?: AbortSignal },
  items: readonly ReportItem[],
  info: Pick<ArtifactInfo, 'threshold' | 'normalScores' | 'shape' | 'series'>,
): Promise<ReportSeries[]> {
  const { source, split } = task;
  const { series: facts, channels: of } = source;
  if (!facts) return [];
  const { spans, window } = facts;
  const { names: channels, values } = of ?? { names: [], values: new Float64Array() };
  const width = channels.length;
  const scores = new Float32Array(source.items.length).fill(Number.NaN);
  for (const [i, item] of split.test.entries()) scores[item] = items[i].score;
  const made: ReportSeries[] = [];
  for (const { id, first, steps, train, times } of spans) {
    const own = scores.subarray(first, first + steps);
    if (own.every(Number.isNaN)) continue;
    const found = alarmsOf(own, info.threshold.value, ruleOf(info));
    const explained = [...found].sort((a, b) => b.peak.score - a.peak.score).slice(0, EXPLAINED);
    const explanations = of
      ? await channelsOf(explained.map(({ peak }) => first + peak.step))
      : new Map<number, AlarmChannel[]>();
    const band = made.length < MOST.series ? await bandOf(first, own) : undefined;
    made.push({
      id,
      channels,
      values: values.subarray(first * width, (first + steps) * width),
      scores: own,
      train: split.isWhole ? 0 : train, // nothing is for training alone
      window,
      ...(times && { times }),
      labels: Uint8Array.from({ length: steps }, (_, t) => (source.items[first + t].class === 0 ? 0 : 1)),
      alarms: found.map((span) => alarmWith(span, info, explanations.get(first + span.peak.step) ?? [])),
      ...(band && { band }),
    });
  }
  return of ? made : withStrips(made);

  /** Where the scored steps of a series were expected. */
  async function bandOf(first: number, own: Float32Array): Promise<ReportBand | undefined> {
    const margins = info.series?.margins;
    const steps = [...own.keys()].filter((t) => !Number.isNaN(own[t]));
    const items = steps.map((t) => first + t);
    const kept = margins && keepExpected(source, items, session.outputs);
    if (!kept) return undefined;
    await scoreItems(session, source, items, { signal, task: 'draw series', onReconstructions: kept.take });
    const expected = new Float64Array(own.length * width).fill(Number.NaN);
    for (const [k, t] of steps.entries()) expected.set(kept.values.subarray(k * width, (k + 1) * width), t * width);
    const { lower, upper } = bandAround(expected, margins);
    return { lower: lower!, upper: upper!, rate: margins.rate, reason: margins.reason };
  }

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

  /** Frames about the highest score of the clips that have the highest. */
  async function withStrips(clips: readonly ReportSeries[]): Promise<ReportSeries[]> {
    const peaks = clips.map(({ scores }) =>
      scores.reduce((best, s, t) => (s > (scores[best] ?? -Infinity) ? t : best), 0),
    );
    const order = [...clips.keys()].sort((a, b) => clips[b].scores[peaks[b]] - clips[a].scores[peaks[a]]);
    const chosen = new Set(order.slice(0, STRIP.clips));
    return Promise.all(
      clips.map(async (clip, c) => (chosen.has(c) ? { ...clip, strip: await stripOf(clip, peaks[c]) } : clip)),
    );
  }

  async function stripOf({ id, scores }: ReportSeries, peak: number): Promise<ReportFrame[]> {
    const { first } = facts!.spans.find((span) => span.id === id)!;
    const apart = Math.max(1, Math.round(STRIP.apart * scores.length));
    const begin = peak - ((STRIP.frames - 1) >> 1) * apart;
    const all = Array.from({ length: STRIP.frames }, (_, k) => begin + k * apart);
    const steps = all.filter((t) => t >= 0 && t < scores.length && !Number.isNaN(scores[t]));
    const items = steps.map((t) => first + t);
    const { images, maps } = await scoreWithMaps(session, source, items, { signal });
    const [size, area] = [images.length / steps.length, maps.length / steps.length];
    const masks = source.readMasks && new Uint8Array(maps.length);
    if (masks) await source.readMasks?.(items, masks);
    return steps.map((step, k) => ({
      step,
      image: images.subarray(k * size, (k + 1) * size),
      map: maps.subarray(k * area, (k + 1) * area),
      ...(masks && source.hasMask?.(items[k]) !== false && { mask: masks.subarray(k * area, (k + 1) * area) }),
    }));
  }
}
