/** The jobs of a project, in its database. */
import type { Job, JobStore } from '../../jobs/job.ts';
import type { Database } from './database.ts';

interface Row {
  readonly id: string;
  readonly kind: string;
  readonly options: string;
  readonly state: Job['state'];
  readonly run: string | null;
  readonly priority: number | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly result: string | null;
  readonly error: string | null;
}

const columns = [
  'id',
  'kind',
  'options',
  'state',
  'run',
  'priority',
  'createdAt',
  'startedAt',
  'endedAt',
  'result',
  'error',
] as const;
/** Columns that hold JSON. */
const isJson = (column: string) => column === 'options' || column === 'result' || column === 'error';

export function jobStore(database: Database): JobStore {
  const find = database.prepare('SELECT * FROM jobs WHERE id = ?');
  const read = (id: string) => {
    const row = find.get(id) as Row | undefined;
    return row && jobOf(row);
  };
  return {
    add(job) {
      database
        .prepare(`INSERT INTO jobs (${columns.join()}) VALUES (${columns.map(() => '?').join()})`)
        .run(...columns.map((column) => stored(column, job[column])));
    },
    change(id, to) {
      for (const [column, value] of Object.entries(to)) {
        if (!columns.includes(column as never)) continue;
        database.prepare(`UPDATE jobs SET ${column} = ? WHERE id = ?`).run(stored(column, value), id);
      }
      return read(id)!;
    },
    find: read,
    list: () => (database.prepare('SELECT * FROM jobs ORDER BY createdAt DESC, rowid DESC').all() as Row[]).map(jobOf),
  };
}

const stored = (column: string, value: unknown): unknown =>
  value === undefined ? null : isJson(column) ? JSON.stringify(value) : value;

function jobOf(row: Row): Job {
  const entries = columns.flatMap((column) => {
    const value = row[column];
    return value === null ? [] : [[column, isJson(column) ? JSON.parse(String(value)) : value]];
  });
  return Object.fromEntries(entries) as Job;
}
