/**
 * How often the rate of false positives on new normal items lies inside the 90 % interval that is stated with a threshold: over
 * random draws of few normals from MNIST digits and tables of ADBench, with quick models, as `fit` makes them.
 * With `--parts` the draws are of photos of parts instead, tiles and one circuit board at 64 pixels, of which there are only some
 * hundred: the rates of so few new ones scatter by themselves, so fewer lie inside.
 * `npm run bench -- coverage [--parts] [--splits 200] [--counts 5,10,20,50,100,200] [--folds n] [--save] [--json]`.
 */
import { join } from 'node:path';
import { Rng } from '../src/core/random.ts';
import { dataRoot, encodeRows, findDataset, objectRows, type Source } from '../src/data/index.ts';
import { fitDetector } from '../src/engine/fit.ts';
import { calibrate } from '../src/engine/judging/calibrate.ts';
import type { Platform } from '../src/engine/platform.ts';
import type { Detector } from '../src/engine/scoring/detector.ts';
import type { FitInput } from '../src/engine/task/source-of.ts';
import { findModel } from '../src/models/index.ts';
import { nodePlatform } from '../src/runs/platform.ts';
import { openRuntime, type Runtime, type Session } from '../src/runtime/index.ts';
import { option, saveRows } from './measure.ts';

const splits = Number(option('splits') || 200);
const counts = (option('counts') || '5,10,20,50,100,200').split(',').map(Number);
const folds = option('folds') === undefined ? undefined : Number(option('folds'));
const rates = [0.01, 0.05];
/** New normal items of each split. */
const NEW = 1000;
const digits = ['mean-image', 'pca', 'knn'];
const rows = ['knn', 'isolation-forest', 'mean-image'];
const tables = ['cardio', 'mammography', 'satimage-2', 'shuttle', 'thyroid', 'vowels'];

const shared = await openRuntime('cpu', { threads: 1 });

/** Node, on one runtime for all: closing it closes the sessions that a detector opened. */
function onShared(): Platform {
  const sessions: Session[] = [];
  const kept = <S extends Session>(session: S) => {
    sessions.push(session);
    return session;
  };
  const runtime: Runtime = {
    ...shared,
    device: shared.device,
    open: async (...args) => kept(await shared.open(...args)),
    compile: async (...args) => kept(await shared.compile(...args)),
    close: async () => {
      await Promise.all(sessions.map((session) => session.close().catch(() => {})));
    },
  };
  return { ...nodePlatform(), openRuntime: async () => runtime };
}

/** Normal items to draw from, and a way to score others with a detector that was fitted to some. */
interface Pool {
  readonly name: string;
  readonly models: readonly string[];
  readonly size: number;
  take(items: Uint32Array): Promise<FitInput>;
  score(detector: Detector, items: Uint32Array): Promise<Float32Array>;
}

async function digitPool(source: Source, digit: number): Promise<Pool> {
  const own = [...source.items.keys()].filter((i) => source.items[i].class === digit);
  const size = source.shape.reduce((n, d) => n * d, 1);
  const read = async (items: Uint32Array) => {
    const data = new Float32Array(items.length * size);
    await source.read(
      items.map((i) => own[i]),
      data,
    );
    return data;
  };
  return {
    name: `digit ${digit}`,
    models: digits,
    size: own.length,
    take: async (items) => ({ data: await read(items), shape: [items.length, ...source.shape] }),
    score: async (detector, items) => (await detector.score(await read(items), items.length)).scores,
  };
}

async function tablePool(name: string): Promise<Pool> {
  const source = await findDataset(`adbench:${name}`).load({ root: dataRoot() });
  const own = [...source.items.keys()].filter((i) => source.items[i].class === source.normalClass);
  const width = source.shape[0];
  const values = new Float32Array(own.length * width);
  await source.read(own, values);
  const objects = (items: Uint32Array) =>
    Array.from(items, (i) =>
      Object.fromEntries(Array.from({ length: width }, (_, c) => [`c${c}`, values[i * width + c]])),
    );
  return {
    name,
    models: rows,
    size: own.length,
    take: async (items) => objects(items),
    async score(detector, items) {
      const { inputs } = encodeRows(objectRows(objects(items), 'The rows'), detector.info.table!);
      return (await detector.score(inputs, items.length)).scores;
    },
  };
}

/** Normal photos of a folder of the data root, small and grey. */
async function photoPool(name: string): Promise<Pool> {
  const options = { root: dataRoot(), size: [64, 64] as const, channels: 1 as const };
  const source = await findDataset(join(dataRoot(), 'industrial', name)).load(options);
  const own = [...source.items.keys()].filter((i) => source.items[i].class === source.normalClass);
  const values = new Float32Array(own.length * 64 * 64);
  await source.read(own, values);
  await source.close?.();
  const read = (items: Uint32Array) => {
    const data = new Float32Array(items.length * 64 * 64);
    for (const [k, i] of items.entries()) data.set(values.subarray(i * 64 * 64, (i + 1) * 64 * 64), k * 64 * 64);
    return data;
  };
  return {
    name,
    models: digits,
    size: own.length,
    take: async (items) => ({ data: read(items), shape: [items.length, 1, 64, 64] }),
    score: async (detector, items) => (await detector.score(read(items), items.length)).scores,
  };
}

const ofParts = option('parts') !== undefined;
const mnist = ofParts ? undefined : await findDataset('mnist').load({ root: dataRoot() });
const pools = mnist
  ? [
      await Promise.all(Array.from({ length: 10 }, (_, digit) => digitPool(mnist, digit))),
      await Promise.all(tables.map(tablePool)),
    ]
  : [[await photoPool('magnetic_tile')], [await photoPool('deeppcb_20085')]];
const [firstPools, secondPools] = ofParts ? ['Tiles', 'Boards'] : ['Digits', 'Tables'];

/** One split: fits to `n` normals and counts which of many others reach thresholds. */
async function split(n: number, seed: number) {
  const rng = new Rng(seed, `coverage/${n}`);
  const kinds = pools[seed % 2];
  const pool = kinds[rng.int(kinds.length)];
  const name = pool.models[rng.int(pool.models.length)];
  const order = rng.permutation(pool.size);
  const detector = await fitDetector(findModel(name), await pool.take(order.subarray(0, n)), onShared(), {
    seed,
    ...(folds !== undefined && { folds }),
  });
  const scores = await pool.score(detector, order.subarray(n, n + NEW));
  const { normalScores, threshold: kept } = detector.info;
  await detector.close();
  return rates.map((rate) => {
    const { value, rateInterval, normals } = calibrate(normalScores, rate, kept);
    const achieved = scores.filter((score) => score >= value!).length / scores.length;
    const [low, high] = rateInterval;
    return { rate, pool: pool.name, kind: seed % 2, name, normals, achieved, low, high, threshold: value! };
  });
}

type One = Awaited<ReturnType<typeof split>>[number];
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const isInside = ({ achieved, low, high }: One) => achieved >= low && achieved <= high;
const share = (list: readonly One[], is: (one: One) => boolean) =>
  Number(mean(list.map((one) => Number(is(one)))).toFixed(3));

const made: Record<string, unknown>[] = [];
const begin = performance.now();
for (const n of counts) {
  const found: One[] = [];
  let differing = 0;
  for (let seed = 1; seed <= splits; seed++) {
    const [a, b] = await split(n, seed);
    found.push(a, b);
    if (a.threshold !== b.threshold) differing++;
  }
  for (const rate of rates) {
    const list = found.filter((one) => one.rate === rate);
    const row = {
      normals: n,
      wanted: rate,
      splits,
      scores: Number(mean(list.map((one) => one.normals)).toFixed(1)),
      inside: share(list, isInside),
      [`inside${firstPools}`]: share(
        list.filter(({ kind }) => kind === 0),
        isInside,
      ),
      [`inside${secondPools}`]: share(
        list.filter(({ kind }) => kind === 1),
        isInside,
      ),
      above: share(list, ({ achieved, high }) => achieved > high),
      below: share(list, ({ achieved, low }) => achieved < low),
      meanAchieved: Number(mean(list.map((one) => one.achieved)).toFixed(4)),
      meanLow: Number(mean(list.map((one) => one.low)).toFixed(4)),
      meanHigh: Number(mean(list.map((one) => one.high)).toFixed(4)),
      ratesDiffer: Number((differing / splits).toFixed(3)),
    };
    made.push(row);
    if (option('json') === undefined) console.log(JSON.stringify(row));
  }
  for (const name of new Set(found.map((one) => one.name))) {
    const list = found.filter((one) => one.name === name);
    console.error(
      `${n} normals, ${name}: ${share(list, isInside)} inside, ${share(list, (o) => o.achieved > o.high)} above`,
    );
  }
}
const all = mean(made.map((row) => row.inside as number));
console.error(`inside in all: ${all.toFixed(3)}, ${((performance.now() - begin) / 1000).toFixed(0)} s`);
if (option('json') !== undefined) console.log(JSON.stringify({ splits, rows: made }));
await shared.close();
const how = ofParts ? ' --parts' : '';
await saveRows(
  `coverage${how.replace(' --', '-')}`,
  made,
  `npm run bench -- coverage${how} --splits ${splits} --counts ${counts.join(',')}`,
);
