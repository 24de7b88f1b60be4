/** The items of a project that pass filters, page by page in a stable order: by id, or by the scores of a run. */
import * as z from 'zod';
import { ConfigError } from '../../core/errors.ts';
import type { Facets, ItemFacts, ItemPage, Label, Split } from '../answers-data.ts';
import { readFact } from '../facts.ts';
import type { Project } from '../project.ts';
import { roundOf } from './changed.ts';
import { editsOf } from './edits.ts';
import { itemsOfFinding } from './findings.ts';
import { groupOf } from './groups.ts';
import { rowsOf } from './rows.ts';
import { type ItemScores, scoresOfRun } from './run-items.ts';
import { oddItems, strangersOf } from './strangers.ts';

/** Filters, as they stand in addresses and in bodies; `none` means that there is no value. */
export const filterSchema = z.strictObject({
  split: z.enum(['train', 'validation', 'test', 'none']).optional(),
  label: z.enum(['normal', 'anomalous', 'none']).optional(),
  type: z.string().max(200).optional(),
  tag: z.string().max(100).optional(),
  /** Part of a name, a type or a tag; upper and lower case are the same. */
  search: z.string().max(200).optional(),
  mask: z.enum(['yes', 'no']).optional(),
  /** Id of a finding, or `strangers`. */
  finding: z.string().max(40).optional(),
  /** Name of a group that was kept. */
  group: z.string().max(40).optional(),
  /** Name of a run, for what follows. */
  run: z.string().max(500).optional(),
  low: z.coerce.number().optional(),
  high: z.coerce.number().optional(),
  /** `yes`: what the run called otherwise than its label. */
  wrong: z.enum(['yes']).optional(),
  /** `score`: the highest first. */
  order: z.enum(['score']).optional(),
});

/** The filter `finding` of what the last search for strangers found. */
export const STRANGERS = 'strangers';

export type Filter = z.output<typeof filterSchema>;

interface Row {
  readonly id: number;
  readonly name: string;
  readonly path: string;
  readonly line: number;
  readonly label: Label | null;
  readonly type: string | null;
  readonly split: Split | null;
  readonly mask: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly tags: string | null;
}

const columns = `id, name, path, line, label, type, split, mask, width, height,
  (SELECT json_group_array(tag) FROM (SELECT tag FROM tags WHERE item = items.id ORDER BY tag)) AS tags`;

/** The ids that were asked for last, so that paging through many does not ask the same again. */
const kept = new WeakMap<Project, { readonly key: string; readonly ids: readonly number[] }>();

/** Ids that pass, in order. Throws what `scoresOfRun` throws. */
export async function idsOf(project: Project, filter: Filter): Promise<readonly number[]> {
  const { run } = filter;
  if (run === undefined && (filter.wrong || filter.order || filter.low !== undefined || filter.high !== undefined))
    throw new ConfigError('no-run', 'Scores are those of a run: choose the run that they are to come from.');
  const scores = run === undefined ? undefined : await scoresOfRun(project, run);
  const job = filter.finding === STRANGERS ? (await strangersOf(project)).job : undefined;
  const key = JSON.stringify([roundOf(project), scores?.stamp, job, filter]);
  const before = kept.get(project);
  if (before?.key === key) return before.ids;
  const found = filter.finding === undefined ? undefined : await itemsFound(project, filter.finding);
  const group = filter.group === undefined ? undefined : await groupOf(project, filter.group);
  const { where, values } = conditions(filter, [found, group]);
  const rows = project.database.prepare(`SELECT id, label FROM items ${where} ORDER BY id`).all(...values) as {
    id: number;
    label: Label | null;
  }[];
  const ids = scores ? byScores(rows, scores, filter) : rows.map(({ id }) => id);
  kept.set(project, { key, ids });
  return ids;
}

function byScores(rows: readonly { id: number; label: Label | null }[], scores: ItemScores, filter: Filter): number[] {
  const { low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY, wrong, order } = filter;
  const isAsked = wrong !== undefined || order !== undefined || filter.low !== undefined || filter.high !== undefined;
  const passing = rows.filter(({ id, label }) => {
    const score = scores.scores.get(id);
    if (score === undefined) return !isAsked;
    return score >= low && score <= high && (wrong === undefined || isWrong(scores, id, label));
  });
  const ids = passing.map(({ id }) => id);
  return order ? ids.sort((a, b) => scores.scores.get(b)! - scores.scores.get(a)! || a - b) : ids;
}

function isWrong({ scores, threshold }: ItemScores, id: number, label: Label | null): boolean {
  const score = scores.get(id);
  if (score === undefined || label === null || threshold === null) return false;
  return score >= threshold !== (label === 'anomalous');
}

const itemsFound = async (project: Project, finding: string): Promise<readonly number[]> =>
  finding === STRANGERS ? oddItems(project) : (itemsOfFinding(project, finding) ?? []);

/** `lists` are of the only ids that may pass. */
function conditions(
  filter: Filter,
  lists: readonly (readonly number[] | undefined)[],
): { where: string; values: unknown[] } {
  const all: string[] = [];
  const values: unknown[] = [];
  const add = (condition: string, ...own: unknown[]) => {
    all.push(condition);
    values.push(...own);
  };
  const { split, label, type, tag, search, mask } = filter;
  for (const [column, value] of Object.entries({ split, label, type })) {
    if (value === 'none') add(`${column} IS NULL`);
    else if (value !== undefined) add(`${column} = ?`, value);
  }
  if (tag !== undefined) add('EXISTS (SELECT 1 FROM tags WHERE item = items.id AND tag = ?)', tag);
  if (mask !== undefined) add(`mask IS ${mask === 'yes' ? 'NOT ' : ''}NULL`);
  if (search !== undefined && search.trim() !== '') {
    const like = `%${search.trim().replace(/[\\%_]/g, '\\$&')}%`;
    const part = (column: string) => `${column} LIKE ? ESCAPE '\\'`;
    const inTags = `EXISTS (SELECT 1 FROM tags WHERE item = items.id AND ${part('tag')})`;
    add(`(${part('name')} OR ${part('type')} OR ${inTags})`, like, like, like);
  }
  for (const list of lists) if (list) add('id IN (SELECT value FROM json_each(?))', JSON.stringify(list));
  return { where: all.length > 0 ? `WHERE ${all.join(' AND ')}` : '', values };
}

/** One page of the items that pass. */
export async function pageOf(
  project: Project,
  filter: Filter,
  { from, count }: { readonly from: number; readonly count: number },
): Promise<ItemPage> {
  const kind = readFact(project, 'kind');
  const ids = await idsOf(project, filter);
  const scores = filter.run === undefined ? undefined : await scoresOfRun(project, filter.run);
  const found = factsOfItems(project, ids.slice(from, from + count), scores);
  const head = { ...(kind && { kind }), total: ids.length, from };
  if (kind !== 'table') return { ...head, items: found };
  const { columns, valuesOf } = await rowsOf(project);
  const items = await Promise.all(found.map(async (item) => ({ ...item, values: await valuesOf(item) })));
  return { ...head, items, columns };
}

/** Items by their ids, in the order of the ids; those that there are not are left out. */
export function factsOfItems(project: Project, ids: readonly number[], scores?: ItemScores): ItemFacts[] {
  const rows = project.database
    .prepare(`SELECT ${columns} FROM items WHERE id IN (SELECT value FROM json_each(?))`)
    .all(JSON.stringify(ids)) as Row[];
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.flatMap((id) => {
    const row = byId.get(id);
    if (!row) return [];
    const { mask, tags, ...facts } = row;
    const score = scores?.scores.get(id);
    return [
      {
        ...{ ...facts, hasMask: mask !== null, tags: JSON.parse(tags ?? '[]') },
        ...(scores && score !== undefined && { score, isWrong: isWrong(scores, id, row.label) }),
      },
    ];
  });
}

/** How many items have which value. */
export function facetsOf(project: Project): Facets {
  const { database } = project;
  const counts = (sql: string): Record<string, number> =>
    Object.fromEntries(
      (database.prepare(sql).all() as { value: string | null; n: number }[]).map(({ value, n }) => [
        value ?? 'none',
        n,
      ]),
    );
  const by = (column: string) => counts(`SELECT ${column} AS value, count(*) AS n FROM items GROUP BY ${column}`);
  const { n: total, masks } = database.prepare('SELECT count(*) AS n, count(mask) AS masks FROM items').get() as {
    n: number;
    masks: number;
  };
  return {
    ...{ total, masks, label: by('label'), split: by('split') },
    type: counts('SELECT type AS value, count(*) AS n FROM items WHERE type IS NOT NULL GROUP BY type ORDER BY n DESC'),
    tag: counts('SELECT tag AS value, count(*) AS n FROM tags GROUP BY tag ORDER BY n DESC'),
    ...editsOf(project),
  };
}
