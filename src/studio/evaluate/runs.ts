/** The runs of a project, folders as the command line writes them: the list, what is known of one, its scores. */
import { relative, sep } from 'node:path';
import { write } from '../../core/text.ts';
import { withTest } from '../../engine/judging/calibrate.ts';
import { findKind } from '../../kinds/index.ts';
import { models } from '../../models/index.ts';
import { readArtifact } from '../../runs/artifact.ts';
import { readFinishedRun } from '../../runs/folder.ts';
import { listRuns } from '../../runs/list.ts';
import { readReport } from '../../runs/report-file.ts';
import { readPredictions } from '../../runs/test-scores.ts';
import { Problem } from '../../server/problem.ts';
import { commandOf } from '../command.ts';
import { itemsOfRun } from '../data/run-items.ts';
import type { Project } from '../project.ts';
import { projectFiles } from '../project-files.ts';
import type { StudioContext } from '../routes/index.ts';
import { runFolder } from '../runs.ts';
import type { RunAnswer, RunList, ScoresAnswer } from './answers.ts';

const nameOf = (runs: string, folder: string) => relative(runs, folder).split(sep).join('/');

/** The runs, the newest first. */
export async function runsOf({ folder }: Project): Promise<RunList> {
  const { runs } = projectFiles(folder);
  const found = await listRuns({ folder: runs });
  return { folder: runs, runs: found.map(({ run, ...rest }) => ({ name: nameOf(runs, run), ...rest })) };
}

/** What is known of a finished run. Throws as `readFinishedRun`, `readArtifact`. */
export async function readRunAnswer(
  project: Project,
  name: string,
  { words }: Pick<StudioContext, 'words'>,
): Promise<RunAnswer> {
  const path = await runFolder(project, name);
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

const canUpdate = (name: string) => {
  const model = models.find((one) => one.name === name);
  return model?.learns === 'statistics' && model.update !== undefined;
};

/** The scores of a run's test part and of the normals that its threshold rests on. */
export async function readScores(project: Project, name: string): Promise<ScoresAnswer> {
  const path = await runFolder(project, name);
  await readFinishedRun(path);
  const { info } = await readArtifact(path);
  const { ids, classes, labels, scores } = await readPredictions(path);
  const items = await itemsOfRun(project, ids, path);
  return {
    ...{ ids, items: items.map((item) => item ?? null), classes, labels: Array.from(labels) },
    scores: Array.from(scores, (score) => (Number.isNaN(score) ? null : score)),
    normalScores: info.normalScores,
    threshold: withTest(info.threshold, scores, labels),
    canUpdate: info.kind === 'image' && canUpdate(info.model),
  };
}
