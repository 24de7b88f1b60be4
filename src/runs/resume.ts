/** What a run takes over from an earlier start, or from another run, and whether it fits. Node only. */
import { DataError } from '../core/errors.ts';
import type { Listener } from '../core/events.ts';
import type { Tensors } from '../core/tensor.ts';
import { option, say } from '../core/text.ts';
import type { FitState, Former } from '../engine/fitting/contract.ts';
import type { TrainingPart } from '../engine/task/training-part.ts';
import { changedOption } from './check-options.ts';
import { type CheckpointOrigin, checkCheckpoint, readCheckpoint } from './checkpoint.ts';
import type { RunFolder, RunRecord } from './folder.ts';
import type { RunOptions } from './options.ts';

/** Refuses to update what was learnt from items that are no longer the first of the training part. */
export function checkFormer({ ids }: Former, { source, train }: TrainingPart): void {
  if (ids.every((id, k) => source.items[train[k]]?.id === id)) return;
  throw new DataError(
    'data-changed',
    say`A run must be updated on the data it was trained on, but ${source.name} has changed. Restore the data and name
      new images with ${option('add')}, or train again.`,
  );
}

/** Refuses to resume a run with other options than those of its first start, which its checkpoint does not know. */
export function checkEarlier(path: string, earlier: RunRecord, now: Readonly<Partial<RunOptions>>): void {
  const other = changedOption(earlier, now);
  if (!other) return;
  const shown = (value: unknown) =>
    value === undefined ? say`without ${option(other.option)}` : say`with ${option(other.option, value)}`;
  throw new DataError(
    'checkpoint-mismatch',
    say`${path} was started ${shown(other.before)}, but is resumed ${shown(other.now)}. Resume with the original options,
      or start again in another folder with ${option('out')}.`,
  );
}

/** The tensors of the backbone among those of a run. */
export const backboneOf = (tensors: Tensors): Tensors =>
  Object.fromEntries(Object.entries(tensors).filter(([name]) => name.startsWith('backbone.')));

/** The state of an earlier start, checked to be of this very run and to see through the same backbone. */
export async function stateToResume(
  folder: RunFolder,
  origin: CheckpointOrigin,
  pretrained: Tensors | undefined,
  onEvent: Listener,
): Promise<FitState | undefined> {
  const checkpoint = await readCheckpoint(folder.files.checkpoint);
  if (checkpoint) {
    checkCheckpoint(checkpoint, origin, folder.files.checkpoint);
    const lacking = Object.keys(pretrained ?? {}).find((name) => !(name in checkpoint.state.tensors));
    if (lacking)
      throw new DataError(
        'checkpoint-mismatch',
        say`${folder.files.checkpoint} was written with another network under the name of its backbone: it has no
          ${lacking}. Train again in another folder with ${option('out')}.`,
      );
    return checkpoint.state;
  }
  onEvent({ type: 'log', level: 'info', message: `${folder.path} has no checkpoint yet: training starts at step 0.` });
  return undefined;
}
