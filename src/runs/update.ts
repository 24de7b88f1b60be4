/** Brings the detector of a run up to date when its normal images change, without learning it anew. */
import { nameByTensors } from '../backbones/index.ts';
import { ConfigError } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import { action, option, say } from '../core/text.ts';
import type { RunReport } from '../engine/judging/report-types.ts';
import type { ArtifactInfo } from '../engine/scoring/artifact.ts';
import type { Metric } from '../metrics/index.ts';
import { findModel, models } from '../models/index.ts';
import type { Device } from '../runtime/index.ts';
import { readArtifact } from './artifact.ts';
import { readCheckpoint } from './checkpoint.ts';
import { carryFeedback } from './feedback-file.ts';
import { learnable } from './feedback-learning.ts';
import { type RunRecord, readFinishedRun, runFiles } from './folder.ts';
import { trainFrom } from './train.ts';

/** Options of `update`. */
export interface UpdateOptions {
  /** The folder of a finished run. It stays as it is. */
  run: string;
  /** Paths of files of normal images that join the training part. */
  add?: readonly string[];
  /** Ids of training images that leave it, as reports name them: paths from the folder of the data, or of added files. */
  remove?: readonly string[];
  /**
   * Learn from what people said (`feedback`): images that they called normal join the training part; those that they called anomalous
   * never do, and leave it where they are in it. What was done is told; default false.
   */
  feedback?: boolean;
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
 * metrics from the same test part, scored anew; what people said goes along. The report is that of `train`. Throws ConfigError `no-update` for a
 * model that cannot, `no-changes`, `update-tiles`; DataError `data-changed` when the data or the split is no longer that of the run, and as
 * `changeTraining` and `train`.
 * @example await update({ run: 'runs/first', add: ['new/1.png'], remove: ['train/good/7.png'], out: 'runs/second' });
 */
export async function update(options: UpdateOptions): Promise<RunReport> {
  const { run, out, device, dataRoot, data, overwrite, metrics, onEvent, signal } = options;
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
  const [checkpoint, { info }] = [await readCheckpoint(runFiles(run).checkpoint), await readArtifact(run)];
  const { add, remove } = await changesOf(options, stored, info);
  if (add.length + remove.length === 0) throw nothingToDo(options);
  if (!checkpoint || !info.trainingItems) {
    throw new ConfigError('no-update', `${run} lacks its checkpoint or the names of its images. Train again.`);
  }
  const named = (record.config as { backbone?: string }).backbone;
  const backbone = named && nameByTensors(named, checkpoint.state.tensors);
  const leaving = new Set(remove);
  const added = (record.changes?.added ?? []).filter((path) => !leaving.delete(path));
  const kept = Uint32Array.from(info.trainingItems.keys()).filter((k) => !remove.includes(info.trainingItems![k]));
  const report = await trainFrom(
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
  await carryFeedback(run, out);
  return report;
}

/** What joins the training part and what leaves it, with what people said where that is wanted. */
async function changesOf(
  { run, add = [], remove = [], feedback, onEvent = silent }: UpdateOptions,
  record: Pick<RunRecord, 'data' | 'changes'>,
  info: ArtifactInfo,
): Promise<{ add: readonly string[]; remove: readonly string[] }> {
  if (!feedback) return { add, remove };
  const learnt = await learnable(run, {
    add,
    changes: record.changes,
    data: record.data,
    trained: info.trainingItems ?? [],
  });
  onEvent({ type: 'log', level: 'info', message: learnt.message });
  return { add: learnt.add, remove: [...new Set([...remove, ...learnt.remove])] };
}

const nothingToDo = ({ run, feedback }: UpdateOptions) =>
  new ConfigError(
    'no-changes',
    feedback
      ? say`The feedback on ${run} adds no image and takes none out. Say what new ones are with ${action('feedback')}, or
          specify ${option('add')} or ${option('remove')}.`
      : say`An update must add or remove images. Specify ${option('add')} or ${option('remove')}.`,
  );
