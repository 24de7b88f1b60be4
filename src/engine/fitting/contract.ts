/** What fitting is given and what it leaves. */
import type { Listener } from '../../core/events.ts';
import type { Rng } from '../../core/random.ts';
import type { Tensors } from '../../core/tensor.ts';
import type { AugmentOptions, Source } from '../../data/pure.ts';
import type { Program } from '../../graph/program.ts';
import type { AnyModel } from '../../models/index.ts';
import type { Device, ProfileRow, Runtime } from '../../runtime/index.ts';
import type { TextureReader } from './plant.ts';
import type { SharedFeatures } from './shared-features.ts';

/** Means over one epoch. */
export interface EpochRecord {
  readonly phase: string;
  /** From 1. */
  readonly epoch: number;
  /** Mean of the phase's first loss. */
  readonly trainingLoss: number;
  /** Means of everything that the phase watches, `step.loss` and others. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** Where fitting stands: enough to go on from. */
export interface FitState {
  /** Index of the phase; the number of phases when all are done. */
  readonly phase: number;
  /** Iterations made of this phase. */
  readonly iteration: number;
  /** Parameters, buffers, and while a phase runs its optimiser state and averages. */
  readonly tensors: Tensors;
  readonly history: readonly EpochRecord[];
  /** Sums of the metrics over the epoch so far. */
  readonly sums: readonly number[];
}

export interface FitOptions {
  readonly model: AnyModel;
  // biome-ignore lint/suspicious/noExplicitAny: each model types its own options.
  readonly config: any;
  readonly source: Source;
  /** Item numbers to learn from. */
  readonly train: Uint32Array;
  /** Normal items that are held out, for phases that read them; none unless given. */
  readonly heldOut?: Uint32Array;
  /** What happens to each image of a batch at random; nothing unless given. Gradient models only. */
  readonly augment?: AugmentOptions;
  /** For models that fill synthetic defects with the images of a folder. */
  readonly readTextures?: TextureReader;
  /** 1 = anomalous, in the order of `train`; all normal unless given. */
  readonly labels?: Uint8Array;
  readonly runtime: Runtime;
  readonly rng: Rng;
  readonly onEvent: Listener;
  readonly signal?: AbortSignal;
  readonly profile?: boolean;
  /** Tensors of the model's backbone as far as scoring needs them, as `backbone.` and their names. */
  readonly pretrained?: Tensors;
  /** The backbone's features of the items, where several passes share them. */
  readonly features?: SharedFeatures;
  /** Learnt from other items, to be brought up to date; models with `update` only. */
  readonly former?: Former;
  /** Where to go on. */
  readonly from?: FitState;
  /** Keeps a state; called at the end, now and then before it, and when the run is cancelled. */
  readonly save: (state: FitState) => Promise<void>;
  /** Sees each program before it is compiled. */
  readonly inspect?: (program: Program, device: Device) => Promise<void>;
}

/** What a model has learnt before its training items changed. */
export interface Former {
  readonly tensors: Tensors;
  /** Numbers of the former training items that stay, in order; those of the new ones begin with them. */
  readonly kept: Uint32Array;
  /** Their ids. */
  readonly ids: readonly string[];
}

export interface FitResult {
  readonly tensors: Tensors;
  readonly history: readonly EpochRecord[];
  readonly stepsPerSecond: number | null;
  readonly profile?: readonly ProfileRow[];
}
