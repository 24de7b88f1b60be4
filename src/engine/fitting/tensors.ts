/** Learnt tensors: as training keeps them, as scoring wants them, and whether they are finite. */
import { TrainingDiverged } from '../../core/errors.ts';
import type { Tensors } from '../../core/tensor.ts';
import type { AssembledPhase } from '../../nn/training.ts';

/** The tensors that a finished phase leaves: averages take the place of what they average, optimiser state goes. */
export function settle(tensors: Tensors, assembled: AssembledPhase): Tensors {
  const averaged = new Set(assembled.phase.average ? Object.keys(tensors).filter((n) => n.startsWith('ema.')) : []);
  return Object.fromEntries(
    Object.entries(tensors)
      .filter(([name]) => !name.startsWith('state/') && !averaged.has(name))
      .map(([name, t]) => [name, averaged.has(`ema.${name}`) ? tensors[`ema.${name}`] : t]),
  );
}

/** Parameters as a scoring graph wants them, also from the middle of a phase. */
export function trainedTensors(tensors: Tensors): Tensors {
  return Object.fromEntries(
    Object.entries(tensors)
      .filter(([name]) => !name.startsWith('state/') && !name.startsWith('ema.'))
      .map(([name, t]) => [name, tensors[`ema.${name}`] ?? t]),
  );
}

export function nonFinite(tensors: Tensors): { name: string; value: number } | undefined {
  for (const [name, { dtype, data }] of Object.entries(tensors)) {
    if (dtype !== 'float32' && dtype !== 'float64') continue;
    const values = data as Float32Array;
    for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return { name, value: values[i] };
  }
  return undefined;
}

export function requireFinite(tensors: Tensors, what: string): void {
  const bad = nonFinite(tensors);
  if (bad)
    throw new TrainingDiverged(`${what} must be finite, found ${bad.value} in ${bad.name}. Check the training images.`);
}
