/**
 * Networks and losses of USAD: an encoder with two decoders. With W₁ = D₁(E(x)), W₂ = D₂(E(x)), W₃ = D₂(E(W₁)) and the epoch k
 * from 1, L₁ = (1/k) ‖x − W₁‖² + (1 − 1/k) ‖x − W₃‖² and L₂ = (1/k) ‖x − W₂‖² − (1 − 1/k) ‖x − W₃‖². Each has a step of its
 * own: added up, the second terms would cancel and nothing adversarial would be left.
 */
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import * as nn from '../../../nn/index.ts';
import { sizeOf } from '../shapes.ts';

/** Sizes of the networks. */
export interface UsadSizes {
  /** Numbers of the code. */
  readonly code: number;
  /** Values of a hidden layer at most. */
  readonly width: number;
}

/** Windows through encoder and decoders, all `[N, L·D]` with values in [0, 1]. */
export interface UsadPasses {
  readonly items: Value;
  /** W₁. */
  readonly first: Value;
  /** W₂. */
  readonly second: Value;
  /** W₃: the second decoder on the code of W₁. */
  readonly both: Value;
}

const halves = (values: number, width: number): readonly [number, number] => [
  Math.max(1, Math.min(width, values >> 1)),
  Math.max(1, Math.min(width, values >> 2)),
];

/** Starts that keep the size of values: with smaller ones narrow nets learn nothing in the epochs before the adversary counts. */
const init: nn.LayerOptions = { weightInit: nn.heNormal(), biasInit: nn.zerosInit };

function encode({ code, width }: UsadSizes, scope: nn.Scope, x: Value): Value {
  const [half, quarter] = halves(sizeOf(x), width);
  const a = g.relu(nn.dense(scope.at('dense1'), x, half, init));
  const b = g.relu(nn.dense(scope.at('dense2'), a, quarter, init));
  return g.relu(nn.dense(scope.at('code'), b, code, init));
}

function decode({ width }: UsadSizes, scope: nn.Scope, z: Value, values: number): Value {
  const [half, quarter] = halves(values, width);
  const a = g.relu(nn.dense(scope.at('dense1'), z, quarter, init));
  const b = g.relu(nn.dense(scope.at('dense2'), a, half, init));
  return g.sigmoid(nn.dense(scope.at('out'), b, values, init));
}

/** Items `[N, L·D]` in [0, 1] through the networks. */
export function usadPasses(sizes: UsadSizes, net: (group: string) => nn.Scope, items: Value): UsadPasses {
  const values = sizeOf(items);
  const encoder = (x: Value) => encode(sizes, net('encoder'), x);
  const decoder = (name: string, z: Value) => decode(sizes, net(name), z, values);
  const code = encoder(items);
  const first = decoder('first-decoder', code);
  return { items, first, second: decoder('second-decoder', code), both: decoder('second-decoder', encoder(first)) };
}

/** L₁ and L₂ with 1/k as a scalar. */
export function usadLosses(
  passes: UsadPasses,
  share: Value | number,
): { readonly first: Value; readonly second: Value } {
  const { items, first, second, both } = passes;
  const adversarial = g.mul(nn.l2(items, both), g.sub(1, share));
  return {
    first: g.add(g.mul(nn.l2(items, first), share), adversarial),
    second: g.sub(g.mul(nn.l2(items, second), share), adversarial),
  };
}

/**
 * 1/k in a training step: k is 1 for the first `warmUp` epochs and grows by 1 with each epoch from then on. The last step of
 * an iteration counts the batch.
 */
export function epochShare(net: (group: string) => nn.Scope, warmUp: number, isLast: boolean): Value {
  const batches = net('range').buffer('batches', [], nn.zerosInit);
  const done = net('epoch').buffer('batches', [], nn.zerosInit);
  if (isLast) net('epoch').update('batches', g.add(done, 1));
  const epoch = g.add(g.floor(g.div(done, g.maximum(batches, 1))), 1); // from 1
  return g.reciprocal(g.maximum(g.add(epoch, 1 - warmUp), 1));
}
