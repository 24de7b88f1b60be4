/**
 * RAD, retrieval-based anomaly detection (arXiv 2601.22763, 2026): of an image the training images that look most like it as
 * a whole are retrieved, and each patch is compared with patches of these that lie at the same place, give or take
 * a few. Nothing is trained, and parts that always lie in the same way are not compared with other places of themselves.
 *
 * Deviations: any backbone with taps instead of DINOv3, whose descriptor of a whole image is the mean of the deepest tap in
 * place of the class token, and the size and preparation of the run instead of a centre crop.
 */
import * as z from 'zod';
import { DataError } from '../core/errors.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import { option, say } from '../core/text.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import type { Scope } from '../nn/scope.ts';
import { defineModel } from './define.ts';
import { asRows, backboneOptions, choiceOf, tapped, tooSmall, wholeImage } from './parts/features.ts';
import { poolMap } from './parts/maps/pool-map.ts';
import { smoothMap } from './parts/maps/smooth-map.ts';
import * as common from './parts/options.ts';
import { sidesOf } from './parts/shapes.ts';

const config = z.strictObject({
  ...backboneOptions,
  images: z
    .int()
    .min(1)
    .max(1000)
    .default(150)
    .describe('Training images that are retrieved for each image, the most alike; published: 48 to 900.'),
  radius: z
    .int()
    .min(0)
    .max(5)
    .default(1)
    .describe('How far from its own place a patch is looked for, in places of the grid; published: 0 to 2.'),
  smoothing: common.smoothing(1),
});
type Config = z.infer<typeof config>;

/** Numbers that the features of the training images may take: 1 GiB. */
const LIMIT = 2 ** 28;
/** Images per call. */
const BLOCK = 4;
/** Small beside the squares of any feature. */
const EPSILON = 1e-12;

/**
 * Patches compared with those at the same place of the training images that look most like the whole image (RAD, arXiv
 * 2601.22763).
 * Images. Nothing is trained; features of all training images (at most 1 GiB) are stored in the detector.
 */
export const rad = defineModel({
  name: 'rad',
  title: 'RAD',
  idea: 'Each patch is compared with those at the same place of the training images that look most like the whole image.',
  paper: 'RAD: retrieval-based anomaly detection, arXiv 2601.22763, 2026.',
  learning: 'one-class',
  inputs: ['image'],
  learns: 'statistics',
  keepsItems: true,
  config,
  presets: {},
  imageSize: { atMost: 256 },
  tiny: { taps: 'fine', images: 4, smoothing: 0 },
  backbone: choiceOf,

  unsuitable: (options, shape) => tooSmall(options, shape),

  async fit(options, data) {
    const banks: { rows: Float32Array; places: number; width: number }[] = [];
    let descriptors = new Float32Array();
    let at = 0;
    const build = (net: (group: string) => Scope, x: Value) => {
      const { patches, descriptor } = seenBy(options, net, x);
      return { ...Object.fromEntries(patches.map(({ rows }, i) => [`tap${i}`, rows])), descriptor };
    };
    for await (const { count, outputs } of data.through('features', build, BLOCK)) {
      const { descriptor, ...taps } = outputs;
      if (at === 0) {
        const each = Object.values(taps).reduce((sum, { data: own }) => sum + own.length / count, 0);
        if (each * data.count > LIMIT) throw tooMuch(each, data.count);
        descriptors = new Float32Array((descriptor.data.length / count) * data.count);
      }
      descriptors.set(descriptor.data as Float32Array, (descriptors.length / data.count) * at);
      for (const [i, { data: own, shape }] of Object.values(taps).entries()) {
        const [, places, width] = shape as number[];
        banks[i] ??= { rows: new Float32Array(data.count * places * width), places, width };
        banks[i].rows.set(own as Float32Array, at * places * width);
      }
      at += count;
    }
    const named = banks.map(({ rows, places, width }, i) => {
      return [`rad.bank${i}`, float32(rows, [data.count, places, width])] as const;
    });
    const kept: Tensors = { 'rad.descriptors': float32(descriptors, [data.count, descriptors.length / data.count]) };
    return { ...kept, ...Object.fromEntries(named) };
  },

  score(options, net, x) {
    const { patches, descriptor } = seenBy(options, net, x);
    const known = net('rad').learnt('descriptors'); // [M,C]
    const count = Math.min(options.images, Number(known.shape[0]));
    const alike = g.topK(g.matMul(descriptor, known, { transposeB: true }), count).indices; // [N,k]
    const size = sidesOf(x);
    const grids = patches.map(({ rows, sides }, i) => {
      const chosen = g.gather(net('rad').learnt(`bank${i}`), alike, 0); // [N,k,P,D]
      const most = mostAlike(rows, chosen, sides, options.radius); // [N,P]
      return g.resizeBilinear(g.reshape(g.sub(1, most), [x.shape[0], 1, ...sides]), size);
    });
    const mean = grids.reduce((a, b) => g.add(a, b));
    const map = smoothMap(g.div(mean, grids.length), size, options.smoothing);
    return { map, score: poolMap('top', map) };
  },

  pool: (_options, map) => poolMap('top', map),
});

const tooMuch = (each: number, count: number) =>
  new DataError(
    'bank-memory',
    say`The features of ${count} images take ${Math.round((each * count) / 2 ** 18)} MiB; at most 1024 MiB are allowed. Train
      on ${Math.floor(LIMIT / each)} images with ${option('trainLimit')}, use smaller ones with ${option('size')}, or choose
      coarser taps with ${option('config.taps')}.`,
  );

/** Unit vectors: of each tap the patches `[N, P, D]`, and of each image its descriptor `[N, C]`. */
function seenBy(options: Config, net: (group: string) => Scope, x: Value) {
  const patches = tapped(options, net, x).map((grid) => ({ rows: unit(asRows(grid)), sides: sidesOf(grid) }));
  return { patches, descriptor: unit(wholeImage(options, net, x)) };
}

function unit(rows: Value): Value {
  const axes = [rows.shape.length - 1];
  return g.div(rows, g.sqrt(g.add(g.reduceSum(g.square(rows), { axes, keep: true }), EPSILON)));
}

/**
 * The largest cosine of each patch `[N, P, D]` to the patches of `[N, k, P, D]` whose place on the grid is at most `radius`
 * rows and columns away, `[N, P]`.
 */
export function mostAlike(
  rows: Value,
  chosen: Value,
  [height, width]: readonly [number, number],
  radius: number,
): Value {
  const [n, places, channels] = rows.shape;
  const steps = Array.from({ length: 2 * radius + 1 }, (_, k) => k - radius);
  const shifts = steps.flatMap((dy) => steps.map((dx) => [dy, dx] as const));
  // Products run place by place: at place p of the others with the image's patches about p, of which some lie outside.
  const neighbour = (p: number, [dy, dx]: readonly [number, number]) => {
    const [y, x] = [Math.floor(p / width) + dy, (p % width) + dx];
    return y >= 0 && y < height && x >= 0 && x < width ? y * width + x : undefined;
  };
  const grid = Array.from({ length: height * width }, (_, p) => p);
  const around = grid.flatMap((p) => shifts.map((shift) => neighbour(p, shift) ?? p));
  const own = g.reshape(g.gather(rows, around, 1), [n, places, shifts.length, channels]); // [N,P,S,D]
  const others = g.transpose(chosen, [0, 2, 1, 3]); // [N,P,k,D]
  const best = g.reduceMax(g.matMul(own, others, { transposeB: true }), { axes: [3] }); // [N,P,S]
  // Seen from a patch u: what it came to at the place p = u − shift, for each shift; where that lies outside, at its own.
  const middle = (shifts.length - 1) / 2;
  const back = grid.flatMap((u) =>
    shifts.map(([dy, dx], s) => {
      const p = neighbour(u, [-dy, -dx]);
      return p === undefined ? u * shifts.length + middle : p * shifts.length + s;
    }),
  );
  const flat = g.reshape(best, [n, Number(places) * shifts.length]);
  return g.reduceMax(g.reshape(g.gather(flat, back, 1), [n, places, shifts.length]), { axes: [2] });
}
