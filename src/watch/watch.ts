/**
 * Watches a folder: each image that appears there is scored once, in the order of their times, and the results go to a journal, a CSV
 * file and sinks. Killed at any moment and started again it goes on where it was. Node only.
 */
import { appendFile, mkdir } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { csv } from '../core/csv.ts';
import { ConfigError, errorData, RuntimeUnavailable, ShapeError } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import { isImage } from '../core/item-shape.ts';
import { option, say } from '../core/text.ts';
import { isImageName } from '../data/index.ts';
import type { Detector } from '../engine/scoring/detector.ts';
import { overlayOf } from '../report/overlay-image.ts';
import { loadDetector } from '../runs/detector.ts';
import { makeFolder, writeAtomic } from '../runs/files.ts';
import type { Device } from '../runtime/index.ts';
import { Journal, type WatchRecord } from './journal.ts';
import { Outbox } from './outbox.ts';
import { SettledFiles } from './settled-files.ts';
import { folderSink } from './sinks/folder.ts';
import { mqttSink } from './sinks/mqtt.ts';
import type { Sink } from './sinks/sink.ts';
import { webhookSink } from './sinks/webhook.ts';

/** Options of `watch`. */
export interface WatchOptions {
  /** A run's folder, an artefact's folder or its `model.onnx`, of images. */
  run: string;
  /** The folder that is watched, with those inside. */
  folder: string;
  /** Where `results.ndjson`, `results.csv` and overlays go; a folder of its own. */
  out: string;
  /** Write the map over each image that is anomalous. */
  overlays?: boolean;
  /** A folder into which anomalous images are copied. */
  anomalies?: string;
  /** An address to which anomalous results are posted. */
  webhook?: string;
  /** Signs what is posted. */
  secret?: string;
  /** Broker and topic: `mqtt://localhost:1883/line/anomalies`. */
  mqtt?: string;
  /** Give sinks every result, not the anomalous ones alone. */
  all?: boolean;
  /** Milliseconds without a change after which a file is whole; default 500. */
  settle?: number;
  /** Milliseconds between two looks; default 500. */
  interval?: number;
  /** Milliseconds after which a result that a sink does not take is given up; default one hour. */
  giveUp?: number;
  /** Score what is there and end, with the sinks served. */
  once?: boolean;
  device?: Device | 'auto';
  threads?: number;
  /** Hears each result when it is in the journal. */
  onResult?: (record: WatchRecord) => void;
  onEvent?: Listener;
  signal?: AbortSignal;
}

/** What was done. */
export interface WatchSummary {
  readonly scored: number;
  readonly anomalous: number;
  readonly failed: number;
}

/** Files of one call of the detector, after which the journal is written. */
const BATCH = 16;
const columns = ['path', 'time', 'score', 'threshold', 'isAnomalous', 'decision', 'pValue', 'error'] as const;

/**
 * Watches until `signal` aborts, or with `once` until what is there is scored.
 * @throws ConfigError for options; ShapeError for a detector that takes no images; those of opening a detector and of writing.
 */
export async function watch(options: WatchOptions): Promise<WatchSummary> {
  const { run, folder, out, device, threads, onEvent = silent, signal = new AbortController().signal } = options;
  for (const [name, place] of [
    ['out', out],
    ['anomalies', options.anomalies],
  ] as const) {
    // What is written there would be scored, and make more of it.
    if (place === undefined || !isInside(place, folder)) continue;
    throw new ConfigError(
      'watch-itself',
      say`${option(name)} must lie outside of the folder that is watched, but ${place} is in ${folder}. Choose another place.`,
    );
  }
  const sinks = await sinksOf(options);
  const detector = await loadDetector(run, { device, threads, onEvent, signal });
  let journal: Journal | undefined;
  try {
    if (!isImage(detector.shape)) {
      throw new ShapeError(
        `A folder of images is watched, but ${run} takes ${detector.kind} items. Series are followed by a stream.`,
      );
    }
    await makeFolder(out);
    journal = await Journal.open(join(out, 'results.ndjson'));
    await writeAtomic(join(out, 'results.csv'), csv(columns, journal.records.map(cellsOf)));
    return await new Watcher(detector, journal, sinks, options).run(signal);
  } finally {
    await journal?.close();
    await Promise.all(sinks.map((sink) => sink.close?.()));
    await detector.close();
  }
}

const isInside = (path: string, folder: string): boolean => {
  const way = relative(resolve(folder), resolve(path));
  return way === '' || !(isAbsolute(way) || way.split(sep)[0] === '..');
};

async function sinksOf({ anomalies, webhook, secret, mqtt }: WatchOptions): Promise<Sink[]> {
  return [
    ...(anomalies === undefined ? [] : [folderSink(anomalies)]),
    ...(webhook === undefined ? [] : [webhookSink(webhook, secret)]),
    ...(mqtt === undefined ? [] : [await mqttSink(mqtt)]),
  ];
}

class Watcher {
  private readonly done: Map<string, string>;
  private readonly outboxes: readonly Outbox[];
  private summary = { scored: 0, anomalous: 0, failed: 0 };

  constructor(
    private readonly detector: Detector,
    private readonly journal: Journal,
    sinks: readonly Sink[],
    private readonly options: WatchOptions,
  ) {
    this.done = new Map(journal.records.map(({ path, stamp }) => [path, stamp]));
    const { out, folder, giveUp = 3_600_000, all, onEvent = silent } = options;
    const isWanted = ({ isAnomalous }: WatchRecord) => all === true || isAnomalous === true;
    const onTrouble = (code: string, message: string) => onEvent({ type: 'warning', code, message });
    this.outboxes = sinks.map(
      (sink) => new Outbox(sink, journal.records, { out, folder, giveUp, isWanted, onTrouble }),
    );
  }

  async run(signal: AbortSignal): Promise<WatchSummary> {
    const { folder, interval = 500, settle = 500, once, onEvent = silent } = this.options;
    await Promise.all(this.outboxes.map((outbox) => outbox.open()));
    const files = new SettledFiles(folder, {
      settle,
      isWanted: (name) => isImageName(name) && !name.startsWith('.'),
      isKnown: ({ path, stamp }) => this.done.get(path) === stamp,
    });
    let isGone = false;
    for (let looks = 0; !signal.aborted; looks++) {
      if (this.broken) throw this.broken;
      const found = await files.look();
      if (!found !== isGone) {
        isGone = !found;
        const message = isGone ? `${folder} is not there. It is waited for.` : `${folder} is there again.`;
        if (isGone || looks > 0) onEvent({ type: 'warning', code: isGone ? 'folder-gone' : 'folder-back', message });
      }
      for (let at = 0; at < (found?.length ?? 0) && !signal.aborted; at += BATCH) {
        await this.score(found!.slice(at, at + BATCH));
        this.deliver(signal);
      }
      if (looks === 0) this.deliver(signal); // what a run before this one did not deliver
      if (once && looks > 0 && found?.length === 0) break;
      await pause(interval, undefined, { signal }).catch(() => {});
    }
    this.deliver(signal);
    await Promise.all(this.flushing.values());
    if (this.broken) throw this.broken;
    return this.summary;
  }

  private readonly flushing = new Map<Outbox, Promise<void>>();
  /** Why results can no longer be written; the loop ends with it. */
  private broken?: unknown;

  /** Lets each sink take what there is; one that is slow holds up no other and no scoring. */
  private deliver(signal: AbortSignal): void {
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

  private async score(files: readonly { readonly path: string; readonly stamp: string }[]): Promise<void> {
    const { folder, out, onResult } = this.options;
    const stampOf = new Map(files.map(({ path, stamp }) => [join(folder, path), { path, stamp }]));
    const records: WatchRecord[] = [];
    const about = (item: string) => {
      const { path, stamp } = stampOf.get(item)!;
      return { id: `${path}@${stamp}`, path, stamp, time: new Date().toISOString() };
    };
    const places = [...stampOf.keys()];
    const onError = (error: unknown, item: string) => {
      if (error instanceof RuntimeUnavailable) throw error;
      const { code, message } = errorData(error);
      records.push({ ...about(item), error: { code, message } });
    };
    for await (const { item, ...found } of this.detector.scoreEach(places, { onError, batch: BATCH })) {
      const { score, threshold, isAnomalous, decision, pValue, regions } = found;
      const record = { ...about(item), score, threshold, isAnomalous, decision, pValue, regions };
      const overlay = this.options.overlays && isAnomalous ? await this.draw(record.path, found) : undefined;
      records.push({ ...record, ...(overlay !== undefined && { overlay }) });
    }
    const inOrder = files.map(({ path }) => records.find((record) => record.path === path)!);
    await this.journal.add(inOrder);
    await appendFile(join(out, 'results.csv'), inOrder.map((record) => csv(cellsOf(record), [])).join(''));
    for (const record of inOrder) {
      this.done.set(record.path, record.stamp);
      this.summary.scored++;
      if (record.error) this.summary.failed++;
      if (record.isAnomalous) this.summary.anomalous++;
      onResult?.(record);
    }
  }

  private async draw(path: string, { values, map }: { values: Float32Array; map: Float32Array }): Promise<string> {
    const name = `overlays/${path.replaceAll('/', '__')}.png`;
    await mkdir(join(this.options.out, 'overlays'), { recursive: true });
    await writeAtomic(join(this.options.out, name), overlayOf(this.detector.info, values, map), { flush: false });
    return name;
  }
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
