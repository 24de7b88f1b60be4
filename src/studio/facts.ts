/** What is known of a project as a whole: kind of item, where its data lie, what was understood of them; in its database. */
import { readdir } from 'node:fs/promises';
import type { ItemKind } from '../core/item-shape.ts';
import type { ProjectFacts } from './answers.ts';
import type { Reading } from './data/reading.ts';
import { type Project, projectFiles } from './project.ts';

/** Facts by name; values are JSON. */
export interface Facts {
  readonly kind: ItemKind;
  readonly explanation: string;
  /** Path of the folder or file that came in first. */
  readonly data: string;
  /** What the inspection found, as the library gives it. */
  readonly inspection: unknown;
  /** How files of rows are read, where a person said it. */
  readonly reading: Reading;
  /** Runs whose detectors this Studio answers for. */
  readonly served: readonly string[];
}

export function readFact<N extends keyof Facts>({ database }: Project, name: N): Facts[N] | undefined {
  const row = database.prepare('SELECT value FROM facts WHERE name = ?').get(name) as { value: string } | undefined;
  return row && JSON.parse(row.value);
}

export function writeFact<N extends keyof Facts>({ database }: Project, name: N, value: Facts[N]): void {
  database
    .prepare('INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value')
    .run(name, JSON.stringify(value));
}

export async function factsOf(project: Project): Promise<ProjectFacts> {
  const { name, folder, database } = project;
  const counts = database
    .prepare(
      "SELECT count(*) AS items, sum(label = 'normal') AS normal, sum(label = 'anomalous') AS anomalous FROM items",
    )
    .get() as { items: number; normal: number | null; anomalous: number | null };
  const runs = await readdir(projectFiles(folder).runs).catch(() => []);
  return {
    ...{ name, folder, kind: readFact(project, 'kind'), explanation: readFact(project, 'explanation') },
    ...{ items: counts.items, normal: counts.normal ?? 0, anomalous: counts.anomalous ?? 0, runs: runs.length },
  };
}
