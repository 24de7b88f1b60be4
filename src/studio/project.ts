/** A project that is open: its folder, its database, its jobs, and what its pages are told. Node only. */
import { mkdir } from 'node:fs/promises';
import type { Queue } from '../jobs/job.ts';
import { Watches } from './live/watches.ts';
import { projectFiles } from './project-files.ts';
import { type Changes, openChanges } from './store/changes.ts';
import { type Database, openDatabase } from './store/database.ts';

export { projectFiles };

export interface Project {
  /** Name of its folder, which is also its address. */
  readonly name: string;
  readonly folder: string;
  readonly database: Database;
  readonly changes: Changes;
  readonly queue: Queue;
  readonly watches: Watches;
  close(): Promise<void>;
}

export async function openProject(
  name: string,
  folder: string,
  openQueue: (database: Database, changes: Changes) => Queue | Promise<Queue>,
): Promise<Project> {
  const files = projectFiles(folder);
  await mkdir(files.runs, { recursive: true });
  const database = await openDatabase(files.database);
  const changes = openChanges(database);
  const queue = await openQueue(database, changes);
  const project: Project = {
    ...{ name, folder, database, changes, queue },
    get watches() {
      return watches;
    },
    async close() {
      await watches.close();
      await queue.close();
      database.close();
    },
  };
  const watches = new Watches(project);
  await watches.resume();
  return project;
}
