/** Activations that are short formulas over operators, beside those that are operators themselves. */
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';

export { leakyRelu, relu, sigmoid, silu, softplus, tanh } from '../graph/ops/elementwise.ts';

/** x · Φ(x) with the normal distribution's Φ(x) = ½ (1 + erf(x / √2)), exact (Hendrycks & Gimpel 2016). */
export const gelu = (x: Value): Value => g.mul(g.mul(x, 0.5), g.add(g.erf(g.mul(x, Math.SQRT1_2)), 1));

/** `x` where positive, else α (e^x − 1) (Clevert et al. 2016). */
export const elu = (x: Value, alpha = 1): Value => g.add(g.relu(x), g.mul(g.sub(g.exp(g.minimum(x, 0)), 1), alpha));

/** σ in three straight pieces: clip(x / 6 + ½, 0, 1), as in PyTorch. */
export const hardSigmoid = (x: Value): Value => g.clip(g.add(g.mul(x, 1 / 6), 0.5), 0, 1);

/** x · hardSigmoid(x) (Howard et al. 2019). */
export const hardSwish = (x: Value): Value => g.mul(x, hardSigmoid(x));
