/** What was found in the imports of a project, with what is left to do about it and what the page may do by one click. */
import { type Words, write } from '../../core/text.ts';
import type { FindingAction, FoundThing, ImportFacts } from '../answers-data.ts';
import { LEFT_OUT } from '../answers-data.ts';
import type { Project } from '../project.ts';
import { checkingOf } from './check.ts';
import { readImports } from './imports.ts';
import { choicesOf } from './reading.ts';

/** What helps against a finding, by its code: each is an edit that can be taken back. */
const actions: Readonly<Record<string, FindingAction>> = {
  duplicates: 'leave-out',
  'near-duplicates': 'leave-out',
  'known-already': 'leave-out',
  'looks-known': 'leave-out',
  'empty-file': 'leave-out',
  'cut-file': 'leave-out',
  'unreadable-file': 'leave-out',
  'mask-size': 'remove-mask',
  'empty-mask': 'remove-mask',
  'full-mask': 'remove-mask',
  'mask-on-normal': 'remove-mask',
};

/** `2.0`: the third import, its first finding. */
const idOf = (i: number, f: number) => `${i}.${f}`;

/** The ids of the items of a finding; undefined for an id of none. */
export function itemsOfFinding(project: Project, id: string): readonly number[] | undefined {
  const [i, f] = id.split('.').map(Number);
  return readImports(project)[i]?.findings[f]?.items;
}

const broken = new Set(['empty-file', 'cut-file', 'unreadable-file']);

/** Ids of the items whose files cannot be read, as far as they were looked at. */
export const brokenItems = (project: Project): ReadonlySet<number> =>
  new Set(
    readImports(project).flatMap(({ findings }) =>
      findings.filter(({ code }) => broken.has(code)).flatMap(({ items }) => items),
    ),
  );

export function actionOf(project: Project, id: string): FindingAction | undefined {
  const [i, f] = id.split('.').map(Number);
  const finding = readImports(project)[i]?.findings[f];
  return finding && finding.items.length > 0 ? actions[finding.code] : undefined;
}

export function importsOf(project: Project, words: Words): ImportFacts[] {
  const { database } = project;
  const inOrNot = database.prepare(
    `SELECT count(*) AS n FROM json_each(?) AS ids WHERE NOT EXISTS (SELECT 1 FROM tags WHERE item = ids.value AND tag = '${LEFT_OUT}')`,
  );
  const masked = database.prepare(
    'SELECT count(*) AS n FROM json_each(?) AS ids JOIN items ON items.id = ids.value WHERE mask IS NOT NULL',
  );
  const count = (statement: typeof inOrNot, ids: readonly number[]) =>
    (statement.get(JSON.stringify(ids)) as { n: number }).n;
  return readImports(project).map(({ path, at, explanation, isChecked, fault, findings }, i) => {
    const checking = isChecked ? undefined : checkingOf(project, path);
    return {
      ...{ path, at, explanation },
      ...(checking && { checking }),
      ...(fault !== undefined && { fault }),
      findings: findings.map(({ severity, code, message, text, advice, items, files }, f): FoundThing => {
        const action = items.length > 0 ? actions[code] : undefined;
        const open = action === undefined ? items.length : count(action === 'leave-out' ? inOrNot : masked, items);
        return {
          ...{ id: idOf(i, f), severity, code, message: text ? write(text, words) : message, advice },
          ...{ items: items.length, open, choices: text ? choicesOf(text) : [] },
          ...(action && { action }),
          files: files.slice(0, 10),
        };
      }),
    };
  });
}
