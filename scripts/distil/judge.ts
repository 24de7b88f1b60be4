/**
 * How well distances to normal features tell planted defects, for the backbone in the box and others: normal images of
 * a set's training part against the same images with generated defects. No test set is looked at. A plain nearest
 * neighbour among patches: features of the usual taps, averaged over 3×3 places, side by side on the finer grid. Beside each
 * AUROC of images stands the interval that nine in ten bootstrap samples of the images fall in; an image and the same with
 * its defect are drawn together.
 *
 *     npm run distil -- judge [--weights file] [--backbones a,b] [--taps a,b] [--set magnetic_tile] [--judged n] [--threads n]
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { features, findBackbone } from '../../src/backbones/index.ts';
import { loadWeights } from '../../src/backbones/load.ts';
import { Rng } from '../../src/core/random.ts';
import { float32, type Tensor } from '../../src/core/tensor.ts';
import { decodeFile } from '../../src/data/files/decode.ts';
import { dataRoot, plantDefect, writeUnit } from '../../src/data/index.ts';
import { bind } from '../../src/engine/scoring/graph.ts';
import { input } from '../../src/graph/index.ts';
import * as g from '../../src/graph/ops/index.ts';
import type { Value } from '../../src/graph/value.ts';
import { auroc } from '../../src/metrics/index.ts';
import { Trace } from '../../src/nn/scope.ts';
import { openRuntime } from '../../src/runtime/index.ts';

const { values: options } = parseArgs({
  options: {
    weights: { type: 'string' },
    backbones: { type: 'string', default: 'oddity,squeezenet1_1,resnet50_v2' },
    set: { type: 'string', default: 'magnetic_tile' },
    known: { type: 'string', default: '30' },
    judged: { type: 'string', default: '40' },
    taps: { type: 'string' },
    threads: { type: 'string', default: '1' },
  },
});
const [known, judged, threads] = [options.known, options.judged, options.threads].map(Number);
const SIDE = 256;
/** Normal patches that are kept. */
const BANK = 4000;

const root = dataRoot();
const rng = new Rng(7);
const folder = join(root, 'industrial', options.set, 'train', 'good');
const names = rng.split('order').shuffle((await readdir(folder)).filter((name) => /\.(jpg|png)$/.test(name)).sort());
const shape = [3, SIDE, SIDE] as const;
const read = async (name: string): Promise<Float32Array> => {
  const out = new Float32Array(3 * SIDE * SIDE);
  writeUnit((await decodeFile({ path: join(folder, name), as: 'image', shape })).data, out, 0);
  return out;
};
const normals = await Promise.all(names.slice(0, known).map(read));
const others = await Promise.all(names.slice(known, known + judged).map(read));
const planted = others.map((image, i) =>
  plantDefect({ channels: 3, height: SIDE, width: SIDE, image }, { share: 1 }, rng.split('defect').split(i)),
);

const runtime = await openRuntime('cpu', { threads });
for (const name of options.backbones.split(',')) {
  const backbone = findBackbone(name);
  const path = name === 'oddity' ? (options.weights ?? 'weights/oddity.safetensors') : undefined;
  const taps = options.taps?.split(',') ?? backbone.usual;
  const weights = await loadWeights(backbone, { root, path });
  const trace = new Trace(false);
  const found = features(backbone, trace.group('b'), input('image', [1, 3, SIDE, SIDE]), taps);
  const grid = found[0].shape.slice(2);
  const smooth = found.map((v) => g.resizeBilinear(g.averagePool(v, 3, { stride: 1, padding: 1 }), grid));
  const joined = g.concat(smooth, 1);
  const width = Number(joined.shape[1]);
  const places = Number(grid[0]) * Number(grid[1]);
  const rows = g.transpose(g.reshape(joined, [width, places]), [1, 0]); // [places, width]
  const tensors = Object.fromEntries(Object.entries(weights).map(([key, t]) => [`b.${key}`, t]));
  const outputs = bind(name, { rows }, trace, tensors);
  const embed = await runtime.compile({ name, outputs, carry: {} });
  const embedded = async (image: Float32Array): Promise<Tensor> =>
    (await embed.run({ image: float32(image, [1, ...shape]) })).rows;

  const bank = new Float32Array(BANK * width);
  const perImage = Math.ceil(BANK / normals.length);
  for (const [i, image] of normals.entries()) {
    const { data } = await embedded(image);
    const order = rng.split('bank').split(i).permutation(places);
    for (let k = 0; k < perImage && i * perImage + k < BANK; k++)
      bank.set(data.slice(order[k] * width, (order[k] + 1) * width) as Float32Array, (i * perImage + k) * width);
  }
  const squares = (v: Value) => g.reduceSum(g.square(v), { axes: [1], keep: true });
  const [x, b] = [input('rows', [places, width]), input('bank', [BANK, width])];
  const products = g.matMul(x, b, { transposeB: true });
  const distance = g.neg(
    g.reduceMax(g.sub(g.mul(products, 2), g.transpose(squares(b), [1, 0])), { axes: [1], keep: true }),
  );
  const near = await runtime.compile({ name: 'near', outputs: { d: g.add(distance, squares(x)) }, carry: {} });
  await near.setState({ bank: float32(bank, [BANK, width]) });

  const [scores, labels, placeScores, placeLabels]: number[][] = [[], [], [], []];
  let milliseconds = 0;
  for (const [i, image] of others.entries()) {
    for (const [label, values] of [image, planted[i].image].entries()) {
      const begin = performance.now();
      const found = await embedded(values);
      milliseconds += performance.now() - begin;
      const { data } = (await near.run({ rows: found })).d;
      scores.push(Math.max(...(data as Float32Array)));
      labels.push(label);
      if (label === 0) continue;
      for (let p = 0; p < places; p++) {
        placeScores.push(Number(data[p]));
        placeLabels.push(share(planted[i].mask, Number(grid[0]), Number(grid[1]), p) > 0.25 ? 1 : 0);
      }
    }
  }
  await embed.close();
  await near.close();
  console.log(
    `${name.padEnd(14)} ${options.set}: image AUROC ${auroc(scores, labels)?.toFixed(3)} (${spread(scores)}), place AUROC ` +
      `${auroc(placeScores, placeLabels)?.toFixed(3)}, ${width} channels, ${(milliseconds / scores.length).toFixed(0)} ms an image`,
  );
}
await runtime.close();

/** The 5th and the 95th percentile of a thousand AUROCs of images that are drawn with replacement; two scores an image. */
function spread(scores: readonly number[]): string {
  const images = scores.length / 2;
  const all = Array.from({ length: 1000 }, (_, draw) => {
    const stream = rng.split('bootstrap').split(draw);
    const drawn = Array.from({ length: images }, () => stream.int(images));
    const pairs = drawn.flatMap((i) => [scores[2 * i], scores[2 * i + 1]]);
    return (
      auroc(
        pairs,
        pairs.map((_, k) => k % 2),
      ) ?? 0
    );
  }).sort((a, b) => a - b);
  return `${all[50].toFixed(3)} … ${all[950].toFixed(3)}`;
}

/** Share of a place's pixels that a mask covers. */
function share(mask: Uint8Array, height: number, width: number, place: number): number {
  const [top, left] = [Math.floor(place / width), place % width];
  const [y0, y1] = [top, top + 1].map((r) => Math.round((r * SIDE) / height));
  const [x0, x1] = [left, left + 1].map((c) => Math.round((c * SIDE) / width));
  let sum = 0;
  for (let y = y0; y < y1; y++) for (let px = x0; px < x1; px++) sum += mask[y * SIDE + px];
  return sum / ((y1 - y0) * (x1 - x0));
}
