/**
 * A stream of lines through a trained detector of series. Lines that come together are scored together; a step is told once its
 * window is complete, with its own line and time. A gap in the times that is longer than a window ends the window.
 */

import type { Listener } from '../core/events.ts';
import { durationText } from '../data/table/times.ts';
import { ruleOf } from '../engine/scoring/alarms.ts';
import type { Detector } from '../engine/scoring/detector.ts';
import type { LastSteps, SeriesStep, SeriesStreamOptions } from '../engine/scoring/series-stream.ts';
import type { Account, StreamRecord } from './stream-account.ts';
import type { Progress, Work } from './stream-session.ts';

interface TrainedOptions {
  readonly account: Account;
  readonly detector: Detector;
  readonly how: SeriesStreamOptions;
  /** Of the file or input, for sentences. */
  readonly name: string;
  /** Whether the last steps are told with the last line. */
  readonly endsSteps: boolean;
  readonly tell: Listener;
  readonly saved?: Progress;
  restoring(restore: () => void): void;
}

/** A point that waits to be scored. */
interface Queued {
  readonly values: Float64Array;
  /** It lies behind a gap. */
  readonly isBehindGap: boolean;
}

/** Opens the stream, and restores it where it was saved. */
export function openTrained(options: TrainedOptions): Work {
  const { account, detector, how, name, endsSteps, tell, saved, restoring } = options;
  const stream = detector.stream(how);
  if (saved) restoring(() => stream.restore(saved.stream));
  const { gap, least } = ruleOf(detector.info, how.alarms);
  const queue: Queued[] = [];
  /** Lines and times of the steps that were not told, the first being step `first`. */
  let waiting = [...(saved?.waiting ?? [])];
  let first = stream.steps - waiting.length;
  let gaps = 0;
  const stepOf = () => detector.info.series?.step ?? account.step ?? saved?.step ?? null;

  const isBehindGap = (before: number | null, time: number | null, line: number): boolean => {
    const step = stepOf();
    if (before === null || time === null || step === null || time - before <= stream.window * step) return false;
    gaps += 1;
    if (gaps === 1) {
      const message = `${name}:${line}: ${durationText(time - before)} lie between this line and the one before, more than a window of ${stream.window} steps. The window begins anew behind such a gap.`;
      tell({ type: 'warning', code: 'stream-gap', message });
    }
    return true;
  };

  const tellAll = (steps: readonly SeriesStep[]): StreamRecord[] =>
    steps.flatMap((one) => {
      const [line, time] = waiting[one.step - first];
      const [, now] = waiting[one.step + one.delay - first];
      const seconds = time === null || now === null ? null : (now - time) / 1000;
      return account.tell(one, { line, time, delay: { steps: one.delay, seconds } });
    });
  const forget = (steps: readonly SeriesStep[]) => {
    waiting = waiting.slice(steps.length);
    first += steps.length;
  };
  const told = (steps: readonly SeriesStep[]) => {
    const records = tellAll(steps);
    forget(steps);
    return records;
  };
  const lastOf = ({ steps, alarm }: LastSteps) => [...told(steps), ...account.ended(alarm)];

  /** Scores points of which none lies behind a gap. */
  const score = async (points: readonly Queued[]): Promise<StreamRecord[]> => {
    const width = stream.channels.length;
    const all = new Float64Array(points.length * width);
    for (const [i, { values }] of points.entries()) all.set(values, i * width);
    return points.length === 0 ? [] : told(await stream.push(all));
  };

  return {
    get points() {
      return account.points;
    },
    judge(line, cells) {
      const before = account.lastTime;
      const { values, time } = account.read(line, cells);
      queue.push({ values, isBehindGap: isBehindGap(before, time, line.number) });
      waiting.push([line.number, time]);
      return [];
    },
    async flush() {
      const records: StreamRecord[] = [];
      const points = queue.splice(0);
      let from = 0;
      for (const [i, point] of points.entries()) {
        if (!point.isBehindGap) continue;
        records.push(...(await score(points.slice(from, i))), ...lastOf(await stream.restart()));
        from = i;
      }
      records.push(...(await score(points.slice(from))));
      return records;
    },
    finish: async () => (endsSteps ? lastOf(await stream.finish()) : []),
    progress: () => ({ ...account.progress(), waiting, step: stepOf(), stream: stream.save() }),
    summary: () => ({
      ...account.summary({ begin: least - 1 + stream.delay, end: gap + 1 + stream.delay }),
      gaps,
    }),
  };
}

/** What is said of a trained detector before anything is read. */
export function delayText({ info }: Detector, delay: number): string {
  const step = info.series?.step;
  const time = step === undefined ? '' : ` (${durationText(delay * step)})`;
  return `${info.title}: windows of ${info.shape[0]} steps; a step is scored ${delay} step${delay === 1 ? '' : 's'}${time} after it came.`;
}
