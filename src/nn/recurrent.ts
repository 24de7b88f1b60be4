/**
 * LSTM and GRU, unrolled: a graph of L steps over `[N, L, D]`. Equations, gate order and initialisation are PyTorch's;
 * the weights of all gates lie beside each other in two dense layers, `input` and `hidden`.
 */
import { concrete } from '../core/shape.ts';
import { constant } from '../graph/leaf.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import { uniformInit } from './initializers.ts';
import { dense } from './layers.ts';
import type { Scope } from './scope.ts';

export interface RecurrentOptions {
  units: number;
  /** The state before the first step, `[N, units]`; zeros by default. */
  hidden?: Value;
}

export interface Recurrent {
  /** The hidden state after each step, `[N, L, units]`. */
  states: Value;
  /** The hidden state after the last step, `[N, units]`. */
  last: Value;
}

/** Runs `step` over axis 1. It gets the input's and the state's share of the gates, `[N, gates · units]` each. */
function unroll(
  scope: Scope,
  x: Value,
  gates: number,
  { units, hidden }: RecurrentOptions,
  step: (fromInput: Value, fromHidden: Value, hidden: Value) => Value,
): Recurrent {
  const [length] = concrete([x.shape[1]], 'A recurrent layer');
  const bound = uniformInit(-1 / Math.sqrt(units), 1 / Math.sqrt(units));
  const init = { weightInit: bound, biasInit: bound };
  const width = gates * units;
  const inputs = g.split(dense(scope.at('input'), x, width, init), new Array<number>(length).fill(1), 1);
  let last = hidden ?? zeroState(x, units);
  const states = inputs.map((slice) => {
    const fromInput = g.reshape(slice, [x.shape[0], width]);
    last = step(fromInput, dense(scope.at('hidden'), last, width, init), last);
    return g.unsqueeze(last, 1);
  });
  return { states: g.concat(states, 1), last };
}

const zeroState = (x: Value, units: number) => g.broadcastTo(constant(0), [x.shape[0], units]);
const equalParts = (x: Value, parts: number, units: number) => g.split(x, new Array<number>(parts).fill(units), 1);

/**
 * Long short-term memory (Hochreiter & Schmidhuber 1997, with forget gates). With a = W·x + b + U·h + b′ cut into i, f, g, o:
 * c ← σ(f)·c + σ(i)·tanh(g), h ← σ(o)·tanh(c).
 */
export function lstm(
  scope: Scope,
  x: Value,
  options: RecurrentOptions & { cell?: Value },
): Recurrent & { cell: Value } {
  let cell = options.cell ?? zeroState(x, options.units);
  const result = unroll(scope, x, 4, options, (fromInput, fromHidden) => {
    const [i, f, candidate, o] = equalParts(g.add(fromInput, fromHidden), 4, options.units);
    cell = g.add(g.mul(g.sigmoid(f), cell), g.mul(g.sigmoid(i), g.tanh(candidate)));
    return g.mul(g.sigmoid(o), g.tanh(cell));
  });
  return { ...result, cell };
}

/**
 * Gated recurrent unit (Cho et al. 2014). With W·x + b and U·h + b′ each cut into r, z, n:
 * n = tanh(xₙ + σ(xᵣ + hᵣ)·hₙ), h ← (1 − z)·n + z·h, z = σ(x_z + h_z).
 */
export function gru(scope: Scope, x: Value, options: RecurrentOptions): Recurrent {
  return unroll(scope, x, 3, options, (fromInput, fromHidden, hidden) => {
    const [xr, xz, xn] = equalParts(fromInput, 3, options.units);
    const [hr, hz, hn] = equalParts(fromHidden, 3, options.units);
    const candidate = g.tanh(g.add(xn, g.mul(g.sigmoid(g.add(xr, hr)), hn)));
    const keep = g.sigmoid(g.add(xz, hz));
    return g.add(g.mul(g.sub(1, keep), candidate), g.mul(keep, hidden));
  });
}
