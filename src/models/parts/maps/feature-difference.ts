/**
 * How an image and its reconstruction differ in the features of a pretrained network, told in deviations of that difference
 * on normal images: d = mean over channels of ((Δ − μ) / σ)², Δ the difference at a place of a tap, μ its mean on normal images
 * at that place and in that channel, σ the deviation of the channel. A channel that no reconstruction gets right is then no
 * anomaly, and what all reconstructions have in common – those from the same noise leave the same traces – is none either. d
 * itself is told in deviations of its own at each place of the image.
 */
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import * as nn from '../../../nn/index.ts';
import { sidesOf } from '../shapes.ts';

/** Share of the mean variance that is added to each channel's or place's: some hardly ever vary on normal images. */
const FLOOR = 0.01;
/** Keeps what never varies from dividing by 0. */
const EPS = 1e-12;

/** Moves the mean of a buffer by a batch, which is number `batches` from 1; all batches count alike. */
function move(net: nn.Scope, name: string, old: Value, own: Value, batches: Value): void {
  net.update(name, g.add(old, g.div(g.sub(own, old), batches)));
}

const count = (net: nn.Scope) => g.add(net.buffer('batches', [], nn.zerosInit), 1);

/** Mean over the items of a batch, `[1, ...]`. */
const overItems = (x: Value) => g.reduceMean(x, { axes: [0], keep: true });
/** Mean over items and places, `[1, C, 1, 1]`. */
const overPlaces = (x: Value) => g.reduceMean(x, { axes: [0, 2, 3], keep: true });

/** A variance with a share of the mean one added. */
function floored(variance: Value): Value {
  const floor = g.add(g.mul(g.reduceMean(g.maximum(variance, 0)), FLOOR), EPS);
  return g.add(g.maximum(variance, 0), floor);
}

/** Mean of Δ at each place, and mean of Δ² of each channel, over normal images. */
function usual(net: nn.Scope, difference: Value) {
  const [, ...grid] = difference.shape as number[];
  return {
    mean: net.buffer('mean', [1, ...grid], nn.zerosInit),
    square: net.buffer('square', [1, grid[0], 1, 1], nn.zerosInit),
  };
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
    const { mean, square } = usual(at, x);
    move(at, 'mean', mean, overItems(x), batches);
    move(at, 'square', square, overPlaces(g.square(x)), batches);
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
    const { mean, square } = usual(net.at(`tap${tap}`), x);
    const variance = floored(g.sub(square, overPlaces(g.square(mean)))); // about the means of the places
    const squares = g.div(g.square(g.sub(x, mean)), variance);
    return g.resizeBilinear(g.reduceMean(squares, { axes: [1], keep: true }), size);
  });
  return meanOf(maps);
}

/** Mean and mean square of maps at each place. */
function usualMap(net: nn.Scope, map: Value) {
  const shape = [1, 1, ...sidesOf(map)];
  return { mean: net.buffer('mean', shape, nn.zerosInit), square: net.buffer('square', shape, nn.zerosInit) };
}

/** Learns mean and deviation of maps `[N, 1, H, W]` at each place from a batch. Gives the mean of the maps. */
export function learnPlaces(net: nn.Scope, map: Value): Value {
  const batches = count(net);
  const { mean, square } = usualMap(net, map);
  move(net, 'mean', mean, overItems(map), batches);
  move(net, 'square', square, overItems(g.square(map)), batches);
  net.update('batches', batches);
  return g.reduceMean(map);
}

/** Maps in deviations from the mean of normal images at each place. */
export function inPlace(net: nn.Scope, map: Value): Value {
  const { mean, square } = usualMap(net, map);
  return g.div(g.sub(map, mean), g.sqrt(floored(g.sub(square, g.square(mean)))));
}
