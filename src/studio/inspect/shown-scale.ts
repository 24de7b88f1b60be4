/**
 * One colour scale for the maps of a project: colours tell how many times as far as the threshold of its own run a value lies from the low
 * end. So maps of two runs, whose values have nothing in common, look alike where they mean the same.
 */
import { stat } from 'node:fs/promises';
import type { ArtifactInfo } from '../../engine/scoring/artifact.ts';
import { type MapScale, mapScale } from '../../report/map-image.ts';
import { artifactFiles, readArtifactInfo } from '../../runs/artifact.ts';
import { runFolders } from '../../runs/list.ts';
import type { Project } from '../project.ts';
import { projectFiles } from '../project-files.ts';

/** Where the scale of a project ends: the farthest of its runs within these, so that a single one does not pale all others. */
const REACH = { least: 2, most: 8 };

interface Kept {
  readonly stamp: string;
  readonly reach: number | undefined;
}

const kept = new WeakMap<Project, Map<string, Kept>>();

/** At how many times the threshold the scale of a project ends. Reads what is new among its runs. */
export async function reachOf(project: Project): Promise<number> {
  const own = kept.get(project) ?? new Map<string, Kept>();
  kept.set(project, own);
  const reaches = await Promise.all(
    (await runFolders(projectFiles(project.folder).runs)).map(async (folder) => {
      const found = await stat(artifactFiles(folder).json).catch(() => undefined);
      const stamp = `${found?.mtimeMs} ${found?.size}`;
      const before = own.get(folder);
      if (before?.stamp === stamp) return before.reach;
      const info = found && (await readArtifactInfo(folder).catch(() => undefined)); // a damaged run says so where it is opened
      const reach = info?.mapScale && reachIn(info.mapScale);
      own.set(folder, { stamp, reach });
      return reach;
    }),
  );
  const known = reaches.filter((reach) => reach !== undefined);
  return Math.min(REACH.most, Math.max(REACH.least, ...known));
}

const reachIn = ({ low, threshold, high }: MapScale): number | undefined =>
  threshold !== null && threshold > low && threshold < high ? (high - low) / (threshold - low) : undefined;

/** The scale of a map: of its run's own where there is no threshold to anchor it. */
export function shownScale(
  { mapScale: own, mapThreshold }: Pick<ArtifactInfo, 'mapScale' | 'mapThreshold'>,
  map: Float32Array,
  reach: number,
): MapScale {
  const scale = own ?? mapScale(map, mapThreshold?.value ?? null);
  const { low, threshold } = scale;
  if (threshold === null || !(threshold > low)) return scale;
  return { low, threshold, high: low + reach * (threshold - low) };
}
