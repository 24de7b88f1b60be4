/** What an update of a run takes out of its training part: images that were normal then, and are labelled anomalous or left out now. */
import { readArtifactInfo } from '../../runs/artifact.ts';
import { LEFT_OUT } from '../answers-data.ts';
import { itemsOfRun } from '../data/run-items.ts';
import type { Project } from '../project.ts';

/** Ids of training images as the run has them; none where it does not name them. */
export async function relabelled(project: Project, run: string): Promise<readonly string[]> {
  const ids = (await readArtifactInfo(run))?.trainingItems ?? [];
  const items = await itemsOfRun(project, ids, run);
  const rows = project.database
    .prepare(
      `SELECT id FROM items
       WHERE label = 'anomalous' OR EXISTS (SELECT 1 FROM tags WHERE item = items.id AND tag = ?)`,
    )
    .all(LEFT_OUT) as { id: number }[];
  const odd = new Set<number | undefined>(rows.map(({ id }) => id));
  return ids.filter((_, i) => odd.has(items[i]));
}
