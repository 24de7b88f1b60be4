/** Brings the detector of a run up to date when its normal images change, without learning it anew. */
import { nameByTensors } from '../backbones/index.ts';
import { ConfigError } from '../core/errors.ts';
import type { Listener } from '../core/events.ts';
import { option, say } from '../core/text.ts';
import type { RunReport } from '../engine/judging/report-types.ts';
import type { Metric } from '../metrics/index.ts';
import { findModel, models } from '../models/index.ts';
import type { Device } from '../runtime/index.ts';
import { readArtifact } from './artifact.ts';
import { readCheckpoint } from './checkpoint.ts';
import { readFinishedRun, runFiles } from './folder.ts';
import { trainFrom } from './train.ts';

/** Options of `update`. */
export interface UpdateOptions {
  /** The folder of a finished run. It stays as it is. */
  run: string;
  /** Paths of files of normal images that join the training part. */
  add?: readonly string[];
  /** Ids of training images that leave it, as reports name them: paths from the folder of the data, or of added files. */
  remove?: readonly string[];
  /** The folder of the new run. */
  out: string;
  device?: Device | 'auto';
  /** Where data sets lie, when they have moved since. */
  dataRoot?: string;
  /** The folder or CSV file that the run was trained on, when it has moved since. */
  data?: string;
  /** Replace the run in `out`. */
  overwrite?: boolean;
  /** Your own metrics, beside the others. */
  metrics?: readonly Metric[];
  onEvent?: Listener;
  signal?: AbortSignal;
}

/**
 * Makes a run of its own from another one, with other normal images: thresholds come from the same held-out normals and
 * metrics from the same test part, scored anew. The report is that of `train`. Throws ConfigError `no-update` for a
 * model that cannot, `no-changes`, `update-tiles`; DataError `data-changed` when the data or the split is no longer that of the run, and as
 * `changeTraining` and `train`.
 * @example await update({ run: 'runs/first', add: ['new/1.png'], remove: ['train/good/7.png'], out: 'runs/second' });
 */
export async function update(options: UpdateOptions): Promise<RunReport> {
  const { run, add = [], remove = [], out, device, dataRoot, data, overwrite, metrics, onEvent, signal } = options;
  const { format, status, startedAt, endedAt, error, dataHash, splitHash, versions, sha256, ...stored } =
    await readFinishedRun(run);
  const { table, measuredRange, ...record } = stored;
  const model = findModel(record.model);
  if (model.learns !== 'statistics' || !model.update) {
    const able = models.filter((m) => m.learns === 'statistics' && m.update).map((m) => m.name);
    throw new ConfigError(
      'no-update',
      `${run} is a ${model.name} run, which must be trained again when its images change. Models that can be updated: ` +
        `${able.join(', ')}.`,
    );
  }
  if (record.tiles) {
    throw new ConfigError('update-tiles', `${run} was trained on tiles, which cannot be updated. Train again.`);
  }
  if (add.length + remove.length === 0) {
    throw new ConfigError(
      'no-changes',
      say`An update must add or remove images. Specify ${option('add')} or ${option('remove')}.`,
    );
  }
  const [checkpoint, { info }] = [await readCheckpoint(runFiles(run).checkpoint), await readArtifact(run)];
  if (!checkpoint || !info.trainingItems) {
    throw new ConfigError('no-update', `${run} lacks its checkpoint or the names of its images. Train again.`);
  }
  const named = (record.config as { backbone?: string }).backbone;
  const backbone = named && nameByTensors(named, checkpoint.state.tensors);
  const leaving = new Set(remove);
  const added = (record.changes?.added ?? []).filter((path) => !leaving.delete(path));
  const kept = Uint32Array.from(info.trainingItems.keys()).filter((k) => !remove.includes(info.trainingItems![k]));
  return trainFrom(
    {
      ...record,
      model,
      config: { ...record.config, ...(backbone && { backbone }) },
      size: record.size,
      valueRange: measuredRange, // the patches that stay were seen by it
      device: device ?? record.device,
      dataRoot: dataRoot ?? record.dataRoot,
      data: data ?? record.data,
      changes: { added: [...added, ...add], removed: [...(record.changes?.removed ?? []), ...leaving] },
      ...{ out, overwrite, metrics, onEvent, signal },
    },
    { tensors: checkpoint.state.tensors, kept, ids: Array.from(kept, (k) => info.trainingItems![k]) },
  );
}
