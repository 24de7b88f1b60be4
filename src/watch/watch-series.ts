/**
 * Watches a log that grows: where an alarm begins and where it ends a result is made. How far was read is kept, and what is read again
 * after a kill is known by its line. Node only.
 */
import { basename, join } from 'node:path';
import { Cancelled } from '../core/errors.ts';
import type { Listener } from '../core/events.ts';
import { type StreamedStep, type StreamRecord, streamLines } from '../runs/stream.ts';
import type { Device } from '../runtime/index.ts';
import type { WatchRecord } from './journal.ts';
import type { Results } from './results.ts';

/** How a log is watched. */
export interface SeriesWatch {
  readonly run: string;
  /** CSV with a head. */
  readonly file: string;
  readonly out: string;
  /** A result for every step. */
  readonly all?: boolean;
  /** End where the file ends. */
  readonly once?: boolean;
  readonly device?: Device | 'auto';
  readonly onStep?: (step: StreamedStep) => void;
  readonly onEvent?: Listener;
}

/** Scores lines until `signal` aborts, or with `once` to the end of the file. Throws as `streamLines`. */
export async function watchSeries(results: Results, options: SeriesWatch, signal: AbortSignal): Promise<void> {
  const { run, file, out, all, once, device, onStep, onEvent } = options;
  const known = new Set(results.held().map(({ id }) => id));
  results.deliver(signal); // what a run before this one did not deliver
  try {
    await streamLines({
      ...{ run, file, device, onStep, onEvent, signal },
      state: join(out, 'series.state'),
      follow: !once,
      every: all,
      async onRecord(record) {
        results.check();
        const found = recordOf(basename(file), record);
        if (known.has(found.id)) return;
        known.add(found.id);
        await results.add([found]);
        results.deliver(signal);
      },
    });
  } catch (error) {
    if (!(error instanceof Cancelled)) throw error;
  }
}

function recordOf(
  path: string,
  { line, time, score, threshold, decision, alarm, channels }: StreamRecord,
): WatchRecord {
  const part = alarm === null ? '' : alarm.end === null ? ':alarm' : ':end';
  return {
    id: `${path}:${line}${part}`,
    path,
    line,
    stamp: String(line),
    time: time ?? new Date().toISOString(),
    ...(score !== null && { score }),
    ...{ threshold, isAnomalous: alarm !== null, decision },
    ...(alarm && { alarm: { ...alarm, channels } }),
  };
}
