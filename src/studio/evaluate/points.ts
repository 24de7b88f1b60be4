/** Thresholds that people saved for a run, in the database of the project. */
import { Problem } from '../../server/problem.ts';
import type { Project } from '../project.ts';
import type { SavedPoint } from './answers.ts';

/** The points of a run, in the order in which they were saved. */
export function pointsOf({ database }: Project, run: string): SavedPoint[] {
  return database
    .prepare('SELECT id, name, threshold, review, at FROM points WHERE run = ? ORDER BY id')
    .all(run) as SavedPoint[];
}

export function savePoint(
  project: Project,
  run: string,
  { name, threshold, review }: Omit<SavedPoint, 'id' | 'at'>,
): SavedPoint {
  const at = new Date().toISOString();
  const { lastInsertRowid } = project.database
    .prepare('INSERT INTO points (run, name, threshold, review, at) VALUES (?, ?, ?, ?, ?)')
    .run(run, name, threshold, review, at);
  project.changes.tell('points', { run });
  return { id: Number(lastInsertRowid), name, threshold, review, at };
}

/** Throws Problem 404 where the run has no such point. */
export function removePoint(project: Project, run: string, id: number): void {
  const { changes } = project.database.prepare('DELETE FROM points WHERE id = ? AND run = ?').run(id, run);
  if (changes === 0) throw new Problem(404, 'unknown-point', `There is no saved threshold ${id} of this run.`);
  project.changes.tell('points', { run });
}
