/** Groups of items that a person has chosen, named by what is in them, so that an address can show one: it has no room for thousands of ids. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../../data/hash.ts';
import { readJsonIfThere, writeJson } from '../../runs/files.ts';
import { Problem } from '../../server/problem.ts';
import { type Project, projectFiles } from '../project.ts';

const fileOf = ({ folder }: Project, name: string) => join(projectFiles(folder).cache, 'groups', `${name}.json`);

/** Keeps a group; returns its name, 16 hexadecimal digits. */
export async function keepGroup(project: Project, ids: readonly number[]): Promise<string> {
  const own = [...new Set(ids)].sort((a, b) => a - b);
  const name = (await sha256(JSON.stringify(own))).slice(0, 16);
  await mkdir(join(projectFiles(project.folder).cache, 'groups'), { recursive: true });
  await writeJson(fileOf(project, name), { ids: own });
  return name;
}

/** Ids of a group. Throws Problem 404. */
export async function groupOf(project: Project, name: string): Promise<readonly number[]> {
  const found = /^[0-9a-f]{16}$/.test(name)
    ? await readJsonIfThere<{ readonly ids: readonly number[] }>(fileOf(project, name))
    : undefined;
  if (!found) throw new Problem(404, 'unknown-group', 'This selection is no longer known. Select the items again.');
  return found.ids;
}
