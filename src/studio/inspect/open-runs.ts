/**
 * Runs whose items are being looked at: the data of a run, loaded as it was for training, with its detector. The few that were looked at
 * last stay open.
 */
import { stat } from 'node:fs/promises';
import { isFolder } from '../../data/files/read-input.ts';
import type { ArtifactInfo } from '../../engine/scoring/artifact.ts';
import type { Detector, ItemScore } from '../../engine/scoring/detector.ts';
import type { Task } from '../../engine/task/task.ts';
import { artifactFiles } from '../../runs/artifact.ts';
import { loadDetector } from '../../runs/detector.ts';
import { readFinishedRun } from '../../runs/folder.ts';
import { loadRunTask } from '../../runs/test.ts';
import { readPredictions, type TestScores } from '../../runs/test-scores.ts';

/** Runs that stay open, and items of each whose scores are kept: a page asks for several pictures of one. */
const MOST = { runs: 3, items: 12 };

/** A run that is open. */
export interface OpenRun {
  readonly folder: string;
  /** What it was trained on, a folder or a file. */
  readonly data: string;
  readonly isFolder: boolean;
  readonly detector: Detector;
  readonly info: ArtifactInfo;
  readonly task: Task;
  readonly test: TestScores;
  /** Scores of items by their places in the test part. */
  readonly scored: Map<number, Promise<ItemScore>>;
}

interface Slot {
  readonly stamp: string;
  readonly opening: Promise<OpenRun>;
  users: number;
  lastUse: number;
}

export class OpenRuns {
  private readonly slots = new Map<string, Slot>();

  /** Everything is closed once `ended` aborts. */
  constructor(ended: AbortSignal) {
    ended.addEventListener('abort', () => {
      for (const [folder, slot] of this.slots) this.drop(folder, slot);
    });
  }

  /** Lends a run to `work`, opened where it is not. Throws as `loadDetector` and `loadRunTask`. */
  async use<T>(folder: string, work: (run: OpenRun) => Promise<T>): Promise<T> {
    const stamp = await stampOf(folder);
    let slot = this.slots.get(folder);
    if (slot && slot.stamp !== stamp) this.drop(folder, slot);
    if (slot?.stamp !== stamp) {
      const opening = open(folder);
      slot = { stamp, opening, users: 0, lastUse: 0 };
      this.slots.set(folder, slot);
      const own = slot;
      opening.catch(() => {
        if (this.slots.get(folder) === own) this.slots.delete(folder);
      });
      this.makeRoom();
    }
    slot!.users++;
    slot!.lastUse = performance.now();
    try {
      return await work(await slot!.opening);
    } finally {
      slot!.users--;
    }
  }

  private makeRoom(): void {
    const idle = [...this.slots].filter(([, { users }]) => users === 0).sort(([, a], [, b]) => a.lastUse - b.lastUse);
    for (const [folder, slot] of idle) {
      if (this.slots.size <= MOST.runs) return;
      if (slot.lastUse > 0) this.drop(folder, slot);
    }
  }

  /** Takes a run out, and closes it once nobody uses it. */
  private drop(folder: string, slot: Slot): void {
    if (this.slots.get(folder) === slot) this.slots.delete(folder);
    void slot.opening.then(
      async ({ detector, task }) => {
        while (slot.users > 0) await new Promise((after) => setTimeout(after, 50));
        await detector.close();
        await task.source.close?.();
      },
      () => {},
    );
  }
}

/** When the detector was written. */
async function stampOf(folder: string): Promise<string> {
  const { onnx, json } = artifactFiles(folder);
  const facts = await Promise.all([onnx, json].map((file) => stat(file).catch(() => undefined)));
  return facts.map((one) => `${one?.mtimeMs}:${one?.size}`).join(' ');
}

async function open(folder: string): Promise<OpenRun> {
  const record = await readFinishedRun(folder);
  const test = await readPredictions(folder);
  const task = await loadRunTask(folder, record, {});
  try {
    const detector = await loadDetector(folder);
    const data = { data: record.data, isFolder: await isFolder(record.data) };
    return { folder, ...data, detector, info: detector.info, task, test, scored: new Map() };
  } catch (error) {
    await task.source.close?.();
    throw error;
  }
}

/** What the detector says of an item of the test part. */
export function scoreOf(run: OpenRun, index: number): Promise<ItemScore> {
  const known = run.scored.get(index);
  if (known) return known;
  const scoring = score(run, index);
  run.scored.set(index, scoring);
  scoring.catch(() => run.scored.delete(index));
  for (const oldest of run.scored.keys()) {
    if (run.scored.size <= MOST.items) break;
    run.scored.delete(oldest);
  }
  return scoring;
}

async function score({ detector, task }: OpenRun, index: number): Promise<ItemScore> {
  const { source, split } = task;
  const item = split.test[index];
  const { path } = source.items[item];
  // A file tells its own size, in which regions are given.
  if (detector.kind === 'image' && path !== undefined) return detector.scoreImage(path);
  const values = new Float32Array(detector.shape.reduce((n, d) => n * d, 1));
  await source.read([item], values);
  const cells = source.cells?.(item);
  return detector.describe({ values, ...(cells && { cells }) }, await detector.score(values, 1), 0);
}
