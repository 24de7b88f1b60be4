/** What open pages of a project are told: kept in the database, so that a page that was away hears what it missed. */
import type { Database } from './database.ts';

/** What changed. `topic` names what a page must read again; `data` is small, such as the state of a job. */
export interface Change {
  readonly id: number;
  readonly topic: ChangeTopic;
  readonly data: unknown;
}

export type ChangeTopic = 'items' | 'jobs' | 'progress' | 'runs' | 'points' | 'alarms' | 'live' | 'project';

/** Changes that are kept; a page that missed more reads everything anew. */
const KEPT = 2000;

export interface Changes {
  tell(topic: ChangeTopic, data?: unknown): void;
  /** Changes after an id; undefined where some of them are no longer kept. */
  since(id: number): readonly Change[] | undefined;
  listen(hear: (change: Change) => void): () => void;
}

export function openChanges(database: Database): Changes {
  const listeners = new Set<(change: Change) => void>();
  const insert = database.prepare('INSERT INTO changes (topic, data) VALUES (?, ?)');
  const trim = database.prepare('DELETE FROM changes WHERE id <= ?');
  let passing = 0;
  return {
    tell(topic, data = null) {
      // Progress comes many times a second and is of no use later: it is passed on, and not kept.
      const id = topic === 'progress' ? passing : Number(insert.run(topic, JSON.stringify(data)).lastInsertRowid);
      passing = id;
      if (topic !== 'progress' && id % 200 === 0) trim.run(id - KEPT);
      for (const hear of listeners) hear({ id, topic, data });
    },
    since(id) {
      const first = database.prepare('SELECT min(id) AS id FROM changes').get() as { id: number | null };
      if (first.id !== null && id < first.id - 1) return undefined;
      const rows = database.prepare('SELECT id, topic, data FROM changes WHERE id > ? ORDER BY id').all(id) as {
        id: number;
        topic: ChangeTopic;
        data: string;
      }[];
      return rows.map((row) => ({ ...row, data: JSON.parse(row.data) }));
    },
    listen(hear) {
      listeners.add(hear);
      return () => listeners.delete(hear);
    },
  };
}
