/** The gradient penalty of WGAN-GP (Gulrajani et al. 2017, arXiv 1704.00028, equation 3). */
import { gradients } from '../../graph/grad.ts';
import * as g from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';

/**
 * mean (‖∇D(x̃)‖₂ − 1)² at x̃ = x + u · (made − x): a slope of one where real and made images meet. `critic` gives one
 * value per item, independent of the other items (no batch norm); `mix` is u, uniform in [0, 1), `[N, 1, ...]`.
 */
export function gradientPenalty(critic: (x: Value) => Value, real: Value, made: Value, mix: Value): Value {
  const between = g.add(real, g.mul(mix, g.sub(made, real)));
  const [slope] = gradients(g.reduceSum(critic(between)), [between]);
  const axes = slope.shape.slice(1).map((_, i) => i + 1);
  const norm = g.sqrt(g.add(g.reduceSum(g.square(slope), { axes }), 1e-12)); // [N]
  return g.reduceMean(g.square(g.sub(norm, 1)));
}
