/** What a run takes over from an earlier start, or from another run, and whether it fits. Node only. */
import { DataError } from '../core/errors.ts';
import type { Listener } from '../core/events.ts';
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

/** The state of an earlier start, checked to be of this very run. */
export async function stateToResume(
  folder: RunFolder,
  origin: CheckpointOrigin,
  onEvent: Listener,
): Promise<FitState | undefined> {
  const checkpoint = await readCheckpoint(folder.files.checkpoint);
  if (checkpoint) {
    checkCheckpoint(checkpoint, origin, folder.files.checkpoint);
    return checkpoint.state;
  }
  onEvent({ type: 'log', level: 'info', message: `${folder.path} has no checkpoint yet: training starts at step 0.` });
  return undefined;
}
