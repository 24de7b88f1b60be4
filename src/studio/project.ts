/** A project that is open: its folder, its database, its jobs, and what its pages are told. Node only. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Queue } from '../jobs/job.ts';
import { type Changes, openChanges } from './store/changes.ts';
import { type Database, openDatabase } from './store/database.ts';

export interface Project {
  /** Name of its folder, which is also its address. */
  readonly name: string;
  readonly folder: string;
  readonly database: Database;
  readonly changes: Changes;
  readonly queue: Queue;
  close(): Promise<void>;
}

/** Files and folders of a project. */
export function projectFiles(folder: string) {
  return {
    database: join(folder, 'project.sqlite'),
    /** A folder each, as the command line writes them. */
    runs: join(folder, 'runs'),
    /** Files that came through the page. */
    imports: join(folder, 'imports'),
    /** Lists and tables that runs were trained on, by their hashes. */
    versions: join(folder, 'versions'),
    /** Masks that were drawn. */
    masks: join(folder, 'masks'),
    /** What can be made again: thumbnails, maps. */
    cache: join(folder, 'cache'),
    exports: join(folder, 'exports'),
    watch: join(folder, 'watch'),
  };
}

export async function openProject(
  name: string,
  folder: string,
  openQueue: (database: Database, changes: Changes) => Queue,
): Promise<Project> {
  const files = projectFiles(folder);
  await mkdir(files.runs, { recursive: true });
  const database = await openDatabase(files.database);
  const changes = openChanges(database);
  const queue = openQueue(database, changes);
  return {
    ...{ name, folder, database, changes, queue },
    async close() {
      await queue.close();
      database.close();
    },
  };
}
