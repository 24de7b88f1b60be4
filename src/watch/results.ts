/** What is found, on its way: into the journal and the CSV file, then to the sinks, of which a slow one holds up nothing. Node only. */
import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { csv } from '../core/csv.ts';
import { type Listener, silent, warning } from '../core/events.ts';
import type { ArtifactInfo } from '../engine/scoring/artifact.ts';
import type { Detector } from '../engine/scoring/detector.ts';
import type { MapScale } from '../report/map-image.ts';
import { overlayOf } from '../report/overlay-image.ts';
import { writeAtomic } from '../runs/files.ts';
import { Journal, type WatchRecord } from './journal.ts';
import { Outbox } from './outbox.ts';
import type { Sink } from './sinks/sink.ts';

/** What was done. */
export interface WatchSummary {
  readonly scored: number;
  readonly anomalous: number;
  readonly failed: number;
  /** Frames of a camera that came while others were scored, and were not; absent without a camera. */
  readonly missed?: number;
}

/** How results are kept and passed on. */
export interface ResultsOptions {
  readonly out: string;
  /** Folder that the paths of records start from. */
  readonly folder: string;
  readonly overlays?: boolean;
  readonly all?: boolean;
  readonly earlier?: boolean;
  readonly giveUp?: number;
  readonly onResult?: (record: WatchRecord) => void;
  readonly onEvent?: Listener;
}

const columns = ['path', 'line', 'time', 'score', 'threshold', 'isAnomalous', 'decision', 'pValue', 'error'] as const;

/** The results of a folder of results. */
export class Results {
  readonly summary = { scored: 0, anomalous: 0, failed: 0 };
  private readonly flushing = new Map<Outbox, Promise<void>>();
  /** Why results can no longer be written. */
  private broken?: unknown;

  private constructor(
    private readonly journal: Journal,
    private readonly outboxes: readonly Outbox[],
    private readonly options: ResultsOptions,
  ) {}

  /** Opens the journal and finds out how far each sink is. Throws as `Journal.open`. */
  static async open(sinks: readonly Sink[], options: ResultsOptions): Promise<Results> {
    const { out, folder, giveUp = 3_600_000, earlier, onEvent = silent } = options;
    const journal = await Journal.open(join(out, 'results.ndjson'));
    try {
      await writeAtomic(join(out, 'results.csv'), csv(columns, journal.held().map(cellsOf)));
      const outboxes = sinks.map(
        (sink) =>
          new Outbox(sink, journal, {
            ...{ out, folder, giveUp, earlier },
            isWanted: (record) => isWanted(record, options),
            onTrouble: (code, said) => onEvent(warning(code, said)),
          }),
      );
      for (const outbox of outboxes) await outbox.open();
      return new Results(journal, outboxes, options);
    } catch (error) {
      await journal.close();
      throw error;
    }
  }

  /** Lines of runs before this one. */
  held(): readonly WatchRecord[] {
    return this.journal.held();
  }

  /** Adds results; when this returns they are on the disk. */
  async add(records: readonly WatchRecord[]): Promise<void> {
    const { out, onResult } = this.options;
    await this.journal.add(records);
    await appendFile(join(out, 'results.csv'), records.map((record) => csv(cellsOf(record), [])).join(''));
    for (const record of records) {
      this.summary.scored++;
      if (record.error) this.summary.failed++;
      if (record.isAnomalous) this.summary.anomalous++;
      onResult?.(record);
    }
  }

  /** Counts what was scored and is no result of its own. */
  passed(count: number): void {
    this.summary.scored += count;
  }

  /** Lets each sink take what there is, while the caller goes on. */
  deliver(signal: AbortSignal): void {
    this.journal.forget(Math.min(this.journal.length, ...this.outboxes.map(({ done }) => done)));
    for (const outbox of this.outboxes) {
      const before = this.flushing.get(outbox) ?? Promise.resolve();
      const next = before
        .then(() => outbox.flush(signal))
        .catch((error) => {
          this.broken ??= error;
        });
      this.flushing.set(outbox, next);
    }
  }

  /** Throws what keeps results from being written. */
  check(): void {
    if (this.broken) throw this.broken;
  }

  /** Waits until sinks have all, or the signal aborts. */
  async finish(signal: AbortSignal): Promise<void> {
    this.deliver(signal);
    await Promise.all(this.flushing.values());
    this.check();
  }

  async close(): Promise<void> {
    await this.journal.close();
  }
}

/** Whether sinks get a result. */
export const isWanted = ({ isAnomalous }: WatchRecord, { all }: Pick<ResultsOptions, 'all'>): boolean =>
  all === true || isAnomalous === true;

/** The colour scale of a map, where it is not that of its run. */
export type ScaleOf = (info: ArtifactInfo, map: Float32Array) => MapScale | Promise<MapScale>;

/** Draws the map of an image over it, and returns where, from the folder of results. */
export async function drawOverlay(
  { info }: Detector,
  { out, path, scaleOf }: { out: string; path: string; scaleOf?: ScaleOf },
  { values, map }: { values: Float32Array; map: Float32Array },
): Promise<string> {
  const name = `overlays/${path.replaceAll('/', '__')}.png`;
  await mkdir(join(out, 'overlays'), { recursive: true });
  await writeAtomic(
    join(out, name),
    overlayOf(scaleOf ? { ...info, mapScale: await scaleOf(info, map) } : info, values, map),
    { flush: false },
  );
  return name;
}

/** A result as a line of the CSV file. */
const cellsOf = ({ error, ...record }: WatchRecord): string[] =>
  columns.map((column) => {
    const value = column === 'error' ? error?.message : record[column];
    return value === null || value === undefined
      ? ''
      : typeof value === 'boolean'
        ? String(Number(value))
        : String(value);
  });
