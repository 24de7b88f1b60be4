/**
 * The claim of AnoDDPM, tested: simplex noise finds large smooth defects better than Gaussian noise. Pieces of 32 × 32
 * pixels are cut from normal magnetic tiles. Tested are pieces of held-out normal tiles, half of them with a blob – a place
 * that is smoothly lighter or darker –, and pieces about real defects (fray, uneven) beside pieces of normal test tiles.
 * Models that differ in nothing but their noise (simplex as published, simplex of variance 1, Gaussian) learn the same
 * pieces from the same seeds, in batches of 8 for the sake of time; all remove noise in the fast mode with 16 noise fields,
 * with blurred maps (the defaults) and without. Beside them: the prevalence, which random maps get, and one line of code,
 * (x − median of the piece)². Intervals are those of the mean difference over the seeds, from pieces drawn again, the same
 * for both noises. Nothing is chosen by these numbers.
 * `npm run bench -- simplex [--json] [--seeds 1,2,3] [--noises simplex,gaussian] [--state <folder>] [--threads 1] [--save]`.
 * A training that was stopped goes on from its state. Needs industrial/magnetic_tile below ODDITY_DATA.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Rng } from '../src/core/random.ts';
import { float32 } from '../src/core/tensor.ts';
import {
  dataRoot,
  findDataset,
  memorySource,
  perlinNoise,
  readSafetensors,
  type Source,
  writeSafetensors,
} from '../src/data/index.ts';
import type { FitState } from '../src/engine/fitting/contract.ts';
import { fitModel } from '../src/engine/fitting/fit.ts';
import { trainedTensors } from '../src/engine/fitting/tensors.ts';
import { scoringProgram } from '../src/engine/scoring/graph.ts';
import { averagePrecision } from '../src/metrics/index.ts';
import { anoddpm } from '../src/models/index.ts';
import { resolveConfig } from '../src/runs/index.ts';
import { openRuntime, type Runtime } from '../src/runtime/index.ts';
import { median, option, saveRows } from './measure.ts';

const SIDE = 32;
const AREA = SIDE * SIDE;
/** Whole images, grey, from which pieces are cut. */
const WHOLE = 128;
/** Pieces; half of those of a test are anomalous. */
const counts = { train: 1200, test: 80 };
/** Training steps, and pieces in each. */
const STEPS = 2000;
const BATCH = 8;
const seeds = (option('seeds') || '1,2,3').split(',').map(Number);
const everyNoise = {
  simplex: { noise: 'simplex' },
  gaussian: { noise: 'gaussian' },
  'simplex-normalized': { noise: 'simplex', normalizeNoise: true },
} as const;
type Noise = keyof typeof everyNoise;
const noises = (option('noises')?.split(',') ?? Object.keys(everyNoise)) as Noise[];
const state = option('state') || join('runs', 'bench', 'simplex');
/** Real classes of defects that are large and smooth at this size. */
const REAL = ['fray', 'uneven'];
/** Draws of an interval. */
const DRAWS = 1000;

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

/** Pieces `[count, 1, SIDE, SIDE]` that are tested, and what of them is anomalous. */
interface Test {
  readonly images: Float32Array;
  readonly masks: Uint8Array;
}

interface Pieces {
  readonly source: Source;
  readonly tests: Readonly<Record<string, Test>>;
}

/** A piece of an image `[WHOLE, WHOLE]`. */
function cutPiece<T extends Float32Array | Uint8Array>(image: T, top: number, left: number, out: T): void {
  for (let y = 0; y < SIDE; y++) {
    const at = (top + y) * WHOLE + left;
    out.set(image.subarray(at, at + SIDE) as never, y * SIDE);
  }
}

/** Pieces at random places of random images among `from`. */
async function cut(whole: Source, from: readonly number[], count: number, rng: Rng): Promise<Float32Array> {
  const all = new Float32Array(from.length * WHOLE * WHOLE);
  await whole.read(from, all);
  const out = new Float32Array(count * AREA);
  for (let i = 0; i < count; i++) {
    const [image, top, left] = [rng.int(from.length), rng.int(WHOLE - SIDE + 1), rng.int(WHOLE - SIDE + 1)];
    const at = image * WHOLE * WHOLE;
    cutPiece(all.subarray(at, at + WHOLE * WHOLE), top, left, out.subarray(i * AREA, (i + 1) * AREA));
  }
  return out;
}

/** Pieces of normal images, every other one with a blob. */
function withBlobs(normal: Float32Array, rng: Rng): Test {
  const images = normal.slice();
  const masks = new Uint8Array(images.length);
  for (let i = 0; i < counts.test; i += 2) {
    const { change, mask } = blob(rng.split(i));
    for (let p = 0; p < AREA; p++) images[i * AREA + p] = Math.min(1, Math.max(0, images[i * AREA + p] + change[p]));
    masks.set(mask, i * AREA);
  }
  return { images, masks };
}

/** Pieces about places of real defects, every other one, beside pieces of normal images. */
async function withDefects(whole: Source, rng: Rng): Promise<Test> {
  const items = [...whole.items.keys()];
  const nameOf = (i: number) => whole.classes[whole.items[i].class];
  const test = items.filter((i) => whole.items[i].part === 'test');
  const odd = test.filter((i) => REAL.includes(nameOf(i)));
  const normal = test.filter((i) => whole.items[i].class === whole.normalClass);
  const images = await cut(whole, normal, counts.test, rng.split('normal'));
  const masks = new Uint8Array(images.length);
  const pixels = new Float32Array(WHOLE * WHOLE);
  const mask = new Uint8Array(WHOLE * WHOLE);
  for (let i = 0; i < counts.test; i += 2) {
    const one = rng.split('odd').split(i);
    const chosen = [odd[one.int(odd.length)]];
    await whole.read(chosen, pixels);
    await whole.readMasks!(chosen, mask);
    const places = [...mask.keys()].filter((p) => mask[p] > 0);
    const place = places[one.int(places.length)];
    const start = (at: number) => Math.min(WHOLE - SIDE, Math.max(0, at - SIDE / 2 + one.int(9) - 4));
    const [top, left] = [start(Math.floor(place / WHOLE)), start(place % WHOLE)];
    cutPiece(pixels, top, left, images.subarray(i * AREA, (i + 1) * AREA));
    cutPiece(mask, top, left, masks.subarray(i * AREA, (i + 1) * AREA));
  }
  return { images, masks: masks.map((v) => (v > 0 ? 1 : 0)) };
}

/** Training pieces as a source, and pieces of other images to test. */
async function pieces(seed: number): Promise<Pieces> {
  const rng = new Rng(seed).split('pieces');
  const tiles = findDataset(join(dataRoot(), 'industrial/magnetic_tile'));
  const whole = await tiles.load({ root: dataRoot(), download: false, size: [WHOLE, WHOLE], channels: 1 });
  const normal = whole.items.flatMap(({ class: kind, part }, i) =>
    kind === whole.normalClass && part === 'train' ? [i] : [],
  );
  const held = Math.floor(normal.length / 5);
  const train = await cut(whole, normal.slice(held), counts.train, rng.split('train'));
  const blobs = withBlobs(await cut(whole, normal.slice(0, held), counts.test, rng.split('test')), rng.split('blob'));
  const defects = await withDefects(whole, rng.split('defects'));
  await whole.close?.();
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
  return { source, tests: { blobs, defects } };
}

/** The state of a training that began before, undefined where there is none; `save` keeps one, whole or not at all. */
async function stateOf(name: string) {
  const base = join(state, name);
  await mkdir(state, { recursive: true });
  const keep = async (path: string, content: string | Uint8Array) => {
    await writeFile(`${path}.new`, content);
    await rename(`${path}.new`, path);
  };
  let turn = 0;
  const save = async ({ tensors, ...rest }: FitState) => {
    // Two files in turns, of which the other one is named by what is there: whatever happens, one state is whole.
    const file = `${base}-${turn++ % 2}.safetensors`;
    await keep(file, writeSafetensors(tensors));
    await keep(`${base}.json`, JSON.stringify({ ...rest, file }));
  };
  const from = await readFile(`${base}.json`, 'utf8').then(
    async (text): Promise<FitState> => {
      const { file, ...rest } = JSON.parse(text);
      if (file.endsWith('-0.safetensors')) turn = 1;
      return { ...rest, tensors: readSafetensors(await readFile(file), file).tensors };
    },
    () => undefined,
  );
  return { from, save };
}

/** The (x − median of the piece)² of every pixel. */
function ownMedian(images: Float32Array): Float32Array {
  const out = new Float32Array(images.length);
  for (let at = 0; at < images.length; at += AREA) {
    const piece = images.subarray(at, at + AREA);
    const middle = median(piece as unknown as number[]);
    piece.forEach((v, p) => {
      out[at + p] = (v - middle) ** 2;
    });
  }
  return out;
}

/** A map of every test, kept for the intervals. */
interface Mapped {
  readonly noise: Noise;
  readonly variant: string;
  readonly seed: number;
  readonly data: string;
  readonly map: Float32Array;
}

const four = (value: number) => Number(value.toFixed(4));
const apOf = (map: Float32Array, { masks }: Test) => four(averagePrecision(map, masks)!);
const shareOf = ({ masks }: Test) => masks.reduce((n, v) => n + v, 0) / masks.length;

function say(row: Record<string, unknown>): Record<string, unknown> {
  if (option('json') === undefined) console.log(JSON.stringify(row));
  return row;
}

async function judge(runtime: Runtime, noise: Noise, seed: number, { source, tests }: Pieces) {
  const epochs = Math.ceil((STEPS * BATCH) / counts.train);
  const given = { width: 16, attention: 8, score: 'pixels', ...everyNoise[noise], batchSize: BATCH, epochs };
  const config = resolveConfig(anoddpm, { config: given }, { shape: source.shape, count: counts.train });
  const train = Uint32Array.from({ length: counts.train }, (_, i) => i);
  const { from, save } = await stateOf(`${noise}-${seed}`);
  const rng = new Rng(seed).split('training');
  const fit = { model: anoddpm, config, source, train, runtime, rng, onEvent: () => {}, from, save };
  const { tensors } = await fitModel(fit);
  const rows: Record<string, unknown>[] = [];
  const mapped: Mapped[] = [];
  for (const [variant, changed] of Object.entries({
    blurred: {},
    sharp: { smoothing: 0 },
    'one field': { seeds: 1 },
  })) {
    const program = scoringProgram(anoddpm, { ...config, ...changed }, source.shape, trainedTensors(tensors));
    const session = await runtime.compile(program);
    for (const [data, test] of Object.entries(tests)) {
      const started = performance.now();
      const image = float32(test.images, [counts.test, ...source.shape]);
      const { map: found } = await session.run({ image }, { fetch: ['map'] });
      const milliseconds = (performance.now() - started) / counts.test;
      const map = found.data as Float32Array;
      mapped.push({ noise, variant, seed, data, map });
      rows.push(
        say({
          ...{ data, noise, variant, seed, steps: epochs * (counts.train / BATCH), pixelAp: apOf(map, test) },
          ...{ prevalence: four(shareOf(test)), ownMedianAp: apOf(ownMedian(test.images), test) },
          millisecondsPerPiece: Number(milliseconds.toFixed(1)),
        }),
      );
    }
    await session.close();
  }
  return { rows, mapped };
}

/** The average precision of a map where piece `i` stands `times[i]` times: one sort serves every draw. */
function weightedAp(map: Float32Array, masks: Uint8Array): (times: ArrayLike<number>) => number {
  const order = Uint32Array.from(map.keys()).sort((p, q) => map[q] - map[p]);
  return (times) => {
    let [hits, seen, precision, last] = [0, 0, 0, 0];
    for (let i = 0; i < order.length; i++) {
      const weight = times[Math.floor(order[i] / AREA)];
      seen += weight;
      hits += weight * masks[order[i]];
      // Equal scores are one step.
      if (i + 1 < order.length && map[order[i + 1]] === map[order[i]]) continue;
      precision += (hits - last) * (hits / Math.max(1, seen));
      last = hits;
    }
    return precision / Math.max(1, hits);
  };
}

/** Mean difference of pixel AP over seeds with its 95 % interval, over pieces drawn again in their pairs of halves. */
function compare(a: readonly Mapped[], b: readonly Mapped[], testsOf: (seed: number, data: string) => Test) {
  const rng = new Rng(0).split('intervals');
  const pairs = a.flatMap((one) => {
    const other = b.find(({ seed }) => seed === one.seed);
    const { masks } = testsOf(one.seed, one.data);
    return other ? [[weightedAp(one.map, masks), weightedAp(other.map, masks)] as const] : [];
  });
  const difference = (timesOf: () => ArrayLike<number>) =>
    pairs.reduce((sum, [one, other]) => {
      const times = timesOf();
      return sum + (one(times) - other(times)) / pairs.length;
    }, 0);
  // Anomalous pieces have even numbers: each half is drawn from itself.
  const draw = () => {
    const times = new Uint8Array(counts.test);
    for (let i = 0; i < counts.test; i++) times[2 * rng.int(counts.test / 2) + (i % 2)]++;
    return times;
  };
  const drawn = Array.from({ length: DRAWS }, () => difference(draw)).sort((p, q) => p - q);
  const [low, high] = [drawn[Math.floor(0.025 * DRAWS)], drawn[Math.ceil(0.975 * DRAWS) - 1]];
  const mean = difference(() => new Uint8Array(counts.test).fill(1));
  return { mean, low, high, seeds: pairs.length };
}

const runtime = await openRuntime('cpu', { threads: Number(option('threads') || 2) });
const rows: Record<string, unknown>[] = [];
const mapped: Mapped[] = [];
const cuts = new Map<number, Pieces>();
for (const seed of seeds) cuts.set(seed, await pieces(seed));
for (const seed of seeds) {
  for (const noise of noises) {
    const found = await judge(runtime, noise, seed, cuts.get(seed)!);
    rows.push(...found.rows);
    mapped.push(...found.mapped);
  }
}
await runtime.close();

/** What the simplex noises have over Gaussian noise, and whether that is more than chance. */
const verdicts = noises
  .filter((noise) => noise !== 'gaussian' && noises.includes('gaussian'))
  .flatMap((noise) =>
    ['blobs', 'defects'].flatMap((data) =>
      ['blurred', 'sharp'].map((variant) => {
        const of = (wanted: Noise) =>
          mapped.filter((m) => m.noise === wanted && m.data === data && m.variant === variant);
        const { mean, low, high, seeds } = compare(
          of(noise),
          of('gaussian'),
          (seed, name) => cuts.get(seed)!.tests[name],
        );
        const verdict = low > 0 ? `${noise} wins` : high < 0 ? 'gaussian wins' : 'not decided';
        return { noise, data, variant, ahead: four(mean), low: four(low), high: four(high), seeds, verdict };
      }),
    ),
  );
if (option('json') === undefined) for (const verdict of verdicts) console.log(JSON.stringify(verdict));
else console.log(JSON.stringify({ rows, verdicts }));
await saveRows('simplex', rows);
