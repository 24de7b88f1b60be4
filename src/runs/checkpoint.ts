/**
 * Checkpoints: everything that training needs to go on exactly where it stopped, as a safetensors file. Parameters and
 * buffers have their ordinary names, optimiser state begins with `state/`, averages with `ema.`.
 */
import * as z from 'zod';
import { DataError } from '../core/errors.ts';
import { parseStored } from '../core/stored.ts';
import type { Tensors } from '../core/tensor.ts';
import { type Inside, option, say } from '../core/text.ts';
import { readSafetensors, writeSafetensors } from '../data/index.ts';
import type { EpochRecord, FitState } from '../engine/fitting/contract.ts';
import { keptConfig } from '../engine/task/config.ts';
import type { AnyModel, ItemShape } from '../models/index.ts';
import { readIfThere, writeAtomic } from './files.ts';

const format = 'oddity-checkpoint-1';

/** What a checkpoint is of. */
export interface CheckpointOrigin {
  readonly model: AnyModel;
  // biome-ignore lint/suspicious/noExplicitAny: each model types its own options.
  readonly config: any;
  readonly shape: ItemShape;
  readonly seed: number;
  readonly dataHash: string;
  readonly splitHash: string;
}

/** Replaces the checkpoint at `path`; when that fails, the previous one is intact. */
export async function writeCheckpoint(path: string, origin: CheckpointOrigin, state: FitState): Promise<void> {
  const { phase, iteration, history, sums, tensors } = state;
  const bytes = writeSafetensors(tensors, {
    format,
    model: origin.model.name,
    config: JSON.stringify(origin.config),
    shape: JSON.stringify(origin.shape),
    seed: String(origin.seed),
    data: origin.dataHash,
    split: origin.splitHash,
    phase: String(phase),
    iteration: String(iteration),
    history: JSON.stringify(history),
    sums: JSON.stringify(sums),
  });
  await writeAtomic(path, bytes);
}

/** A checkpoint's network and state. */
export interface Checkpoint {
  readonly model: string;
  readonly config: Record<string, unknown>;
  readonly shape: ItemShape;
  readonly seed: number;
  readonly data: string;
  readonly split: string;
  readonly state: FitState;
}

/** Reads a checkpoint, or undefined when there is none. DataError `checkpoint-corrupt` when it is not one of ours. */
export async function readCheckpoint(path: string): Promise<Checkpoint | undefined> {
  const bytes = await readIfThere(path);
  if (!bytes) return undefined;
  const { tensors, metadata } = readSafetensors(bytes, path);
  if (metadata.format !== format) {
    throw new DataError(
      'checkpoint-corrupt',
      `${path} must be a checkpoint written by oddity (${format}), found ${metadata.format ?? 'no format'} in it. ` +
        'Name the folder of a run.',
    );
  }
  const refuse = (what: string) => new DataError('checkpoint-corrupt', `${path} is damaged: ${what}. Train again.`);
  const read = (key: string): unknown => {
    try {
      return JSON.parse(metadata[key]);
    } catch {
      throw refuse(`its "${key}" cannot be read`);
    }
  };
  const keys = ['config', 'shape', 'seed', 'phase', 'iteration', 'history', 'sums'];
  const stored = Object.fromEntries(keys.map((key) => [key, read(key)]));
  const { model, data, split } = metadata;
  const { phase, iteration, history, sums, ...facts } = parseStored(
    metadataSchema,
    { ...stored, model, data, split },
    refuse,
  );
  return {
    ...facts,
    state: { phase, iteration, history: history as EpochRecord[], sums, tensors: tensors as Tensors },
  };
}

/** The metadata of a checkpoint, with JSON read. */
const metadataSchema = z.object({
  model: z.string(),
  config: z.record(z.string(), z.unknown()),
  shape: z.array(z.int().min(1)).min(1).max(4),
  seed: z.int(),
  data: z.string(),
  split: z.string(),
  phase: z.int().min(0),
  iteration: z.int().min(0),
  history: z.array(
    z.looseObject({
      phase: z.string(),
      epoch: z.number(),
      trainingLoss: z.number().nullable(),
      metrics: z.record(z.string(), z.number().nullable()),
    }),
  ),
  sums: z.array(z.number()),
});

/** Throws DataError `checkpoint-mismatch` unless the checkpoint is of this model, configuration, data and seed. */
export function checkCheckpoint(checkpoint: Checkpoint, origin: CheckpointOrigin, path: string): void {
  const compare = (found: unknown, wanted: unknown, name: (value: unknown) => Inside) => {
    if (JSON.stringify(found) === JSON.stringify(wanted)) return;
    throw new DataError(
      'checkpoint-mismatch',
      say`${path} was written with ${name(found)}, but this run has ${name(wanted)}. Resume with the original options, or
        start again in another folder with ${option('out')}.`,
    );
  };
  const named = (what: string) => (value: unknown) => `the ${what} ${JSON.stringify(value)}`;
  compare(checkpoint.model, origin.model.name, named('model'));
  compare(checkpoint.shape, origin.shape, named('item shape'));
  compare(checkpoint.seed, origin.seed, named('seed'));
  const [found, wanted] = [keptConfig(origin.model, checkpoint.config), origin.config];
  for (const key of Object.keys(wanted)) compare(found[key], wanted[key], (value) => option(['config', key], value));
  compare(checkpoint.data, origin.dataHash, named('data'));
  compare(checkpoint.split, origin.splitHash, named('split'));
}
