/** The runs of a project by their names. A name comes from a request: it is looked for among what is there, and never joined to a path unchecked. */
import { join, relative } from 'node:path';
import { isRun } from '../runs/folder.ts';
import { listRuns } from '../runs/list.ts';
import { Problem } from '../server/problem.ts';
import type { Project } from './project.ts';
import { projectFiles } from './project-files.ts';

/** The folder of a run. Throws Problem 404. */
export async function runFolder({ folder }: Project, name: string): Promise<string> {
  const { runs } = projectFiles(folder);
  const isName = name.split('/').every((part) => /^[^\\/\0]+$/.test(part) && part !== '..' && part !== '.');
  const path = join(runs, name);
  if (isName && (await isRun(path))) return path;
  const known = (await listRuns({ folder: runs })).map(({ run }) => relative(runs, run));
  throw new Problem(
    404,
    'unknown-run',
    `There is no run named "${name}" here. Known: ${known.slice(0, 10).join(', ') || 'none'}.`,
  );
}
