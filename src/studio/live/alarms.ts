/** The alarms of a project: what watches and cameras found, who saw it, and what people said it was. */
import type { ColumnShare } from '../../kinds/index.ts';
import { feedback } from '../../runs/feedback.ts';
import { Problem } from '../../server/problem.ts';
import type { Project } from '../project.ts';
import { runFolder } from '../runs.ts';

/** An alarm as it is kept. */
export interface Alarm {
  readonly id: number;
  readonly run: string;
  readonly source: string;
  /** Path of the file, of the kept frame, or `log.csv:line`. */
  readonly item: string;
  readonly score: number | null;
  readonly threshold: number | null;
  /** ISO 8601. */
  readonly at: string;
  /** Path of the picture. */
  readonly overlay: string | null;
  /** Of a row, the columns that make its score, largest first. */
  readonly reasons: readonly ColumnShare[] | null;
  readonly acknowledgedAt: string | null;
  readonly label: 'normal' | 'anomalous' | null;
}

export interface AlarmPage {
  readonly alarms: readonly Alarm[];
  readonly total: number;
  readonly open: number;
  /** Alarms that people called normal. */
  readonly false: number;
}

type Row = Omit<Alarm, 'reasons'> & { readonly reasons: string | null };
const alarmOf = ({ reasons, ...row }: Row): Alarm => ({
  ...row,
  reasons: reasons === null ? null : JSON.parse(reasons),
});

export function addAlarm({ database, changes }: Project, alarm: Omit<Alarm, 'id' | 'acknowledgedAt' | 'label'>): void {
  const { run, source, item, score, threshold, at, overlay, reasons } = alarm;
  const { lastInsertRowid } = database
    .prepare(
      'INSERT INTO alarms (run, source, item, score, threshold, at, overlay, reasons) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    )
    .run(run, source, item, score, threshold, at, overlay, reasons && JSON.stringify(reasons));
  changes.tell('alarms', { id: Number(lastInsertRowid) });
}

/** The latest first. */
export function listAlarms(
  { database }: Project,
  { from, count, isOpen }: { from: number; count: number; isOpen: boolean },
): AlarmPage {
  const where = isOpen ? 'WHERE acknowledgedAt IS NULL' : '';
  const alarms = database
    .prepare(`SELECT * FROM alarms ${where} ORDER BY id DESC LIMIT ? OFFSET ?`)
    .all(count, from) as Row[];
  const counts = database
    .prepare(
      "SELECT count(*) AS total, coalesce(sum(acknowledgedAt IS NULL), 0) AS open, coalesce(sum(label = 'normal'), 0) AS wrong FROM alarms",
    )
    .get() as { total: number; open: number; wrong: number };
  return { alarms: alarms.map(alarmOf), total: counts.total, open: counts.open, false: counts.wrong };
}

export function findAlarm({ database }: Project, id: number): Alarm {
  const alarm = database.prepare('SELECT * FROM alarms WHERE id = ?').get(id) as Row | undefined;
  if (!alarm) throw new Problem(404, 'unknown-alarm', `There is no alarm ${id} in this project.`);
  return alarmOf(alarm);
}

/**
 * Notes that people saw an alarm, and what they say it was: that goes to the feedback of the run too, from which thresholds and updates
 * learn. Throws as `feedback`, before anything is noted.
 */
export async function answerAlarm(project: Project, id: number, label?: Alarm['label']): Promise<Alarm> {
  const { run, item, label: before } = findAlarm(project, id);
  if (label !== undefined && label !== before) {
    await feedback({ run: await runFolder(project, run), items: [item], label });
    project.database.prepare('UPDATE alarms SET label = ? WHERE id = ?').run(label, id);
  }
  project.database
    .prepare('UPDATE alarms SET acknowledgedAt = coalesce(acknowledgedAt, ?) WHERE id = ?')
    .run(new Date().toISOString(), id);
  project.changes.tell('alarms', { id });
  return findAlarm(project, id);
}
