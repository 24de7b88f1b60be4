/**
 * The claim of AnoDDPM, tested: simplex noise finds large smooth defects better than Gaussian noise. Pieces of 32 × 32
 * pixels are cut from normal magnetic tiles, and half of the test pieces get a blob: a place that is smoothly lighter or
 * darker. Models that differ in nothing but their noise (simplex as published, simplex of variance 1, Gaussian) learn the
 * same pieces from the same seeds; all take noise off by 25 DDIM steps, in the fast mode and, for the first seed, by the
 * 250 steps of DDPM. Nothing is chosen by these numbers.
 * `npm run bench -- simplex [--json] [--seeds 1,2,3] [--noises simplex,gaussian] [--save]`. Needs industrial/magnetic_tile below ODDITY_DATA.
 */
import { join } from 'node:path';
import { Rng } from '../src/core/random.ts';
import { float32 } from '../src/core/tensor.ts';
import { dataRoot, findDataset, memorySource, perlinNoise, type Source } from '../src/data/index.ts';
import { fitModel } from '../src/engine/fitting/fit.ts';
import { trainedTensors } from '../src/engine/fitting/tensors.ts';
import { scoringProgram } from '../src/engine/scoring/graph.ts';
import { averagePrecision, f1Max } from '../src/metrics/index.ts';
import { anoddpm } from '../src/models/index.ts';
import { resolveConfig } from '../src/runs/index.ts';
import { openRuntime, type Runtime } from '../src/runtime/index.ts';
import { median, option, saveRows } from './measure.ts';

const SIDE = 32;
const AREA = SIDE * SIDE;
/** Whole images, grey, from which pieces are cut. */
const WHOLE = 128;
const counts = { train: 1200, test: 40 };
/** Training steps, and pieces in each. */
const STEPS = 400;
const BATCH = 16;
const seeds = (option('seeds') || '1,2,3').split(',').map(Number);
const everyNoise = {
  simplex: { noise: 'simplex' },
  'simplex-normalized': { noise: 'simplex', normalizeNoise: true },
  gaussian: { noise: 'gaussian' },
} as const;
type Noise = keyof typeof everyNoise;
const noises = (option('noises')?.split(',') ?? Object.keys(everyNoise)) as Noise[];
const reversals = ['ddim', 'ddpm', 'fast'] as const;

/** A blob: its change of each pixel, and 1 where that is at least half of the largest. */
function blob(rng: Rng): { change: Float32Array; mask: Uint8Array } {
  // A bump of random place and size whose outline waves do not leave round.
  const [y0, x0] = [0, 1].map(() => SIDE * (0.25 + 0.5 * rng.uniform()));
  const radius = 5 + 4 * rng.uniform();
  const strength = (rng.int(2) === 1 ? 1 : -1) * (0.1 + 0.15 * rng.uniform());
  const waves = perlinNoise({ height: SIDE, width: SIDE, cells: [3, 3] }, rng.split('waves'));
  const share = waves.map((wave, p) => {
    const distance = Math.hypot(Math.floor(p / SIDE) - y0, (p % SIDE) - x0) / (radius * (1 + 0.6 * wave));
    return Math.exp(-0.5 * distance ** 2);
  });
  return { change: share.map((v) => v * strength), mask: Uint8Array.from(share, (v) => (v >= 0.5 ? 1 : 0)) };
}

interface Pieces {
  readonly source: Source;
  readonly images: Float32Array;
  readonly masks: Uint8Array;
}

/** Training pieces as a source; test pieces, every other one with a blob, from other images. */
async function pieces(seed: number): Promise<Pieces> {
  const rng = new Rng(seed).split('pieces');
  const tiles = findDataset(join(dataRoot(), 'industrial/magnetic_tile'));
  const whole = await tiles.load({ root: dataRoot(), download: false, size: [WHOLE, WHOLE], channels: 1 });
  const normal = whole.items.flatMap(({ class: kind, part }, i) =>
    kind === whole.normalClass && part === 'train' ? [i] : [],
  );
  const cut = async (from: readonly number[], count: number, stream: Rng): Promise<Float32Array> => {
    const all = new Float32Array(from.length * WHOLE * WHOLE);
    await whole.read(from, all);
    const out = new Float32Array(count * AREA);
    for (let i = 0; i < count; i++) {
      const [image, top, left] = [stream.int(from.length), stream.int(WHOLE - SIDE + 1), stream.int(WHOLE - SIDE + 1)];
      for (let y = 0; y < SIDE; y++) {
        const at = (image * WHOLE + top + y) * WHOLE + left;
        out.set(all.subarray(at, at + SIDE), i * AREA + y * SIDE);
      }
    }
    return out;
  };
  const held = Math.floor(normal.length / 5);
  const train = await cut(normal.slice(held), counts.train, rng.split('train'));
  const images = await cut(normal.slice(0, held), counts.test, rng.split('test'));
  await whole.close?.();
  const masks = new Uint8Array(images.length);
  for (let i = 0; i < counts.test; i += 2) {
    const { change, mask } = blob(rng.split('blob').split(i));
    for (let p = 0; p < AREA; p++) images[i * AREA + p] = Math.min(1, Math.max(0, images[i * AREA + p] + change[p]));
    masks.set(mask, i * AREA);
  }
  const source = await memorySource({
    name: 'pieces of magnetic tiles',
    title: 'Pieces of magnetic tiles',
    licence: whole.licence,
    shape: [1, SIDE, SIDE],
    classes: ['normal'],
    parts: [
      {
        part: 'train',
        labels: new Uint8Array(counts.train),
        pixels: Uint8Array.from(train, (v) => Math.round(255 * v)),
      },
    ],
  });
  return { source, images, masks };
}

async function judge(runtime: Runtime, noise: Noise, seed: number, { source, images, masks }: Pieces) {
  const epochs = Math.round((STEPS * BATCH) / counts.train);
  const given = { width: 16, attention: 8, ...everyNoise[noise], learningRate: 1e-3, batchSize: BATCH, epochs };
  const config = resolveConfig(anoddpm, { config: given }, { shape: source.shape, count: counts.train });
  const train = Uint32Array.from({ length: counts.train }, (_, i) => i);
  const save = async () => {};
  const begin = performance.now();
  const rng = new Rng(seed).split('training');
  const { tensors } = await fitModel({ model: anoddpm, config, source, train, runtime, rng, onEvent: () => {}, save });
  const trainSeconds = (performance.now() - begin) / 1000;
  const rows: Record<string, unknown>[] = [];
  for (const reversal of reversals) {
    if (reversal === 'ddpm' && seed !== seeds[0]) continue;
    const program = scoringProgram(anoddpm, { ...config, reversal }, source.shape, trainedTensors(tensors));
    const session = await runtime.compile(program);
    const started = performance.now();
    const { map } = await session.run({ image: float32(images, [counts.test, ...source.shape]) }, { fetch: ['map'] });
    const milliseconds = (performance.now() - started) / counts.test;
    await session.close();
    rows.push({
      noise,
      reversal,
      seed,
      pixelAp: Number(averagePrecision(map.data as Float32Array, masks)!.toFixed(4)),
      // Dice is F1 of pixels, here at the threshold that is best for it.
      bestDice: Number(f1Max(map.data as Float32Array, masks)!.f1.toFixed(4)),
      millisecondsPerPiece: Number(milliseconds.toFixed(1)),
      trainSeconds: Number(trainSeconds.toFixed(0)),
    });
    if (option('json') === undefined) console.log(JSON.stringify(rows.at(-1)));
  }
  return rows;
}

const runtime = await openRuntime('cpu', { threads: Number(option('threads') || 2) });
const rows: Record<string, unknown>[] = [];
for (const seed of seeds) {
  const cut = await pieces(seed);
  for (const noise of noises) rows.push(...(await judge(runtime, noise, seed, cut)));
}
await runtime.close();
/** How often a simplex noise is ahead of Gaussian noise, and by how much in the median. */
const pairs = noises.filter((noise) => noise !== 'gaussian' && noises.includes('gaussian'));
const verdicts = pairs.flatMap((noise) =>
  reversals.map((reversal) => {
    const of = (noise: string, key: string) =>
      rows.filter((row) => row.noise === noise && row.reversal === reversal).map((row) => row[key] as number);
    const ahead = (key: string) => of(noise, key).map((v, i) => v - of('gaussian', key)[i]);
    return Object.fromEntries([
      ['noise', noise],
      ['reversal', reversal],
      ...['pixelAp', 'bestDice'].flatMap((key) => [
        [`${key}Wins`, `${ahead(key).filter((v) => v > 0).length} of ${ahead(key).length}`],
        [`${key}Ahead`, Number(median(ahead(key)).toFixed(4))],
      ]),
    ]);
  }),
);
if (option('json') === undefined) for (const verdict of verdicts) console.log(JSON.stringify(verdict));
else console.log(JSON.stringify({ rows, verdicts }));
await saveRows('simplex', rows);
