/**
 * The database of a project: one SQLite file beside its runs, with labels, splits, tags, versions, jobs, operating points and alarms.
 * Runs stay folders; what the file says of them can be made again. Node only.
 */
import { copyFileSync, existsSync } from 'node:fs';
import type { default as DatabaseClass } from 'libsql';
import { DataError, RuntimeUnavailable } from '../../core/errors.ts';
import { migrations } from './migrations.ts';

/** A database that is open. */
export type Database = InstanceType<typeof DatabaseClass>;

/**
 * Opens the database of a project and brings it up to date; before that a copy is kept beside it as `<path>.before-<version>`.
 * Throws RuntimeUnavailable without the package libsql, DataError `project-damaged` and `project-newer`.
 */
export async function openDatabase(path: string, steps: readonly string[] = migrations): Promise<Database> {
  const { default: Driver } = await import('libsql').catch((error: Error) => {
    throw new RuntimeUnavailable(
      'no-database',
      `Projects need the package libsql, which is not here for this machine (${error.message}). Install it with npm, in the version that oddity names.`,
    );
  });
  const isNew = !existsSync(path);
  let database: Database | undefined;
  try {
    database = new Driver(path) as Database;
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL'); // a label that was answered is on the disk
    database.pragma('foreign_keys = ON');
    database.pragma('busy_timeout = 5000');
    const version = versionOf(database);
    if (version > steps.length) {
      throw new DataError(
        'project-newer',
        `${path} was written by a newer oddity (form ${version}, this one knows ${steps.length}). Update oddity.`,
      );
    }
    if (version === steps.length) return database;
    if (!isNew) {
      database.pragma('wal_checkpoint(TRUNCATE)');
      copyFileSync(path, `${path}.before-${steps.length}`);
    }
    const opened = database;
    for (const [i, step] of steps.entries()) {
      if (i < version) continue;
      opened.transaction(() => {
        opened.exec(step);
        opened.exec(`PRAGMA user_version = ${i + 1}`);
      })();
    }
    return opened;
  } catch (error) {
    database?.close();
    if (error instanceof DataError) throw error;
    throw new DataError(
      'project-damaged',
      `${path} must be the database of a project, but cannot be opened: ${(error as Error).message}. Restore it, or move it away to begin anew.`,
    );
  }
}

const versionOf = (database: Database): number =>
  (database.prepare('PRAGMA user_version').get() as { user_version: number }).user_version;
