/** Paths as the database keeps them: from the project's folder where they lie in it, so that a project can be moved. */
import { relative, resolve, sep } from 'node:path';
import type { Project } from '../project.ts';

type Folder = Pick<Project, 'folder'>;

export function storedPath({ folder }: Folder, path: string): string {
  const inside = relative(folder, path);
  return inside !== '' && !inside.startsWith('..') && resolve(folder, inside) === path
    ? inside.split(sep).join('/')
    : path;
}

export const fullPath = ({ folder }: Folder, stored: string): string => resolve(folder, stored);
