/** Attention without softmax (Katharopoulos et al., Transformers are RNNs, ICML 2020), as Dinomaly's decoder has it. */
import { concrete } from '../../../core/shape.ts';
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import * as nn from '../../../nn/index.ts';

/**
 * φ(Q) (φ(K)ᵀ V) / (φ(Q) Σ φ(K)) with φ = elu + 1, in each of `heads` heads, between two dense layers: `[N, P, D]` to the same.
 * Its cost grows with P, and it cannot single out a place.
 */
export function linearAttention(net: nn.Scope, x: Value, heads: number, weightInit: nn.Initializer): Value {
  const [places, width] = concrete(x.shape.slice(1), 'Attention');
  const d = width / heads;
  const init = { weightInit, biasInit: nn.zerosInit };
  const [query, key, value] = g
    .split(nn.dense(net.at('qkv'), x, 3 * width, init), [width, width, width], 2)
    .map((part) => g.transpose(g.reshape(part, [x.shape[0], places, heads, d]), [0, 2, 1, 3])); // [N,heads,P,d]
  const positive = (v: Value): Value => g.add(nn.elu(v), 1);
  const [q, k] = [positive(query), positive(key)];
  const context = g.matMul(k, value, { transposeA: true }); // [N,heads,d,d]
  const sums = g.reduceSum(k, { axes: [2], keep: true }); // [N,heads,1,d]
  const weights = g.matMul(q, sums, { transposeB: true }); // [N,heads,P,1]
  const seen = g.transpose(g.div(g.matMul(q, context), weights), [0, 2, 1, 3]);
  return nn.dense(net.at('proj'), g.reshape(seen, x.shape), width, init);
}
