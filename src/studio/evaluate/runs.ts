/** The runs of a project: folders as the command line writes them, found by their names and never by a path that somebody sent. */
import { stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { write } from '../../core/text.ts';
import { withTest } from '../../engine/judging/calibrate.ts';
import { findKind } from '../../kinds/index.ts';
import { readArtifact } from '../../runs/artifact.ts';
import { readFinishedRun, runFiles } from '../../runs/folder.ts';
import { type ListedRun, listRuns } from '../../runs/list.ts';
import { readReport } from '../../runs/report-file.ts';
import { readPredictions } from '../../runs/test-scores.ts';
import { Problem } from '../../server/problem.ts';
import { type Project, projectFiles } from '../project.ts';
import type { StudioContext } from '../routes/index.ts';
import type { RunAnswer, RunList, ScoresAnswer } from './answers.ts';
import { commandOf } from './command.ts';
import { itemsOfRun } from './items.ts';

const nameOf = (runs: string, folder: string) => relative(runs, folder).split(sep).join('/');

/** The runs, the newest first. */
export async function runsOf({ folder }: Project): Promise<RunList> {
  const { runs } = projectFiles(folder);
  const found = await listRuns({ folder: runs });
  return { folder: runs, runs: found.map((one): ListedRun => ({ ...one, run: nameOf(runs, one.run) })) };
}

/** Names that were found before, by project: the list is not read again for each picture of a run. */
const known = new WeakMap<Project, Set<string>>();

/** The folder of a run by its name. Throws Problem 404. */
export async function folderOf(project: Project, name: string): Promise<string> {
  const { runs } = projectFiles(project.folder);
  const names = known.get(project) ?? new Set();
  known.set(project, names);
  const isThere = async () => {
    const found = await stat(runFiles(join(runs, name)).run).catch(() => undefined);
    return found?.isFile() === true;
  };
  if (!names.has(name) || !(await isThere())) {
    names.clear();
    for (const { run } of (await runsOf(project)).runs) names.add(run);
  }
  if (names.has(name)) return join(runs, name);
  throw new Problem(404, 'unknown-run', `There is no run named "${name}" in this project.`);
}

/** What is known of a finished run. Throws as `readFinishedRun`, `readArtifact`. */
export async function readRunAnswer(
  project: Project,
  name: string,
  { words }: Pick<StudioContext, 'words'>,
): Promise<RunAnswer> {
  const path = await folderOf(project, name);
  const record = await readFinishedRun(path);
  const report = await readReport(path);
  if (!report) throw new Problem(404, 'no-metrics', `The run "${name}" has no metrics.json. Train it again.`);
  const { info } = await readArtifact(path);
  const { scores, labels } = await readPredictions(path);
  return {
    ...{ run: name, path, record, report, title: info.title, description: info.description },
    words: findKind(info.kind).words,
    threshold: withTest(info.threshold, scores, labels),
    mapThreshold: info.mapThreshold,
    warnings: (report.warnings ?? []).map(({ message, text }) => write(text ?? message, words)),
    commands: {
      test: commandOf(words, 'test', [path]),
      threshold: commandOf(words, 'threshold', [path]),
      report: commandOf(words, 'report', [path]),
    },
  };
}

/** The scores of a run's test part and of the normals that its threshold rests on. */
export async function readScores(project: Project, name: string): Promise<ScoresAnswer> {
  const path = await folderOf(project, name);
  const record = await readFinishedRun(path);
  const { info } = await readArtifact(path);
  const { ids, classes, labels, scores } = await readPredictions(path);
  return {
    ...{ ids, items: itemsOfRun(project, ids, record.data), classes, labels: Array.from(labels) },
    scores: Array.from(scores, (score) => (Number.isNaN(score) ? null : score)),
    normalScores: info.normalScores,
    threshold: withTest(info.threshold, scores, labels),
  };
}
