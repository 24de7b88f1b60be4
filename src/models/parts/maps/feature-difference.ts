/**
 * How an image and its reconstruction differ in the features of a pretrained network, told in deviations of that difference
 * on normal images: d = mean over channels of ((Δ − μ) / σ)², Δ the difference at a place of a tap, μ and σ of each channel.
 * A channel that no reconstruction gets right is then no anomaly, and one that all get right counts in full. d itself is told
 * in deviations of its own at each place of the image: reconstructions from the same noise err in the same places.
 */
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import * as nn from '../../../nn/index.ts';
import { channelsOf, sidesOf } from '../shapes.ts';

/** Share of the mean variance that is added to each channel's or place's: some hardly ever vary on normal images. */
const FLOOR = 0.01;
/** Keeps what never varies from dividing by 0. */
const EPS = 1e-12;

/** The mean of x and of x² over the batches so far, all batches alike. */
interface Moments {
  readonly mean: Value;
  readonly square: Value;
}

const momentsOf = (net: nn.Scope, shape: readonly number[]): Moments => ({
  mean: net.buffer('mean', shape, nn.zerosInit),
  square: net.buffer('square', shape, nn.zerosInit),
});

/** Moves the moments by a batch, which is number `batches` from 1; its means are over `axes`. */
function move(net: nn.Scope, { mean, square }: Moments, x: Value, axes: readonly number[], batches: Value): void {
  const moved = (old: Value, values: Value) =>
    g.add(old, g.div(g.sub(g.reduceMean(values, { axes, keep: true }), old), batches));
  net.update('mean', moved(mean, x));
  net.update('square', moved(square, g.square(x)));
}

const ofChannels = (x: Value) => [1, channelsOf(x), 1, 1];
const ofPlaces = (x: Value) => [1, 1, ...sidesOf(x)];

const count = (net: nn.Scope) => g.add(net.buffer('batches', [], nn.zerosInit), 1);

/** (x − mean)² and the variance, which has a share of its own mean added. */
function standardized(x: Value, { mean, square }: Moments): { difference: Value; variance: Value } {
  const variance = g.maximum(g.sub(square, g.square(mean)), 0);
  const floor = g.add(g.mul(g.reduceMean(variance), FLOOR), EPS);
  return { difference: g.sub(x, mean), variance: g.add(variance, floor) };
}

const meanOf = (values: readonly Value[]): Value =>
  g.mul(
    values.reduce((a, b) => g.add(a, b)),
    1 / values.length,
  );

/**
 * Learns μ and σ from a batch of differences `[N, C, h, w]` at the taps. Gives what a pass shows: the mean square of the
 * differences.
 */
export function learnDifferences(net: nn.Scope, differences: readonly Value[]): Value {
  const batches = count(net);
  for (const [tap, x] of differences.entries()) {
    const at = net.at(`tap${tap}`);
    move(at, momentsOf(at, ofChannels(x)), x, [0, 2, 3], batches);
  }
  net.update('batches', batches);
  return meanOf(differences.map((x) => g.reduceMean(g.square(x))));
}

/** d, the mean over the taps at the size of an image: `[N, 1, H, W]`, about 1 on normal images. */
export function differenceInDeviations(
  net: nn.Scope,
  differences: readonly Value[],
  size: readonly [number, number],
): Value {
  const maps = differences.map((x, tap) => {
    const { difference, variance } = standardized(x, momentsOf(net.at(`tap${tap}`), ofChannels(x)));
    const squares = g.div(g.square(difference), variance);
    return g.resizeBilinear(g.reduceMean(squares, { axes: [1], keep: true }), size);
  });
  return meanOf(maps);
}

/** Learns mean and deviation of maps `[N, 1, H, W]` at each place from a batch. Gives the mean of the maps. */
export function learnPlaces(net: nn.Scope, map: Value): Value {
  const batches = count(net);
  move(net, momentsOf(net, ofPlaces(map)), map, [0], batches);
  net.update('batches', batches);
  return g.reduceMean(map);
}

/** Maps in deviations from the mean of normal images at each place. */
export function inPlace(net: nn.Scope, map: Value): Value {
  const { difference, variance } = standardized(map, momentsOf(net, ofPlaces(map)));
  return g.div(difference, g.sqrt(variance));
}
