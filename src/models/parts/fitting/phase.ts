/** A phase of gradient training, flat, so that a model names its losses above and its steps here. */
import type * as nn from '../../../nn/index.ts';
import type { TrainingPhase } from '../../define.ts';

/** Steps with their length. The name is in the run's history and in checkpoints; `fit` where there is one phase. */
export function phase({
  name = 'fit',
  steps,
  average,
  ...length
}: Omit<TrainingPhase, 'phase'> & Omit<nn.Phase, 'name'> & { readonly name?: string }): TrainingPhase {
  return { ...length, phase: { name, steps, average } };
}
