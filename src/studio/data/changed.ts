/** Says that items changed: pages of the project read them anew, and what was kept in memory of them is dropped. */
import type { Project } from '../project.ts';

const rounds = new WeakMap<Project, number>();

/** Grows whenever items of the project change, while the program runs. */
export const roundOf = (project: Project): number => rounds.get(project) ?? 0;

export function changed(project: Project): void {
  rounds.set(project, roundOf(project) + 1);
  project.changes.tell('items');
}
