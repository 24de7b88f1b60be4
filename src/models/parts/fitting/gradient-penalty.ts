/** The gradient penalty of WGAN-GP (Gulrajani et al. 2017, arXiv 1704.00028, equation 3). */
import { gradients } from '../../../graph/grad.ts';
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import { poolMap } from '../maps/pool-map.ts';

/**
 * mean (‖∇D(x̃)‖₂ − 1)² at x̃ = x + u · (generated − x): a gradient of length one between real and generated items. `critic` gives one
 * value per item, independent of the other items (no batch norm); `mix` is u, uniform in [0, 1), `[N, 1, ...]`.
 */
export function gradientPenalty(critic: (x: Value) => Value, real: Value, generated: Value, mix: Value): Value {
  const between = g.add(real, g.mul(mix, g.sub(generated, real)));
  const [gradient] = gradients(g.reduceSum(critic(between)), [between]);
  const norm = g.sqrt(g.add(poolMap('sum', g.square(gradient)), 1e-12)); // [N]
  return g.reduceMean(g.square(g.sub(norm, 1)));
}
