/**
 * What people say of items that a run scored – normal or anomalous after all – collected in the run's folder, listed and taken back.
 * `threshold` calibrates with it and `update` learns from it, where they are asked to. Node only.
 */
import { resolve } from 'node:path';
import { ConfigError, DataError } from '../core/errors.ts';
import { option, say } from '../core/text.ts';
import { splitPage } from '../data/files/page-path.ts';
import type { ArtifactInfo } from '../engine/scoring/artifact.ts';
import { artifactFiles, readArtifactInfo } from './artifact.ts';
import {
  addFeedback,
  type FeedbackEntry,
  type FeedbackLabel,
  type FeedbackLine,
  feedbackLabels,
  keepImage,
  placeOf,
  readFeedback,
} from './feedback-file.ts';
import { findItems, type NamedItem, rowsNamed } from './feedback-items.ts';
import { isRun, readFinishedRun } from './folder.ts';

/** Options of `feedback`. */
export interface FeedbackOptions {
  /** A run's folder, or that of an artefact. */
  run: string;
  /**
   * Paths of images; rows of a table as `data.csv:17`, `data.csv:17-24`, `data.csv:id=4711`, or `data.csv` for all of them; steps of a
   * series as `log.csv:17-24`. Lines as `predict` counts them. Without any, nothing is said and all is listed.
   */
  items?: readonly string[];
  /** What they are; `null` takes back what was said of them. Needed with `items`. */
  label?: FeedbackLabel | null;
}

/** What is known after a call of `feedback`. */
export interface FeedbackResult {
  readonly run: string;
  /** What counts now, in the order in which it was last said. */
  readonly entries: readonly FeedbackEntry[];
  readonly normal: number;
  readonly anomalous: number;
  /** Items that this call said something new of, or took back. */
  readonly changed: number;
  /** Of these, items of which the opposite had been said before. */
  readonly overruled: number;
}

/**
 * Says what items are, takes that back, or lists what was said. All or nothing: where one item cannot be read nothing is written.
 * @throws ConfigError `feedback-label`, `feedback-kind`, `feedback-steps`; DataError `missing-artefact`, `unfinished-run`,
 * `feedback-item` for rows that are not there, `no-such-feedback` for what cannot be taken back, those of reading images and rows.
 * @example await feedback({ run: 'runs/first', items: ['line/17.png'], label: 'normal' });
 */
export async function feedback({ run, items = [], label }: FeedbackOptions): Promise<FeedbackResult> {
  const folder = artifactFiles(run).folder;
  if (await isRun(folder)) await readFinishedRun(folder);
  const info = await readArtifactInfo(run);
  if (!info)
    throw new DataError(
      'missing-artefact',
      `${run} must be the folder of a run or of an exported model, but holds none.`,
    );
  if (items.length > 0 && label !== null && !feedbackLabels.includes(label as FeedbackLabel)) {
    throw new ConfigError(
      'feedback-label',
      say`${option('label')} must be normal or anomalous, or null to take back what was said, got ${String(label)}.`,
    );
  }
  const before = await readFeedback(folder);
  const time = new Date().toISOString();
  const lines =
    items.length === 0
      ? []
      : label === null
        ? (await takenBack(items, info, before)).map(({ key, item }) => ({ key, label: null, time, item }))
        : await said(folder, await findItems(items, info), { label: label!, time, before });
  await addFeedback(folder, lines);
  const entries = await readFeedback(folder);
  const labels = new Map(before.map((entry) => [entry.key, entry.label]));
  const count = (wanted: FeedbackLabel) => entries.filter((entry) => entry.label === wanted).length;
  return {
    run,
    entries,
    normal: count('normal'),
    anomalous: count('anomalous'),
    changed: lines.length,
    overruled: lines.filter((line) => line.label !== null && labels.has(line.key)).length,
  };
}

/** Lines for what is new; images are copied before anything is said of them. */
async function said(
  folder: string,
  named: readonly NamedItem[],
  { label, time, before }: { label: FeedbackLabel; time: string; before: readonly FeedbackEntry[] },
): Promise<FeedbackLine[]> {
  const known = new Set(before.filter((entry) => entry.label === label).map(({ key }) => key));
  const lines: FeedbackLine[] = [];
  for (const { key, item, hash } of named) {
    if (known.has(key)) continue;
    known.add(key);
    const kept = item.kind === 'image' ? { ...item, file: await keepImage(folder, item.path, hash!) } : item;
    lines.push({ key, label, time, item: kept });
  }
  return lines;
}

/** The entries that texts name: by their place, else by what lies there now. */
async function takenBack(
  items: readonly string[],
  info: ArtifactInfo,
  entries: readonly FeedbackEntry[],
): Promise<FeedbackEntry[]> {
  const chosen = new Set<FeedbackEntry>();
  for (const text of items) {
    const file = info.kind === 'image' ? splitPage(text).file : rowsNamed(text).file;
    const rest = text.slice(file.length);
    const place = resolve(file) + rest;
    const atPlace = entries.filter(({ item }) => placeOf(item) === place || (rest === '' && item.path === place));
    const found = atPlace.length > 0 ? atPlace : await byContent(text, info, entries);
    for (const entry of found) chosen.add(entry);
  }
  return [...chosen];
}

async function byContent(
  text: string,
  info: ArtifactInfo,
  entries: readonly FeedbackEntry[],
): Promise<FeedbackEntry[]> {
  const named = await findItems([text], info).catch(() => []);
  const found = entries.filter(({ key }) => named.some((one) => one.key === key));
  if (found.length > 0) return found;
  throw new DataError(
    'no-such-feedback',
    `Nothing was said of ${text}, so nothing can be taken back. Name items as the list of feedback has them.`,
  );
}
