/** What the data of a sweep are: a hash of their content, and how many items train. Node only. */
import { dataRoot, findDataset } from '../data/index.ts';
import { takesRows } from '../engine/task/suitable.ts';
import { findModel } from '../models/index.ts';
import { loadTask, type TaskOptions } from '../runs/load-task.ts';
import type { Trial } from './trials.ts';

/** Images are read at a small size: the hash of their files is asked for, not their pixels. */
const SIZE = [16, 16] as const;

/** A hash of the content of data, wherever they lie. Throws as loading does. */
export async function contentOf(
  data: string,
  options: Readonly<Record<string, unknown>>,
  signal?: AbortSignal,
): Promise<string> {
  const { dataRoot: root = dataRoot(), ...given } = options as Partial<TaskOptions>;
  const dataset = findDataset(data);
  const { download, acceptLicence, columns, missing, decimal, kind, gaps, step, channels, maxPixels, folderNames } =
    given;
  const source = await dataset.load({
    ...{ root, download, acceptLicence, columns, missing, decimal, kind, gaps, step, signal },
    ...(dataset.isOfFiles && { size: SIZE, channels, maxPixels, folderNames }),
  });
  try {
    return source.hash;
  } finally {
    await source.close?.();
  }
}

/** Items that a trial trains on. Throws as loading does. */
export async function itemsOf(
  { options, model }: Pick<Trial, 'options' | 'model'>,
  machine: object,
  signal?: AbortSignal,
): Promise<number> {
  const ofRows = takesRows(findModel(model));
  const task = await loadTask({ ...options, ...machine, ofRows, signal } as unknown as TaskOptions);
  try {
    return task.split.train.length;
  } finally {
    await task.source.close?.();
  }
}
