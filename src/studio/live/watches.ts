/**
 * The watches of a project: begun, stopped, begun again with the project. What was found lies in the journal of each, so that a watch
 * that was killed does nothing twice; anomalies are alarms in the database. Node only.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { errorData } from '../../core/errors.ts';
import { option, type Words } from '../../core/text.ts';
import type { ArtifactInfo } from '../../engine/scoring/artifact.ts';
import { kindOfArtifact, readArtifactInfo } from '../../runs/artifact.ts';
import type { StreamedStep } from '../../runs/index.ts';
import type { WatchRecord } from '../../watch/journal.ts';
import { watch } from '../../watch/watch.ts';
import { commandOf } from '../command.ts';
import { reachOf, shownScale } from '../inspect/shown-scale.ts';
import type { Project } from '../project.ts';
import { projectFiles } from '../project-files.ts';
import { runFolder } from '../runs.ts';
import type { Database } from '../store/database.ts';
import { addAlarm } from './alarms.ts';
import { DRIFT_ITEMS, type Drift, driftOf } from './drift.ts';
import type { WatchSetup } from './setup.ts';
import { type LiveTrace, type TracedStep, TraceKeeper } from './trace.ts';

const traceFile = (out: string) => join(out, 'trace.json');

/** Scores that the strip of a watch shows. */
const STRIP = 300;

export type WatchState = 'running' | 'stopped' | 'failed';

/** What does the same on the command line; a secret is not shown, since other users of a machine see commands. */
export function commandOfWatch(
  { folder }: Project,
  { id, setup }: Pick<WatchFacts, 'id' | 'setup'>,
  words: Words,
): string {
  const { runs, watch } = projectFiles(folder);
  const { run, source, place, fps, anomalies, webhook, mqtt } = setup;
  const given = {
    ...(source === 'camera' && { camera: place, fps }),
    ...(source !== 'log' && { overlays: true }),
    ...{ anomalies, webhook, mqtt, out: join(watch, id) },
  };
  const options = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [option(name, value)]));
  return commandOf(words, 'watch', [join(runs, run), ...(source === 'camera' ? [] : [place])], options);
}

/** A watch, and what it saw since it was begun. */
export interface WatchFacts {
  readonly id: string;
  readonly setup: Omit<WatchSetup, 'secret'>;
  readonly state: WatchState;
  readonly error?: string;
  /** What the log holds; absent for other sources, and where the run is gone. */
  readonly items?: 'steps' | 'rows';
  /** Items or steps that were scored, and those that were anomalous or could not be read, since it was begun; of a series, its alarms. */
  readonly scored: number;
  readonly anomalies: number;
  readonly failed: number;
  readonly threshold: number | null;
  /** The latest scores, the oldest first; null for items that could not be read. Of a log `traceOf` has them. */
  readonly strip: readonly (number | null)[];
  readonly last?: WatchRecord;
  readonly drift?: Drift;
  /** What happened last besides scores: a camera that is gone, a sink that does not answer. */
  readonly remark?: string;
}

interface Active {
  readonly ending: AbortController;
  done: Promise<void>;
  scored: number;
  anomalies: number;
  failed: number;
  readonly strip: (number | null)[];
  last?: WatchRecord;
  remark?: string;
  /** Of a log. */
  trace?: TraceKeeper;
  normals: Float64Array;
  threshold: number | null;
}

interface Row {
  readonly id: string;
  readonly setup: string;
  readonly state: WatchState;
  readonly error: string | null;
}

/** A row that is anomalous is an alarm of its own. */
const byItself = ({ at, decision, ...step }: StreamedStep): TracedStep => ({
  ...{ ...step, at, decision },
  alarm: decision === 'anomalous' ? { start: at, end: at + 1 } : null,
});

/** Milliseconds between two words to open pages about one watch. */
const TELL_MS = 250;

export class Watches {
  private readonly active = new Map<string, Active>();
  private readonly items = new Map<string, WatchFacts['items']>();

  constructor(private readonly project: Project) {}

  /** Begins what ran when the project was last closed. */
  async resume(): Promise<void> {
    for (const { id, setup: stored, state } of this.rows()) {
      const setup: WatchSetup = JSON.parse(stored);
      await this.learnItems(id, setup);
      if (state === 'running') this.run(id, setup);
    }
  }

  list(): WatchFacts[] {
    return this.rows().map((row) => this.factsOf(row));
  }

  find(id: string): WatchFacts | undefined {
    const row = this.row(id);
    return row && this.factsOf(row);
  }

  /** The latest steps of a log, also of one that is not watched now; undefined for watches that are none. */
  async traceOf(id: string, { count, channel }: { count: number; channel?: string }): Promise<LiveTrace | undefined> {
    const found = this.find(id);
    if (found?.setup.source !== 'log') return undefined;
    const out = join(projectFiles(this.project.folder).watch, id);
    const trace = this.active.get(id)?.trace ?? (await TraceKeeper.open(traceFile(out)));
    return trace.latest(count, channel);
  }

  /** Throws as `runFolder`, for a run that is not there. */
  async begin(setup: WatchSetup): Promise<WatchFacts> {
    await runFolder(this.project, setup.run);
    const id = randomUUID().slice(0, 8);
    this.database
      .prepare('INSERT INTO watches (id, setup, state) VALUES (?, ?, ?)')
      .run(id, JSON.stringify(setup), 'running');
    await this.learnItems(id, setup);
    this.run(id, setup);
    return this.factsOf(this.row(id)!);
  }

  /** Finds out what a log holds, by the run; one that is not to be read says so when it is opened. */
  private async learnItems(id: string, { source, run }: WatchSetup): Promise<void> {
    if (source !== 'log') return;
    const kind = await kindOfArtifact(join(projectFiles(this.project.folder).runs, run)).catch(() => undefined);
    if (kind !== undefined) this.items.set(id, kind === 'table' ? 'rows' : 'steps');
  }

  async stop(id: string): Promise<WatchFacts | undefined> {
    const active = this.active.get(id);
    active?.ending.abort();
    await active?.done;
    this.active.delete(id);
    this.mark(id, 'stopped');
    return this.find(id);
  }

  /** Begins a watch that was stopped, or that failed, once more; it goes on behind what it did. */
  restart(id: string): WatchFacts | undefined {
    const row = this.row(id);
    if (!row) return undefined;
    if (row.state !== 'running') this.run(id, JSON.parse(row.setup));
    return this.factsOf(this.row(id)!);
  }

  async remove(id: string): Promise<void> {
    await this.stop(id);
    this.database.prepare('DELETE FROM watches WHERE id = ?').run(id);
    this.project.changes.tell('live', { id });
  }

  /** Ends all; those that ran begin again when the project is opened. */
  async close(): Promise<void> {
    for (const { ending } of this.active.values()) ending.abort();
    await Promise.allSettled([...this.active.values()].map(({ done }) => done));
    for (const timer of this.telling.values()) clearTimeout(timer);
  }

  private get database(): Database {
    return this.project.database;
  }

  private rows(): Row[] {
    return this.database.prepare('SELECT * FROM watches ORDER BY rowid').all() as Row[];
  }

  private row(id: string): Row | undefined {
    return this.database.prepare('SELECT * FROM watches WHERE id = ?').get(id) as Row | undefined;
  }

  private mark(id: string, state: WatchState, error: string | null = null): void {
    this.database.prepare('UPDATE watches SET state = ?, error = ? WHERE id = ?').run(state, error, id);
    this.project.changes.tell('live', { id, state });
  }

  private factsOf({ id, setup, state, error }: Row): WatchFacts {
    const { secret: _, ...told } = JSON.parse(setup) as WatchSetup;
    const active = this.active.get(id);
    const { scored = 0, anomalies = 0, failed = 0, strip = [], threshold = null, last, remark } = active ?? {};
    const items = this.items.get(id);
    const scores = active?.trace?.scores(DRIFT_ITEMS) ?? strip.filter((score) => score !== null).slice(-DRIFT_ITEMS);
    const drift = active && driftOf(active.normals, scores);
    return {
      ...{ id, setup: told, state, scored, anomalies, failed, threshold, strip: [...strip] },
      ...(items && { items }),
      ...(error !== null && { error }),
      ...(last && { last }),
      ...(drift && { drift }),
      ...(remark !== undefined && { remark }),
    };
  }

  private run(id: string, setup: WatchSetup): void {
    const ending = new AbortController();
    const active: Active = {
      ...{ ending, done: Promise.resolve(), scored: 0, anomalies: 0, failed: 0, strip: [] },
      ...{ normals: new Float64Array(0), threshold: null },
    };
    this.active.set(id, active);
    this.mark(id, 'running');
    active.done = this.watched(id, setup, active).then(
      () => {
        // A video that has ended; what the project's own end stopped goes on with it.
        if (!ending.signal.aborted) this.mark(id, 'stopped');
      },
      (error: unknown) => this.mark(id, 'failed', errorData(error).message),
    );
  }

  private async watched(id: string, setup: WatchSetup, active: Active): Promise<void> {
    const { source, place, fps, run: name, anomalies, webhook, secret, mqtt } = setup;
    const run = await runFolder(this.project, name);
    const info = await readArtifactInfo(run);
    active.normals = Float64Array.from(info?.normalScores ?? []).sort();
    active.threshold = info?.threshold.value ?? null;
    const out = join(projectFiles(this.project.folder).watch, id);
    const trace = source === 'log' ? await TraceKeeper.open(traceFile(out)) : undefined;
    active.trace = trace;
    const isOfRows = this.items.get(id) === 'rows';
    await watch({
      ...{ run, out, anomalies, webhook, secret, mqtt, signal: active.ending.signal },
      ...(source === 'camera' ? { camera: place, fps } : { folder: place }),
      ...(source !== 'log' && {
        overlays: true,
        scaleOf: async (own: ArtifactInfo, map: Float32Array) => shownScale(own, map, await reachOf(this.project)),
      }),
      ...(trace && {
        onStep: (step: StreamedStep) => {
          trace.add(isOfRows ? byItself(step) : step);
          if (step.score !== null) active.scored++;
          this.tell(id);
        },
      }),
      onResult: (record) => this.heard(id, setup, active, record),
      onEvent: (event) => {
        if (event.type !== 'warning') return;
        active.remark = event.message;
        this.tell(id);
      },
    }).finally(() => trace?.save());
  }

  private heard(id: string, { run, source, place }: WatchSetup, active: Active, record: WatchRecord): void {
    if (typeof record.alarm?.end === 'number') return; // the alarm is known since it began
    active.last = record;
    if (record.error) active.failed++;
    if (source !== 'log') {
      if (!record.error) active.scored++;
      active.strip.push(record.score ?? null);
      if (active.strip.length > STRIP) active.strip.shift();
    }
    if (record.isAnomalous) {
      active.anomalies++;
      const { score = null, threshold = null, overlay, path, time, line, columns = null } = record;
      const folder = join(projectFiles(this.project.folder).watch, id);
      const item = source === 'folder' ? join(place, path) : source === 'log' ? `${place}:${line}` : join(folder, path);
      addAlarm(this.project, {
        ...{ run, source: `${source} ${place}`, item, score, threshold, at: time },
        overlay: overlay === undefined ? null : join(folder, overlay),
        reasons: columns,
      });
    }
    this.tell(id);
  }

  private readonly told = new Map<string, number>();
  private readonly telling = new Map<string, NodeJS.Timeout>();

  /** Says that a watch has news, a few times a second at most; the last news are said too. */
  private tell(id: string): void {
    if (this.telling.has(id)) return;
    const wait = (this.told.get(id) ?? Number.NEGATIVE_INFINITY) + TELL_MS - performance.now();
    const say = () => {
      this.telling.delete(id);
      this.told.set(id, performance.now());
      this.project.changes.tell('progress', { watch: id });
    };
    if (wait <= 0) say();
    else this.telling.set(id, setTimeout(say, wait));
  }
}
