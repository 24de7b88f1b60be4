/** The network of PaAno: convolutions over time whose mean is the embedding of a patch, and a projection for training. */
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import * as nn from '../../../nn/index.ts';

/** Size of kernels, and channels as multiples of the width. */
const LAYERS = [
  { kernel: 7, factor: 1 },
  { kernel: 5, factor: 2 },
  { kernel: 3, factor: 1 },
  { kernel: 3, factor: 0.5 },
] as const;
/** Values of the projection. */
const PROJECTION = 256;

/** Embeddings `[N, ⌈width / 2⌉]` of patches `[N, P, D]`, each channel of each patch in its own units. */
export function embed(width: number, scope: nn.Scope, patches: Value): Value {
  const centred = g.sub(patches, g.reduceMean(patches, { axes: [1], keep: true }));
  const variance = g.reduceMean(g.square(centred), { axes: [1], keep: true });
  let y = g.transpose(g.div(centred, g.sqrt(g.add(variance, 1e-5))), [0, 2, 1]); // [N,D,P]
  for (const [i, { kernel, factor }] of LAYERS.entries()) {
    const filters = Math.ceil(width * factor);
    const at = scope.at(`conv${i + 1}`);
    y = nn.conv(at, y, { filters, kernel, padding: (kernel - 1) / 2, bias: false });
    y = g.relu(nn.batchNorm(scope.at(`norm${i + 1}`), y));
  }
  return g.reduceMean(y, { axes: [2] });
}

/** Rows of length 1; zeros where a row is zero. */
export const unitLength = (rows: Value): Value =>
  g.div(rows, g.sqrt(g.add(g.reduceSum(g.square(rows), { axes: [-1], keep: true }), 1e-12)));

/** Projections `[N, 256]` of length 1 of embeddings. */
export const project = (scope: nn.Scope, embeddings: Value): Value =>
  unitLength(nn.dense(scope.at('out'), g.relu(nn.dense(scope.at('hidden'), embeddings, PROJECTION)), PROJECTION));
