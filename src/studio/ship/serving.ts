/** Detectors of projects that this Studio answers for, at `/detectors/<name>/score` and `/v2`; begun again with the project. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Catalogue } from '../../server/catalogue.ts';
import { readFact, writeFact } from '../facts.ts';
import type { Project } from '../project.ts';
import { projectFiles } from '../project-files.ts';
import { runFolder } from '../runs.ts';

/** The name of a run's detector in addresses: "Süd 1" as `Sud-1`. */
export const servedName = (project: string, run: string): string =>
  `${project}-${run}`
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\w.-]+/g, '-');

export const isServed = (project: Project, run: string): boolean => (readFact(project, 'served') ?? []).includes(run);

/** Throws Problem 404 for a run that is not there, and as `openCatalogue` for one without a detector. */
export async function startServing(catalogue: Catalogue, project: Project, run: string): Promise<string> {
  const name = servedName(project.name, run);
  await catalogue.add(name, await runFolder(project, run));
  const others = (readFact(project, 'served') ?? []).filter((one) => one !== run);
  writeFact(project, 'served', [...others, run]);
  project.changes.tell('runs', { run });
  return name;
}

export async function stopServing(catalogue: Catalogue, project: Project, run: string): Promise<void> {
  await catalogue.remove(servedName(project.name, run), join(projectFiles(project.folder).runs, run));
  const others = (readFact(project, 'served') ?? []).filter((one) => one !== run);
  writeFact(project, 'served', others);
  project.changes.tell('runs', { run });
}

/** Takes all detectors of a project out, which it begins again with when it is opened. */
export async function pauseServing(catalogue: Catalogue, project: Project): Promise<void> {
  const { runs } = projectFiles(project.folder);
  for (const run of readFact(project, 'served') ?? [])
    await catalogue.remove(servedName(project.name, run), join(runs, run));
}

/** Serves again what was served when Studio was last open; what is gone since is left out. */
export async function resumeServing(catalogue: Catalogue, project: Project): Promise<void> {
  if (readdirSync(projectFiles(project.folder).runs).length === 0) return;
  for (const run of readFact(project, 'served') ?? []) {
    await startServing(catalogue, project, run).catch(() => stopServing(catalogue, project, run));
  }
}
