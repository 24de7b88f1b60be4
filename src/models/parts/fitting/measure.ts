/** What models measure on their training items between phases: passes that train nothing, and quantiles. */
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import * as nn from '../../../nn/index.ts';
import type { TrainingPhase } from '../../define.ts';
import { countOf } from '../shapes.ts';
import { phase } from './phase.ts';

/** One pass that moves buffers only: of `mostPerEpoch` batches at most where it is given, of the held-out normals where `of` says so. */
export const pass = (
  name: string,
  batchSize: number,
  loss: nn.Step['loss'],
  read: Pick<TrainingPhase, 'mostPerEpoch' | 'of'> = {},
): TrainingPhase =>
  phase({
    ...{ name, epochs: 1, batchSize, ...read },
    steps: [{ name, updates: [], optimizer: nn.sgd({ learningRate: 0 }), loss }],
  });

/** The (1 − ν)-quantile of `[N]` numbers, between the two nearest as numpy takes it. */
export function upperQuantile(values: Value, nu: number): Value {
  const n = countOf(values);
  const place = nu * (n - 1); // from the largest
  const below = Math.floor(place);
  const { values: largest } = g.topK(values, Math.min(n, below + 2));
  const at = (i: number) => g.pick(largest, 0, Math.min(i, n - 1));
  return g.add(g.mul(at(below), 1 - (place - below)), g.mul(at(below + 1), place - below));
}
