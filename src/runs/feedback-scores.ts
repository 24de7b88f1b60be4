/**
 * Scores of the items that people judged, by the detector as it is. Items that it trained on are left out, since it knows them; so is
 * what is gone or has changed since. Node only.
 */
import { basename, isAbsolute, relative, sep } from 'node:path';
import { DataError, OddityError } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import { action, say } from '../core/text.ts';
import { encodeRows, objectRows, openSeries } from '../data/index.ts';
import type { Detector } from '../engine/scoring/detector.ts';
import { scoreSeries } from '../engine/scoring/series.ts';
import type { Device } from '../runtime/index.ts';
import { artifactFiles } from './artifact.ts';
import { closed } from './closing.ts';
import { loadDetector } from './detector.ts';
import {
  copyOf,
  type FeedbackEntry,
  type FeedbackItem,
  type FeedbackSteps,
  placeOf,
  readFeedback,
} from './feedback-file.ts';
import { hashOfSteps } from './feedback-items.ts';
import { isRun, type RunRecord, readRun } from './folder.ts';

/** What can be counted. */
export interface ScoredFeedback {
  /** Scores of items that people called normal; of steps of series the highest of each segment. */
  readonly normal: readonly number[];
  readonly anomalous: readonly number[];
  /** Some of them are of the test part of the run. */
  readonly sawTest: boolean;
}

/**
 * Scores feedback. Warns `feedback-left-out` of what cannot be counted, with the reasons.
 * @param testIds ids of the items of the run's test part.
 * @throws DataError `no-feedback` where nothing was said, and those of `loadDetector`.
 */
export async function scoreFeedback(
  options: { run: string; device?: Device | 'auto'; onEvent?: Listener; signal?: AbortSignal },
  testIds: readonly string[],
): Promise<ScoredFeedback> {
  const { run, device, onEvent = silent, signal } = options;
  const folder = artifactFiles(run).folder;
  const entries = await readFeedback(folder);
  if (entries.length === 0) {
    throw new DataError(
      'no-feedback',
      say`There is no feedback on ${run}. Say what items are with ${action('feedback')}, or choose a rule without it.`,
    );
  }
  const record = (await isRun(folder)) ? await readRun(folder) : undefined;
  const detector = await loadDetector(run, { device, onEvent, signal });
  try {
    const added = new Set(record?.changes?.added ?? []);
    const tests = new Set(testIds);
    const left = new Map<string, string[]>();
    const leave = (why: string, entry: FeedbackEntry) =>
      void left.set(why, [...(left.get(why) ?? []), placeOf(entry.item)]);
    const found = { normal: [] as number[], anomalous: [] as number[] };
    let sawTest = false;
    for (const entry of entries) {
      const { item, label } = entry;
      const ids = idsOf(record, item);
      const isOfTest = ids.some((id) => tests.has(id));
      if ((ids.length > 0 && !isOfTest) || (item.kind === 'image' && isAdded(added, item.file))) {
        leave('the detector was trained on it, or its threshold made from it', entry);
        continue;
      }
      const score = await scoreOf(detector, folder, entry, signal).catch((error) => {
        if (!(error instanceof OddityError) || error.name !== 'DataError') throw error;
        return error;
      });
      if (typeof score === 'number') {
        found[label].push(score);
        sawTest ||= isOfTest;
      } else leave(score?.message ?? 'it has changed since', entry);
    }
    for (const [why, places] of left) {
      const some = `${places.slice(0, 3).join(', ')}${places.length > 3 ? ', …' : ''}`;
      const message = `Feedback on ${places.length} item${places.length === 1 ? '' : 's'} is not counted (${some}): ${why}`;
      onEvent({ type: 'warning', code: 'feedback-left-out', message: `${message.replace(/\.$/, '')}.` });
    }
    return { ...found, sawTest };
  } finally {
    await closed(detector, signal);
  }
}

/** True for the copy of an image that an update added, in whatever run it lies. */
export const isAdded = (added: ReadonlySet<string>, file: string): boolean =>
  [...added].some((path) => path.split(/[\\/]/).slice(-2).join('/').replace(/:\d+$/, '') === `feedback/${file}`);

/** The path of a file from the data that a run was trained on, `''` for these themselves; undefined for others. */
export function wayIn(record: Pick<RunRecord, 'data'> | undefined, path: string): string | undefined {
  if (!record || !isAbsolute(record.data)) return undefined;
  const way = relative(record.data, path);
  return isAbsolute(way) || way.split(sep)[0] === '..' ? undefined : way.split(sep).join('/');
}

/** Ids that an item has in the data of a run, as its reports name it; none for items of other files. */
function idsOf(record: RunRecord | undefined, item: FeedbackItem): string[] {
  const way = wayIn(record, item.path);
  if (way === undefined) return [];
  if (item.kind === 'image') return [item.page === undefined ? way : `${way}:${item.page}`];
  if (item.kind === 'table') return ['line', 'row'].map((word) => `${way} ${word} ${item.line}`.trim());
  const [first, last] = item.lines;
  return Array.from({ length: last - first + 1 }, (_, k) => `${basename(item.path)}:${first + k}`);
}

/** The score of an item; undefined for steps that are no longer what they were. */
async function scoreOf(
  detector: Detector,
  folder: string,
  { item, key }: FeedbackEntry,
  signal?: AbortSignal,
): Promise<number | undefined> {
  if (item.kind !== detector.kind) {
    throw new DataError('feedback-kind', `it is no item of a detector of ${detector.kind} items`);
  }
  if (item.kind === 'image') return (await detector.scoreImage(copyOf(folder, item), { signal })).score;
  if (item.kind === 'series') return stepsScore(detector, item, key, signal);
  const { table } = detector.info;
  const { inputs } = encodeRows(objectRows([item.cells], placeOf(item)), table!);
  const { scores } = await detector.score(inputs, 1, { signal, maps: false });
  return Number.isNaN(scores[0]) ? undefined : scores[0];
}

/** The highest score of some steps; undefined where they have changed. */
async function stepsScore(
  detector: Detector,
  { path, lines }: FeedbackSteps,
  key: string,
  signal?: AbortSignal,
): Promise<number | undefined> {
  const { table } = detector.info;
  if ((await hashOfSteps(path, lines, table)) !== key) return undefined;
  const { series } = await openSeries(path, table);
  const { scores } = await scoreSeries(detector, series, { signal });
  let most: number | undefined;
  for (const [t, score] of scores.entries()) {
    const line = series.rows?.[t] ?? t + 1;
    if (line >= lines[0] && line <= lines[1] && (most === undefined || score > most)) most = score;
  }
  return most;
}
