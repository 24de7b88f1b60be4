/** Multi-head self-attention (Vaswani et al. 2017, section 3.2) over sequences and image maps; no residual, no norm. */
import { ConfigError } from '../core/errors.ts';
import { concrete } from '../core/shape.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import { glorotUniform, zerosInit } from './initializers.ts';
import { dense } from './layers.ts';
import type { Scope } from './scope.ts';

export interface AttentionOptions {
  /** Must divide the width D (or the channels C); 1 by default. */
  heads?: number;
}

/**
 * Every place looks at every other: `[N, L, D] → [N, L, D]`, or `[N, C, H, W] → [N, C, H, W]` with pixels as places.
 * Initialised as PyTorch's MultiheadAttention. Memory grows with heads · L².
 */
export function selfAttention(scope: Scope, x: Value, options: AttentionOptions = {}): Value {
  if (x.shape.length === 4) {
    const [channels, height, width] = concrete(x.shape.slice(1), 'Attention');
    const places = g.transpose(g.reshape(x, [x.shape[0], channels, height * width]), [0, 2, 1]);
    return g.reshape(g.transpose(selfAttention(scope, places, options), [0, 2, 1]), x.shape);
  }
  const { heads = 1 } = options;
  const [length, width] = concrete(x.shape.slice(1), 'Attention');
  if (width % heads !== 0) {
    throw new ConfigError('attention-heads', `attention: heads must divide the width ${width}, got ${heads}.`);
  }
  const each = width / heads;
  const three = dense(scope.at('in'), x, 3 * width, { weightInit: glorotUniform, biasInit: zerosInit });
  const [query, key, value] = g
    .split(three, [width, width, width], 2)
    .map((part) => g.transpose(g.reshape(part, [x.shape[0], length, heads, each]), [0, 2, 1, 3])); // [N, heads, L, d]
  // softmax(Q·Kᵀ / √d) · V, equation 1
  const weights = g.softmax(g.mul(g.matMul(query, key, { transposeB: true }), 1 / Math.sqrt(each)), -1);
  const seen = g.transpose(g.matMul(weights, value), [0, 2, 1, 3]); // [N, L, heads, d]
  return dense(scope.at('out'), g.reshape(seen, x.shape), width, { biasInit: zerosInit });
}
