/**
 * Optimisers as records `{init, update}` over one flat vector of parameters. State is named vectors; everything is a
 * graph, so an update costs a few nodes however many tensors a network has.
 */

import { constant } from '../graph/leaf.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';

/** One state vector: as long as the parameters, or a scalar, filled with a value at the start. */
export interface StateSpec {
  readonly perParameter: boolean;
  readonly initial: number;
}

export interface Update {
  readonly parameters: Value;
  readonly state: Readonly<Record<string, Value>>;
}

export interface Optimizer {
  readonly name: string;
  /** The rate at the first step; a schedule scales it. */
  readonly learningRate: number;
  readonly init: Readonly<Record<string, StateSpec>>;
  /**
   * One step on flat vectors `[P]`; `learningRate` is a scalar input of the step, `sizes` are the numbers of the tensors
   * that lie in the vector.
   */
  update(
    parameters: Value,
    gradient: Value,
    state: Readonly<Record<string, Value>>,
    learningRate: Value,
    sizes: readonly number[],
  ): Update;
}

const vector: StateSpec = { perParameter: true, initial: 0 };
const counter: StateSpec = { perParameter: false, initial: 0 };

/** `decay · average + (1 − decay) · value` */
const mix = (average: Value, value: Value, decay: number) => g.add(g.mul(average, decay), g.mul(value, 1 - decay));

export interface AdamOptions {
  learningRate: number;
  beta1?: number;
  beta2?: number;
  eps?: number;
  /** L2 penalty added to the gradient (Adam) or decay applied to the weights (AdamW). */
  weightDecay?: number;
}

/**
 * Adam (Kingma & Ba 2015, algorithm 1): θ ← θ − lr · m̂ / (√v̂ + ε), with the bias corrections of section 2 folded into
 * the rate. `decoupled` is AdamW (Loshchilov & Hutter 2019).
 */
function adamRecord(options: AdamOptions, decoupled: boolean): Optimizer {
  const { learningRate, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weightDecay = 0 } = options;
  return {
    name: decoupled ? 'adamw' : 'adam',
    learningRate,
    init: { m: vector, v: vector, t: counter },
    update(parameters, gradient, state, rate): Update {
      const penalized = weightDecay > 0 && !decoupled ? g.add(gradient, g.mul(parameters, weightDecay)) : gradient;
      const t = g.add(state.t, 1);
      const m = mix(state.m, penalized, beta1);
      const v = mix(state.v, g.square(penalized), beta2);
      // m̂ / (√v̂ + ε) = m / (√v · c + ε·b) with b = 1 − β1^t, c = b / √(1 − β2^t)
      const b = g.sub(1, g.pow(constant(beta1), t));
      const c = g.div(b, g.sqrt(g.sub(1, g.pow(constant(beta2), t))));
      const move = g.div(g.mul(m, rate), g.add(g.mul(g.sqrt(v), c), g.mul(b, eps)));
      const base = weightDecay > 0 && decoupled ? g.mul(parameters, g.sub(1, g.mul(rate, weightDecay))) : parameters;
      return { parameters: g.sub(base, move), state: { m, v, t } };
    },
  };
}

/** Adam; `weightDecay` is an L2 penalty, as in PyTorch's Adam. */
export function adam(options: AdamOptions): Optimizer {
  return adamRecord(options, false);
}

/** Adam with decoupled weight decay. */
export function adamW(options: AdamOptions): Optimizer {
  return adamRecord({ weightDecay: 0.01, ...options }, true);
}

/**
 * StableAdamW (Wortsman et al., Stable and low-precision training for large-scale vision-language models, 2023, algorithm 2)
 * as Dinomaly uses it: AdamW whose step for a tensor is divided by the root mean square of gradient / (√v̂ + ε) where that is
 * above 1. √v̂ is the largest so far (AMSGrad; Reddi et al. 2018).
 */
export function stableAdamW(options: AdamOptions): Optimizer {
  const { learningRate, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weightDecay = 0.01 } = options;
  return {
    name: 'stable-adamw',
    learningRate,
    init: { m: vector, v: vector, largest: vector, t: counter },
    update(parameters, gradient, state, rate, sizes): Update {
      const t = g.add(state.t, 1);
      const m = mix(state.m, gradient, beta1);
      const v = mix(state.v, g.square(gradient), beta2);
      const largest = g.maximum(state.largest, v);
      const root = g.sqrt(g.sub(1, g.pow(constant(beta2), t)));
      const denominator = g.add(g.div(g.sqrt(largest), root), eps);
      const ratios = g.split(g.square(g.div(gradient, denominator)), sizes);
      const factors = ratios.map((r, i) =>
        g.broadcastTo(g.reshape(g.maximum(g.sqrt(g.reduceMean(r)), 1), [1]), [sizes[i]]),
      );
      const factor = factors.length === 1 ? factors[0] : g.concat(factors, 0);
      const first = g.div(rate, g.sub(1, g.pow(constant(beta1), t)));
      const move = g.div(g.mul(m, first), g.mul(denominator, factor));
      const base = weightDecay > 0 ? g.mul(parameters, g.sub(1, g.mul(rate, weightDecay))) : parameters;
      return { parameters: g.sub(base, move), state: { m, v, largest, t } };
    },
  };
}

/** Gradient descent with momentum: velocity ← momentum · velocity + gradient; θ ← θ − lr · velocity. */
export function sgd(options: { learningRate: number; momentum?: number; weightDecay?: number }): Optimizer {
  const { learningRate, momentum = 0, weightDecay = 0 } = options;
  return {
    name: 'sgd',
    learningRate,
    init: momentum > 0 ? { velocity: vector } : {},
    update(parameters, gradient, state, rate): Update {
      const penalized = weightDecay > 0 ? g.add(gradient, g.mul(parameters, weightDecay)) : gradient;
      if (momentum === 0) return { parameters: g.sub(parameters, g.mul(penalized, rate)), state: {} };
      const velocity = g.add(g.mul(state.velocity, momentum), penalized);
      return { parameters: g.sub(parameters, g.mul(velocity, rate)), state: { velocity } };
    },
  };
}

/**
 * RMSProp (Tieleman & Hinton 2012): θ ← θ − lr · gradient / (√v + ε), v the decayed mean of squared gradients. It starts at
 * `initial`: 0 as in PyTorch, 1 as in TensorFlow, which makes the first steps small.
 */
export function rmsProp(options: { learningRate: number; decay?: number; eps?: number; initial?: number }): Optimizer {
  const { learningRate, decay = 0.99, eps = 1e-8, initial = 0 } = options;
  return {
    name: 'rmsprop',
    learningRate,
    init: { v: { ...vector, initial } },
    update(parameters, gradient, state, rate): Update {
      const v = mix(state.v, g.square(gradient), decay);
      return { parameters: g.sub(parameters, g.div(g.mul(gradient, rate), g.add(g.sqrt(v), eps))), state: { v } };
    },
  };
}

/** Euclidean norm of all gradients together, a scalar. */
export function gradientNorm(gradients: readonly Value[]): Value {
  return g.sqrt(gradients.map((gradient) => g.reduceSum(g.square(gradient))).reduce((a, b) => g.add(a, b)));
}

/** Scales gradients so that their common norm, which `norm` is, is at most `limit`. */
export function clipByNorm(gradients: readonly Value[], limit: number, norm = gradientNorm(gradients)): Value[] {
  const factor = g.minimum(g.div(limit, g.add(norm, 1e-6)), 1);
  return gradients.map((gradient) => g.mul(gradient, factor));
}
