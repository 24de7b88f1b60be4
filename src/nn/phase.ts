/**
 * What a model says of its training, as data: phases, their steps, and for each step the loss, the parameter groups that
 * it updates, the optimiser and how often it repeats. `assemble` (training.ts) turns a phase into a program.
 */
import type { Value } from '../graph/value.ts';
import type { Optimizer } from './optimizers.ts';
import type { Schedule } from './schedules.ts';
import type { Draw, Scope } from './scope.ts';

/** What a loss is built from. */
export interface StepContext {
  /** A parameter group as a scope in training mode. */
  net(group: string): Scope;
  /** The images (or rows) of the batch. */
  readonly x: Value;
  /** Labels of the batch as float32 `[N]`, 1 = anomalous; for supervised steps only. */
  readonly labels: Value;
  /** Class of each item of the batch as float32 `[N, K]`, one 1 per row, over the K classes of the training items. */
  readonly classes: Value;
  /** The images of the batch, a share of them with a synthetic defect, and masks `[N, 1, H, W]`, 1 = defect. */
  readonly planted?: { readonly x: Value; readonly mask: Value };
  /** Fresh random numbers for this step. */
  draw(name: string, draw: Draw): Value;
}

/**
 * Values `[N, ...]` that must differ within a batch. Their standard deviation over the batch is a metric of the step,
 * and where it vanishes the training is said to have collapsed.
 */
export interface Watch {
  /** What a generator makes. */
  readonly generated?: Value;
  /** The training items as the networks see them, with which generated ones are compared. */
  readonly data?: Value;
  /** What an encoder gives. */
  readonly code?: Value;
  /** Means of codes that are drawn, whose prior has a deviation of 1: where they do not differ, codes say nothing of the item. */
  readonly posterior?: Value;
}

/** A loss, or a loss with scalars to show and values to watch. */
export type StepResult =
  | Value
  | { readonly loss: Value; readonly metrics?: Readonly<Record<string, Value>>; readonly watch?: Watch };

/** What a step says, whichever way it says it. */
export function partsOf(result: StepResult) {
  const { loss, metrics = {}, watch = {} }: Exclude<StepResult, Value> = 'loss' in result ? result : { loss: result };
  return { loss, metrics, watch };
}

/** One optimiser step of an iteration. */
export interface Step {
  readonly name: string;
  /** Groups whose parameters move. */
  readonly updates: readonly string[];
  readonly optimizer: Optimizer;
  /**
   * Name of an earlier step whose optimiser state this one goes on with, where one optimiser makes both. Adam adapts to
   * the size of gradients, so a weight on one of two losses counts only then.
   */
  readonly continues?: string;
  readonly schedule?: Schedule;
  /** How often the step runs per iteration, each time on a new batch and new draws; 1 by default. */
  readonly repeats?: number;
  /** Largest norm of the whole gradient. */
  readonly clipNorm?: number;
  /**
   * Running statistics move in the groups that the step updates only, as in TensorFlow code that gives each step the update
   * operations of its own network; by default in all that it runs in training mode, as in PyTorch.
   */
  readonly ownStatistics?: boolean;
  loss(context: StepContext): StepResult;
}

/** Share of the old average that an iteration keeps, [0, 1]. */
export type AverageDecay = (iteration: number) => number;

/**
 * A decay that grows to `decay` as (1 + t) / (10 + t), as TensorFlow's moving average does: the first weights, which know
 * nothing, are forgotten in any training of some dozens of steps.
 */
export const rampedAverage =
  (decay: number): AverageDecay =>
  (iteration) =>
    Math.min(decay, (1 + iteration) / (10 + iteration));

/** Steps that are iterated together. */
export interface Phase {
  readonly name: string;
  readonly steps: readonly Step[];
  /**
   * Keep an exponential moving average of these groups; it is what the trained model uses. The decay is a number, or
   * one per iteration (from 0) such as `rampedAverage`.
   */
  readonly average?: { readonly groups: readonly string[]; readonly decay: number | AverageDecay };
}
