/**
 * Networks of TadGAN for windows `[N, L, D]` in [−1, 1]. `lstm` are the published ones: bidirectional LSTMs in encoder and
 * generator, which works on half of the steps first, and critics of convolutions over time and of dense layers. `strided` are
 * ours: two convolutions over every second step on the way to the code and back, since LSTMs are unrolled here, and a window of
 * 100 steps takes long to build and to train.
 */
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import * as nn from '../../../nn/index.ts';
import { countOf } from '../shapes.ts';

export const tadganNetworks = ['strided', 'lstm'] as const;

/** Sizes of the networks. */
export interface TadganSizes {
  readonly network: (typeof tadganNetworks)[number];
  /** Numbers of the code. */
  readonly latent: number;
  /** Channels of convolutions. */
  readonly width: number;
  /** Units of each direction of the generator's LSTMs; the encoder's has 100 where these are 64. */
  readonly units: number;
  /** Share of values that critics, and the generator's LSTMs, lose in training; half of it more in the critic of windows. */
  readonly dropout: number;
}

const KERNEL = 5;
const SLOPE = 0.2;
/** Layers of the critic of windows, and of the critic of codes. */
const [WINDOW_LAYERS, CODE_LAYERS] = [4, 2];

/** States of an LSTM of each direction side by side, `[N, L, 2 · units]`. */
function bothWays(scope: nn.Scope, x: Value, units: number): Value {
  const { states } = nn.lstm(scope.at('forward'), x, { units });
  const back = nn.lstm(scope.at('backward'), g.flip(x, 1), { units }).states;
  return g.concat([states, g.flip(back, 1)], 2);
}

/** Each of `[N, C, L]` twice, cut to `length`. */
function twice(x: Value, length: number): Value {
  const [, channels, steps] = x.shape as [unknown, number, number];
  const pairs = g.concat([g.unsqueeze(x, 3), g.unsqueeze(x, 3)], 3); // [N,C,L,2]
  return g.slice(g.reshape(pairs, [x.shape[0], channels, 2 * steps]), { 2: [0, length] });
}

const overTime = (x: Value) => g.transpose(x, [0, 2, 1]);
const convolve = (scope: nn.Scope, x: Value, filters: number, stride = 1) =>
  nn.conv(scope, x, { filters, kernel: KERNEL, padding: KERNEL >> 1, stride });
const half = (length: number) => Math.ceil(length / 2);

/** E: codes `[N, latent]` of windows. */
export function encodeWindows({ network, latent, width, units }: TadganSizes, scope: nn.Scope, x: Value): Value {
  if (network === 'lstm') {
    const states = bothWays(scope.at('lstm'), x, Math.round((units * 100) / 64));
    return nn.dense(scope.at('code'), g.flatten(states), latent);
  }
  const first = g.leakyRelu(convolve(scope.at('conv1'), overTime(x), width, 2), SLOPE);
  const second = g.leakyRelu(convolve(scope.at('conv2'), first, width, 2), SLOPE);
  return nn.dense(scope.at('code'), g.flatten(second), latent);
}

/** G: windows `[N, L, D]` in [−1, 1] of codes. */
export function generateWindows(
  { network, width, units, dropout }: TadganSizes,
  scope: nn.Scope,
  z: Value,
  [length, channels]: readonly [number, number],
): Value {
  const n = countOf(z);
  if (network === 'lstm') {
    const steps = g.reshape(nn.dense(scope.at('dense'), z, half(length)), [n, half(length), 1]);
    const coarse = nn.dropout(scope.at('drop1'), bothWays(scope.at('lstm1'), steps, units), dropout);
    const fine = bothWays(scope.at('lstm2'), overTime(twice(overTime(coarse), length)), units);
    return g.tanh(nn.dense(scope.at('out'), nn.dropout(scope.at('drop2'), fine, dropout), channels));
  }
  const quarter = half(half(length));
  const start = g.reshape(nn.dense(scope.at('dense'), z, width * quarter), [n, width, quarter]);
  const coarse = convolve(scope.at('conv1'), twice(g.leakyRelu(start, SLOPE), half(length)), width);
  const fine = convolve(scope.at('conv2'), twice(g.leakyRelu(coarse, SLOPE), length), width);
  return g.tanh(overTime(convolve(scope.at('out'), g.leakyRelu(fine, SLOPE), channels)));
}

/** The critic of windows: one number each, `[N]`, larger = more like data. */
export function criticizeWindows({ network, width, dropout }: TadganSizes, scope: nn.Scope, x: Value): Value {
  let y = overTime(x);
  for (let i = 1; i <= WINDOW_LAYERS; i++) {
    const stride = network === 'strided' && i < WINDOW_LAYERS ? 2 : 1;
    y = g.leakyRelu(convolve(scope.at(`conv${i}`), y, width, stride), SLOPE);
    y = nn.dropout(scope.at(`drop${i}`), y, 1.25 * dropout);
  }
  return flat(nn.dense(scope.at('out'), g.flatten(y), 1));
}

/** The critic of codes: one number each, `[N]`, larger = more like the prior. */
export function criticizeCodes({ latent, dropout }: TadganSizes, scope: nn.Scope, z: Value): Value {
  let y = z;
  for (let i = 1; i <= CODE_LAYERS; i++)
    y = nn.dropout(scope.at(`drop${i}`), g.leakyRelu(nn.dense(scope.at(`dense${i}`), y, latent), SLOPE), dropout);
  return flat(nn.dense(scope.at('out'), y, 1));
}

const flat = (x: Value) => g.reshape(x, [x.shape[0]]);
